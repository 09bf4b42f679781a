package io.busbar.spec.text;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Text of one module to its binary. */
public final class Assembler {
  private static final List<String> KINDS = List.of("func", "table", "memory", "global", "tag");
  private static final byte[] HEADER = {0, 'a', 's', 'm', 1, 0, 0, 0};
  private static final int PAGE_BYTES = 65_536;

  private final Spaces spaces = Spaces.create();
  private final List<Binary> imports = new ArrayList<>();
  private final List<Binary> functions = new ArrayList<>();
  private final List<Binary> tables = new ArrayList<>();
  private final List<Binary> memories = new ArrayList<>();
  private final List<Binary> tags = new ArrayList<>();
  private final List<Binary> globals = new ArrayList<>();
  private final List<Binary> exports = new ArrayList<>();
  private final List<Binary> elements = new ArrayList<>();
  private final List<Binary> bodies = new ArrayList<>();
  private final List<Binary> data = new ArrayList<>();
  private final int[] defined = new int[KINDS.size()]; // the next index of each kind
  private Binary start;

  private Assembler() {}

  /** Fails with an {@link IllegalArgumentException} where the text is not understood. */
  public static byte[] assemble(byte[] text) {
    List<Term> terms = TermReader.read(text);
    if (terms.size() == 1 && terms.get(0).starts("module")) {
      Cursor cursor = Cursor.inside(terms.get(0));
      cursor.takeName();
      terms = new ArrayList<>();
      while (cursor.hasMore()) {
        terms.add(cursor.next());
      }
    }
    try {
      return new Assembler().module(terms);
    } catch (ClassCastException | IndexOutOfBoundsException e) {
      throw new IllegalArgumentException("not understood", e);
    }
  }

  private byte[] module(List<Term> fields) {
    fields.forEach(this::name);
    fields.stream().filter(f -> f.starts("type")).forEach(spaces.types()::define);
    fields.forEach(this::field);
    return sections();
  }

  private void name(Term field) {
    String head = ((Term.Group) field).head();
    if (head.equals("type")) {
      spaces.types().name(field);
    } else if (head.equals("import")) {
      Term.Group described = (Term.Group) ((Term.Group) field).items().get(3);
      spaces.of(described.head()).add(Cursor.inside(described).takeName());
    } else if (spaces.of(head) != null) {
      spaces.of(head).add(Cursor.inside(field).takeName());
      boolean inline = head.equals("memory") || head.equals("table");
      for (Term item : inline ? ((Term.Group) field).items() : List.<Term>of()) {
        if (item.starts("data") || item.starts("elem")) {
          spaces.of(((Term.Group) item).head()).add(null);
        }
      }
    } else if (!head.equals("export") && !head.equals("start")) {
      throw new IllegalArgumentException("unknown field " + head);
    }
  }

  private void field(Term field) {
    String head = ((Term.Group) field).head();
    Cursor cursor = Cursor.inside(field);
    switch (head) {
      case "type" -> {}
      case "import" -> {
        Binary path = new Binary().sized(cursor.quoted()).sized(cursor.quoted());
        Term described = cursor.next();
        Cursor inside = Cursor.inside(described);
        inside.takeName();
        imported(path, ((Term.Group) described).head(), inside);
      }
      case "export" -> {
        byte[] name = cursor.quoted();
        Term what = cursor.next();
        String kind = ((Term.Group) what).head();
        export(name, kind, spaces.of(kind).index(Cursor.inside(what).word()));
      }
      case "start" -> start = new Binary().count(spaces.functions().index(cursor.word()));
      case "elem" -> element(cursor);
      case "data" -> data(cursor);
      default -> definition(head, cursor);
    }
  }

  private void export(byte[] name, String kind, int index) {
    exports.add(new Binary().sized(name).add(KINDS.indexOf(kind)).count(index));
  }

  private void imported(Binary path, String kind, Cursor cursor) {
    defined[KINDS.indexOf(kind)]++;
    path.add(KINDS.indexOf(kind));
    imports.add(
        switch (kind) {
          case "func" -> path.count(spaces.types().use(cursor).index());
          case "table" -> path.add(tableType(cursor));
          case "memory" -> path.add(limits(cursor));
          case "global" -> path.add(globalType(cursor));
          default -> path.add(0).count(spaces.types().use(cursor).index());
        });
  }

  private void definition(String kind, Cursor cursor) {
    cursor.takeName();
    for (Term export : cursor.takeGroups("export")) {
      export(Cursor.inside(export).quoted(), kind, defined[KINDS.indexOf(kind)]);
    }
    if (cursor.nextStarts("import")) {
      Cursor path = Cursor.inside(cursor.next());
      imported(new Binary().sized(path.quoted()).sized(path.quoted()), kind, cursor);
      return;
    }
    int index = defined[KINDS.indexOf(kind)]++;
    switch (kind) {
      case "func" -> function(cursor);
      case "table" -> table(index, cursor);
      case "memory" -> memory(index, cursor);
      case "global" -> globals.add(globalType(cursor).add(Code.constant(spaces, cursor)));
      default -> tags.add(new Binary().add(0).count(spaces.types().use(cursor).index()));
    }
  }

  private void function(Cursor cursor) {
    Types.Use type = spaces.types().use(cursor);
    functions.add(new Binary().count(type.index()));
    List<Term> locals = cursor.takeGroups("local");
    List<String> names = new ArrayList<>(type.names());
    names.addAll(spaces.types().names(locals));
    List<Binary> groups = new ArrayList<>();
    for (Binary value : spaces.types().values(locals)) {
      groups.add(new Binary().count(1).add(value));
    }
    Binary code = new Binary().list(groups).add(Code.body(spaces, names, cursor));
    bodies.add(new Binary().sized(code.toBytes()));
  }

  private Binary globalType(Cursor cursor) {
    Term type = cursor.next();
    return type.starts("mut")
        ? spaces.types().value(Cursor.inside(type).next()).add(1)
        : spaces.types().value(type).add(0);
  }

  private static BigInteger number(Cursor cursor) {
    return Lane.of("i64", cursor.word()).bits();
  }

  private static Binary limits(Cursor cursor) {
    int flags = cursor.take("i64") ? 4 : 0;
    if (flags == 0) {
      cursor.take("i32");
    }
    Binary sizes = new Binary().count(number(cursor));
    if (cursor.nextIsIndex()) {
      sizes.count(number(cursor));
      flags |= 1;
    }
    flags |= cursor.take("shared") ? 2 : 0;
    return new Binary().add(flags).add(sizes);
  }

  private Binary tableType(Cursor cursor) {
    Binary limits = limits(cursor);
    return spaces.types().value(cursor.next()).add(limits);
  }

  private void table(int index, Cursor cursor) {
    boolean wide = cursor.take("i64");
    if (cursor.nextIsIndex()) {
      Binary limits = limits(cursor);
      Binary type = spaces.types().value(cursor.next()).add(wide ? widened(limits) : limits);
      tables.add(
          cursor.hasMore()
              ? new Binary().add(0x40, 0).add(type).add(Code.constant(spaces, cursor))
              : type);
      return;
    }
    Binary type = spaces.types().value(cursor.next());
    Elements listed = Elements.inline(spaces, type, Cursor.inside(cursor.next()));
    int size = listed.size();
    tables.add(new Binary().add(type).add(wide ? 5 : 1).count(size).count(size));
    elements.add(listed.active(index, wide));
  }

  private static Binary widened(Binary limits) {
    byte[] bytes = limits.toBytes();
    bytes[0] |= 4;
    return new Binary().add(bytes);
  }

  private void memory(int index, Cursor cursor) {
    boolean wide = cursor.take("i64");
    if (!cursor.nextStarts("data")) {
      Binary limits = limits(cursor);
      memories.add(wide ? widened(limits) : limits);
      return;
    }
    byte[] bytes = joined(Cursor.inside(cursor.next()));
    long pages = (bytes.length + PAGE_BYTES - 1) / PAGE_BYTES;
    memories.add(new Binary().add(wide ? 5 : 1).count(pages).count(pages));
    data.add(active(index).add(wide ? 0x42 : 0x41, 0, 0x0b).sized(bytes));
  }

  private static Binary active(int index) {
    return index == 0 ? new Binary().add(0) : new Binary().add(2).count(index);
  }

  private static byte[] joined(Cursor cursor) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    while (cursor.nextIsQuoted()) {
      joined.writeBytes(cursor.quoted());
    }
    return joined.toByteArray();
  }

  private void data(Cursor cursor) {
    cursor.takeName();
    int memory = 0;
    boolean named = cursor.nextStarts("memory");
    if (named) {
      memory = spaces.memories().index(Cursor.inside(cursor.next()).word());
    }
    if (!named && !cursor.nextIsGroup()) {
      data.add(new Binary().add(1).sized(joined(cursor)));
      return;
    }
    Binary segment = active(memory).add(Elements.offset(spaces, cursor.next()));
    data.add(segment.sized(joined(cursor)));
  }

  private void element(Cursor cursor) {
    cursor.takeName();
    elements.add(Elements.segment(spaces, cursor));
  }

  private byte[] sections() {
    Binary out = new Binary().add(HEADER);
    section(out, 1, spaces.types().section());
    section(out, 2, imports);
    section(out, 3, functions);
    section(out, 4, tables);
    section(out, 5, memories);
    section(out, 13, tags);
    section(out, 6, globals);
    section(out, 7, exports);
    if (start != null) {
      out.add(8).sized(start.toBytes());
    }
    section(out, 9, elements);
    if (!data.isEmpty()) {
      out.add(12).sized(new Binary().count(data.size()).toBytes());
    }
    section(out, 10, bodies);
    section(out, 11, data);
    return out.toBytes();
  }

  private static void section(Binary out, int id, List<Binary> entries) {
    if (!entries.isEmpty()) {
      out.add(id).sized(new Binary().list(entries).toBytes());
    }
  }
}
