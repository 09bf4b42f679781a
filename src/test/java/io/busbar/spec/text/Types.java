package io.busbar.spec.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The function types of a module: those written down, then those that are only used. */
final class Types {
  private static final Map<String, Integer> VALUES =
      Map.ofEntries(
          Map.entry("i32", 0x7f),
          Map.entry("i64", 0x7e),
          Map.entry("f32", 0x7d),
          Map.entry("f64", 0x7c),
          Map.entry("v128", 0x7b),
          Map.entry("funcref", 0x70),
          Map.entry("externref", 0x6f),
          Map.entry("exnref", 0x69),
          Map.entry("nullfuncref", 0x73),
          Map.entry("nullexternref", 0x72),
          Map.entry("nullexnref", 0x74));
  private static final Map<String, Integer> HEAPS =
      Map.of(
          "func",
          0x70,
          "extern",
          0x6f,
          "exn",
          0x69,
          "nofunc",
          0x73,
          "noextern",
          0x72,
          "noexn",
          0x74);

  private final Space space = new Space();
  private final List<byte[]> all = new ArrayList<>();
  private final List<Integer> params = new ArrayList<>();

  /** A use of a type: its index, and what the parameters are called there. */
  record Use(int index, List<String> names, int results) {}

  /** A type field, before anything else: types may refer to each other. */
  void name(Term field) {
    space.add(Cursor.inside(field).takeName());
  }

  void define(Term field) {
    Cursor cursor = Cursor.inside(field);
    cursor.takeName();
    Term function = cursor.next();
    if (!function.starts("func")) {
      throw new IllegalArgumentException("not a function type");
    }
    Cursor signature = Cursor.inside(function);
    List<Term> takes = signature.takeGroups("param");
    add(takes, signature.takeGroups("result"));
  }

  private int add(List<Term> takes, List<Term> gives) {
    all.add(encoded(takes, gives));
    params.add(values(takes).size());
    return all.size() - 1;
  }

  private byte[] encoded(List<Term> takes, List<Term> gives) {
    return new Binary().add(0x60).list(values(takes)).list(values(gives)).toBytes();
  }

  /** The types in {@code (param …)}, {@code (result …)} or {@code (local …)}. */
  List<Binary> values(List<Term> groups) {
    List<Binary> values = new ArrayList<>();
    for (Term group : groups) {
      Cursor cursor = Cursor.inside(group);
      cursor.takeName();
      while (cursor.hasMore()) {
        values.add(value(cursor.next()));
      }
    }
    return values;
  }

  /** A name for each; null where there is none. */
  List<String> names(List<Term> groups) {
    List<String> names = new ArrayList<>();
    for (Term group : groups) {
      Cursor cursor = Cursor.inside(group);
      String name = cursor.takeName();
      for (; cursor.hasMore(); cursor.next()) {
        names.add(name);
      }
    }
    return names;
  }

  Binary value(Term type) {
    if (type instanceof Term.Word word && VALUES.containsKey(word.text())) {
      return new Binary().add(VALUES.get(word.text()));
    } else if (type.starts("ref")) {
      Cursor cursor = Cursor.inside(type);
      boolean nullable = cursor.take("null");
      String heap = cursor.word();
      if (nullable && HEAPS.containsKey(heap)) {
        return heap(heap);
      }
      return new Binary().add(nullable ? 0x63 : 0x64).add(heap(heap));
    }
    throw new IllegalArgumentException("unknown type " + type);
  }

  Binary heap(String text) {
    return HEAPS.containsKey(text)
        ? new Binary().add(HEAPS.get(text))
        : new Binary().signed(index(text));
  }

  int index(String text) {
    return space.index(text);
  }

  /** {@code (type …)}, or parameters and results, or both. */
  Use use(Cursor cursor) {
    String named = cursor.nextStarts("type") ? Cursor.inside(cursor.next()).word() : null;
    List<Term> takes = cursor.takeGroups("param");
    List<Term> gives = cursor.takeGroups("result");
    if (named == null) {
      return new Use(find(takes, gives), names(takes), values(gives).size());
    }
    int index = index(named);
    List<String> names = new ArrayList<>(names(takes));
    while (index < params.size() && names.size() < params.get(index)) {
      names.add(null);
    }
    return new Use(index, names, values(gives).size());
  }

  private int find(List<Term> takes, List<Term> gives) {
    byte[] wanted = encoded(takes, gives);
    for (int i = 0; i < all.size(); i++) {
      if (Arrays.equals(all.get(i), wanted)) {
        return i;
      }
    }
    return add(takes, gives);
  }

  /** What stands after {@code block} and its like. */
  Binary block(Cursor cursor) {
    if (cursor.nextStarts("type") || cursor.nextStarts("param")) {
      return new Binary().signed(use(cursor).index());
    }
    List<Term> gives = cursor.takeGroups("result");
    List<Binary> values = values(gives);
    if (values.isEmpty()) {
      return new Binary().add(0x40);
    }
    return values.size() == 1 ? values.get(0) : new Binary().signed(find(List.of(), gives));
  }

  List<Binary> section() {
    return all.stream().map(type -> new Binary().add(type)).toList();
  }
}
