package io.busbar.spec.text;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes the instructions of one function, or of one constant expression. */
final class Code {
  private static final Map<String, Integer> BLOCKS =
      Map.of("block", 0x02, "loop", 0x03, "if", 0x04, "try_table", 0x1f);
  private static final List<String> CATCHES =
      List.of("catch", "catch_ref", "catch_all", "catch_all_ref");

  private final Spaces spaces;
  private final List<String> locals;
  private final List<String> labels = new ArrayList<>(); // innermost last; null: without a name
  private final Binary out = new Binary();

  private Code(Spaces spaces, List<String> locals) {
    this.spaces = spaces;
    this.locals = locals;
  }

  /** A function's body without its locals: the function itself is the outermost label. */
  static Binary body(Spaces spaces, List<String> locals, Cursor cursor) {
    Code code = new Code(spaces, locals);
    code.labels.add(null);
    code.instructions(cursor);
    return code.out.add(0x0b);
  }

  static Binary constant(Spaces spaces, Cursor cursor) {
    return body(spaces, List.of(), cursor);
  }

  private void instructions(Cursor cursor) {
    while (cursor.hasMore()) {
      if (cursor.nextIsGroup()) {
        folded((Term.Group) cursor.next());
      } else {
        plain(cursor);
      }
    }
  }

  private void plain(Cursor cursor) {
    String name = cursor.word();
    if (BLOCKS.containsKey(name)) {
      open(name, cursor);
    } else if (name.equals("else")) {
      cursor.takeName();
      out.add(0x05);
    } else if (name.equals("end")) {
      cursor.takeName();
      close();
    } else {
      out.add(instruction(name, cursor));
    }
  }

  private void folded(Term.Group group) {
    Cursor cursor = Cursor.inside(group);
    String name = group.head();
    if (name.equals("if")) {
      foldedIf(cursor);
    } else if (BLOCKS.containsKey(name)) {
      open(name, cursor);
      instructions(cursor);
      close();
    } else {
      Binary instruction = instruction(name, cursor);
      instructions(cursor);
      out.add(instruction);
    }
  }

  private void foldedIf(Cursor cursor) {
    String label = cursor.takeName();
    Binary type = spaces.types().block(cursor);
    while (!cursor.nextStarts("then")) {
      folded((Term.Group) cursor.next());
    }
    out.add(0x04).add(type);
    labels.add(label);
    instructions(Cursor.inside(cursor.next()));
    if (cursor.hasMore()) {
      out.add(0x05);
      instructions(Cursor.inside(cursor.next()));
    }
    close();
  }

  private void open(String name, Cursor cursor) {
    String label = cursor.takeName();
    out.add(BLOCKS.get(name)).add(spaces.types().block(cursor));
    if (name.equals("try_table")) {
      out.list(catches(cursor));
    }
    labels.add(label);
  }

  private List<Binary> catches(Cursor cursor) {
    List<Binary> catches = new ArrayList<>();
    while (CATCHES.stream().anyMatch(cursor::nextStarts)) {
      Term.Group group = (Term.Group) cursor.next();
      Cursor inside = Cursor.inside(group);
      int kind = CATCHES.indexOf(group.head());
      Binary one = new Binary().add(kind);
      if (kind < 2) {
        one.count(spaces.tags().index(inside.word()));
      }
      catches.add(one.count(label(inside.word())));
    }
    return catches;
  }

  private void close() {
    if (labels.size() > 1) {
      labels.remove(labels.size() - 1);
    }
    out.add(0x0b);
  }

  private int label(String text) {
    if (!text.startsWith("$")) {
      return Integer.parseInt(text);
    }
    int at = labels.lastIndexOf(text);
    if (at < 0) {
      throw new IllegalArgumentException("unknown label " + text);
    }
    return labels.size() - 1 - at;
  }

  private int local(String text) {
    return text.startsWith("$") ? locals.indexOf(text) : Integer.parseInt(text);
  }

  private Binary instruction(String name, Cursor cursor) {
    Opcodes.Op op = Opcodes.of(name);
    Binary encoded = new Binary();
    if (op.immediate() == Opcodes.Immediate.SELECT && cursor.nextStarts("result")) {
      return encoded.add(0x1c).list(spaces.types().values(cursor.takeGroups("result")));
    }
    encoded.add(op.bytes());
    return switch (op.immediate()) {
      case NONE, SELECT -> encoded;
      case LABEL -> encoded.count(label(cursor.word()));
      case LABELS -> labels(encoded, cursor);
      case FUNCTION -> encoded.count(spaces.functions().index(cursor.word()));
      case LOCAL -> encoded.count(local(cursor.word()));
      case GLOBAL -> encoded.count(spaces.globals().index(cursor.word()));
      case TABLE -> encoded.count(optional(spaces.tables(), cursor));
      case TWO_TABLES -> two(encoded, spaces.tables(), cursor);
      case MEMORY -> encoded.count(optional(spaces.memories(), cursor));
      case TWO_MEMORIES -> two(encoded, spaces.memories(), cursor);
      case ACCESS -> access(encoded, name, cursor);
      case TYPE -> encoded.count(spaces.types().index(cursor.word()));
      case TABLE_AND_TYPE -> indirect(encoded, cursor);
      case HEAP -> encoded.add(spaces.types().heap(cursor.word()));
      case TAG -> encoded.count(spaces.tags().index(cursor.word()));
      case ELEMENTS -> encoded.count(spaces.elements().index(cursor.word()));
      case ELEMENTS_AND_TABLE -> init(encoded, spaces.elements(), spaces.tables(), cursor);
      case DATA -> encoded.count(spaces.data().index(cursor.word()));
      case DATA_AND_MEMORY -> init(encoded, spaces.data(), spaces.memories(), cursor);
      case I32 -> encoded.signed(Lane.of("i32", cursor.word()).bits().intValue());
      case I64 -> encoded.signed(Lane.of("i64", cursor.word()).bits().longValue());
      case F32 -> encoded.bits(Lane.of("f32", cursor.word()).bits(), 32);
      case F64 -> encoded.bits(Lane.of("f64", cursor.word()).bits(), 64);
    };
  }

  private Binary labels(Binary encoded, Cursor cursor) {
    List<Binary> targets = new ArrayList<>();
    while (cursor.nextIsIndex()) {
      targets.add(new Binary().count(label(cursor.word())));
    }
    Binary otherwise = targets.remove(targets.size() - 1);
    return encoded.list(targets).add(otherwise);
  }

  private static int optional(Space space, Cursor cursor) {
    return cursor.nextIsIndex() ? space.index(cursor.word()) : 0;
  }

  private static Binary two(Binary encoded, Space space, Cursor cursor) {
    int first = optional(space, cursor);
    return encoded.count(first).count(optional(space, cursor));
  }

  private Binary indirect(Binary encoded, Cursor cursor) {
    int table = optional(spaces.tables(), cursor);
    return encoded.count(spaces.types().use(cursor).index()).count(table);
  }

  /** The segment comes last in the text, and may stand alone. */
  private static Binary init(Binary encoded, Space segments, Space targets, Cursor cursor) {
    String first = cursor.word();
    if (!cursor.nextIsIndex()) {
      return encoded.count(segments.index(first)).count(0);
    }
    return encoded.count(segments.index(cursor.word())).count(targets.index(first));
  }

  private Binary access(Binary encoded, String name, Cursor cursor) {
    int memory = optional(spaces.memories(), cursor);
    String offset = cursor.takeWord("offset=");
    String align = cursor.takeWord("align=");
    int bytes = align == null ? width(name) : number(align).intValue();
    int log = Integer.numberOfTrailingZeros(bytes);
    encoded.count(memory == 0 ? log : log | 0x40);
    if (memory != 0) {
      encoded.count(memory);
    }
    return encoded.count(offset == null ? BigInteger.ZERO : number(offset));
  }

  private static BigInteger number(String setting) {
    return Lane.of("i64", setting.substring(setting.indexOf('=') + 1)).bits();
  }

  /** The bytes an access such as {@code i64.load8_u} takes. */
  private static int width(String name) {
    String narrow = name.replaceFirst("^.*(load|store)", "").replaceFirst("_.*", "");
    return Integer.parseInt(narrow.isEmpty() ? name.substring(1, 3) : narrow) / 8;
  }
}
