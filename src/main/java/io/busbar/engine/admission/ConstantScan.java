package io.busbar.engine.admission;

/** Walks a constant expression: an initial value, or where a segment goes. */
final class ConstantScan {
  private static final int END = 0x0B;
  private static final int VECTOR_CONSTANT = 12;

  private final Bytes in;
  private final Types types;
  private final Admission.Options options;
  private final Weight weight;

  ConstantScan(Bytes in, Types types, Admission.Options options, Weight weight) {
    this.in = in;
    this.types = types;
    this.options = options;
    this.weight = weight;
  }

  /** Reads it up to its end. */
  void expression() {
    int instructions = 0;
    while (instruction()) {
      options.check(ModuleLimit.INSTRUCTIONS, ++instructions);
    }
    weight.expression(instructions);
  }

  /** False at its end. */
  private boolean instruction() {
    int offset = in.at();
    int opcode = in.u8();
    switch (opcode) {
      case END -> {
        return false;
      }
      case 0x23, 0xD2 -> in.u32(); // global.get, ref.func
      case 0x41 -> in.s32();
      case 0x42 -> in.s64();
      case 0x43 -> in.skip(4, "a number");
      case 0x44 -> in.skip(8, "a number");
      case 0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E -> {} // add, sub and mul of i32 and i64
      case 0xD0 -> types.heapType(); // ref.null
      case 0xFB -> throw Unsupported.object(in.u32(), offset);
      case 0xFD -> vector(offset);
      default ->
          throw Bytes.broken(offset, "constant expression required, not opcode 0x%02X", opcode);
    }
    return true;
  }

  private void vector(int offset) {
    long number = in.u32();
    if (number != VECTOR_CONSTANT) {
      throw Unsupported.vector(number, offset);
    }
    in.skip(16, "a v128");
  }
}
