package io.busbar.engine.admission;

/**
 * What follows an instruction's opcode, and what it does to the height of the operand stack, for
 * those that do not touch control flow.
 */
final class Instructions {
  /** What follows the opcode. */
  enum Immediate {
    /** The engine has no such instruction, or it is one of control flow. */
    NONE_SUCH,
    NOTHING,
    INDEX,
    TWO_INDICES,
    MEMORY_ARGUMENT,
    I32,
    I64,
    FOUR_BYTES,
    EIGHT_BYTES,
    ZERO,
    HEAP_TYPE,
    TYPES
  }

  /** One instruction: how many operands it takes, and how many it leaves. */
  record Shape(Immediate immediate, int takes, int leaves) {}

  private static final Shape NONE_SUCH = new Shape(Immediate.NONE_SUCH, 0, 0);
  private static final Shape[] PLAIN = new Shape[0x100];
  private static final Shape[] AFTER_FC = new Shape[0x12];
  private static final Shape[] AFTER_FE = new Shape[0x4F];

  private Instructions() {}

  static {
    java.util.Arrays.fill(PLAIN, NONE_SUCH);
    java.util.Arrays.fill(AFTER_FE, NONE_SUCH);
    fillVariables();
    fillNumbers();
    fillBulk();
    fillAtomics();
  }

  private static void set(Shape[] table, int from, int to, Immediate next, int takes, int leaves) {
    java.util.Arrays.fill(table, from, to + 1, new Shape(next, takes, leaves));
  }

  private static void plain(int from, int to, Immediate next, int takes, int leaves) {
    set(PLAIN, from, to, next, takes, leaves);
  }

  private static void fillVariables() {
    plain(0x01, 0x01, Immediate.NOTHING, 0, 0); // nop
    plain(0x1A, 0x1A, Immediate.NOTHING, 1, 0); // drop
    plain(0x1B, 0x1B, Immediate.NOTHING, 3, 1); // select
    plain(0x1C, 0x1C, Immediate.TYPES, 3, 1); // select with a type
    plain(0x20, 0x20, Immediate.INDEX, 0, 1); // local.get
    plain(0x21, 0x21, Immediate.INDEX, 1, 0); // local.set
    plain(0x22, 0x22, Immediate.INDEX, 1, 1); // local.tee
    plain(0x23, 0x23, Immediate.INDEX, 0, 1); // global.get
    plain(0x24, 0x24, Immediate.INDEX, 1, 0); // global.set
    plain(0x25, 0x25, Immediate.INDEX, 1, 1); // table.get
    plain(0x26, 0x26, Immediate.INDEX, 2, 0); // table.set
    plain(0xD0, 0xD0, Immediate.HEAP_TYPE, 0, 1); // ref.null
    plain(0xD1, 0xD1, Immediate.NOTHING, 1, 1); // ref.is_null
    plain(0xD2, 0xD2, Immediate.INDEX, 0, 1); // ref.func
    plain(0xD4, 0xD4, Immediate.NOTHING, 1, 1); // ref.as_non_null
  }

  private static void fillNumbers() {
    plain(0x28, 0x35, Immediate.MEMORY_ARGUMENT, 1, 1); // loads
    plain(0x36, 0x3E, Immediate.MEMORY_ARGUMENT, 2, 0); // stores
    plain(0x3F, 0x3F, Immediate.INDEX, 0, 1); // memory.size
    plain(0x40, 0x40, Immediate.INDEX, 1, 1); // memory.grow
    plain(0x41, 0x41, Immediate.I32, 0, 1);
    plain(0x42, 0x42, Immediate.I64, 0, 1);
    plain(0x43, 0x43, Immediate.FOUR_BYTES, 0, 1);
    plain(0x44, 0x44, Immediate.EIGHT_BYTES, 0, 1);
    plain(0x45, 0xC4, Immediate.NOTHING, 1, 1); // tests, conversions, and those of one operand
    plain(0x46, 0x4F, Immediate.NOTHING, 2, 1); // i32 comparisons
    plain(0x51, 0x66, Immediate.NOTHING, 2, 1); // i64, f32 and f64 comparisons
    plain(0x6A, 0x78, Immediate.NOTHING, 2, 1); // i32.add to i32.rotr
    plain(0x7C, 0x8A, Immediate.NOTHING, 2, 1); // i64.add to i64.rotr
    plain(0x92, 0x98, Immediate.NOTHING, 2, 1); // f32.add to f32.copysign
    plain(0xA0, 0xA6, Immediate.NOTHING, 2, 1); // f64.add to f64.copysign
  }

  private static void fillBulk() {
    set(AFTER_FC, 0x00, 0x07, Immediate.NOTHING, 1, 1); // saturating conversions
    set(AFTER_FC, 0x08, 0x08, Immediate.TWO_INDICES, 3, 0); // memory.init
    set(AFTER_FC, 0x09, 0x09, Immediate.INDEX, 0, 0); // data.drop
    set(AFTER_FC, 0x0A, 0x0A, Immediate.TWO_INDICES, 3, 0); // memory.copy
    set(AFTER_FC, 0x0B, 0x0B, Immediate.INDEX, 3, 0); // memory.fill
    set(AFTER_FC, 0x0C, 0x0C, Immediate.TWO_INDICES, 3, 0); // table.init
    set(AFTER_FC, 0x0D, 0x0D, Immediate.INDEX, 0, 0); // elem.drop
    set(AFTER_FC, 0x0E, 0x0E, Immediate.TWO_INDICES, 3, 0); // table.copy
    set(AFTER_FC, 0x0F, 0x0F, Immediate.INDEX, 2, 1); // table.grow
    set(AFTER_FC, 0x10, 0x10, Immediate.INDEX, 0, 1); // table.size
    set(AFTER_FC, 0x11, 0x11, Immediate.INDEX, 3, 0); // table.fill
  }

  private static void fillAtomics() {
    set(AFTER_FE, 0x00, 0x00, Immediate.MEMORY_ARGUMENT, 2, 1); // memory.atomic.notify
    set(AFTER_FE, 0x01, 0x02, Immediate.MEMORY_ARGUMENT, 3, 1); // memory.atomic.wait
    set(AFTER_FE, 0x03, 0x03, Immediate.ZERO, 0, 0); // atomic.fence
    set(AFTER_FE, 0x10, 0x16, Immediate.MEMORY_ARGUMENT, 1, 1); // loads
    set(AFTER_FE, 0x17, 0x1D, Immediate.MEMORY_ARGUMENT, 2, 0); // stores
    set(AFTER_FE, 0x1E, 0x47, Immediate.MEMORY_ARGUMENT, 2, 1); // read, change and write
    set(AFTER_FE, 0x48, 0x4E, Immediate.MEMORY_ARGUMENT, 3, 1); // compare and exchange
  }

  static Shape plain(int opcode) {
    return PLAIN[opcode];
  }

  /** The instruction of this number after the prefix {@code 0xFC} or {@code 0xFE}. */
  static Shape prefixed(int prefix, long number) {
    Shape[] table = prefix == 0xFC ? AFTER_FC : AFTER_FE;
    return number < table.length ? table[(int) number] : NONE_SUCH;
  }
}
