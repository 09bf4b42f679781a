package io.busbar.engine.admission;

import java.util.Arrays;

/**
 * Walks the instructions of functions, one function after the other: blocks close, branches have a
 * target, and what the engine takes more than linear time or memory for stays within the limits.
 *
 * <p>It follows the height of the operand stack, not the types on it.
 */
final class FunctionScan {
  private static final int EMPTY_BLOCK = 0x40;

  private final Bytes in;
  private final Types types;
  private final int[] functions; // their types, imported ones first
  private final Admission.Options options;
  private final Weight weight;

  private long allLocals;
  private long allSteps;
  private long frameSlots;

  private int instructions;
  private int immediates;
  private int blocks;
  private int targets;
  private long steps;
  private int height;
  private int opening; // what the block that is read takes, and leaves
  private int closing;
  private int depth; // open blocks, the function itself included
  private int[] base = new int[64]; // operands below each open block
  private int[] takes = new int[64]; // and those it takes
  private int[] leaves = new int[64]; // and those it leaves
  private int[] inside = new int[64]; // blocks it has had inside so far
  private boolean[] loop = new boolean[64];
  private boolean[] dead = new boolean[64]; // its rest, after a branch that is always taken

  FunctionScan(Bytes in, Types types, int[] functions, Admission.Options options, Weight weight) {
    this.in = in;
    this.types = types;
    this.functions = functions;
    this.options = options;
    this.weight = weight;
  }

  /** Reads the body of a function of this type. */
  void body(int type) {
    long size = in.u32();
    options.check(ModuleLimit.BODY_BYTES, size);
    int outer = in.enter(size, "function body");
    long locals = locals();
    begin();
    push(0, types.results(type), false);
    while (depth > 0) {
      instruction();
    }
    in.leave(outer, "function body");
    weight.body(instructions, immediates, blocks, targets, locals);
    allSteps = options.check(ModuleLimit.ALL_BRANCH_STEPS, allSteps + steps);
    frameSlots += (types.params(type) + locals) * (2L * blocks + targets);
    options.check(ModuleLimit.FRAME_SLOTS, frameSlots);
  }

  private void begin() {
    instructions = 0;
    immediates = 0;
    blocks = 0;
    targets = 0;
    steps = 0;
    height = 0;
    depth = 0;
  }

  private long locals() {
    int groups = in.count("groups of locals");
    long locals = 0;
    for (int i = 0; i < groups; i++) {
      locals += in.u32();
      options.check(ModuleLimit.LOCALS, locals);
      types.value();
    }
    allLocals = options.check(ModuleLimit.ALL_LOCALS, allLocals + locals);
    return locals;
  }

  private void instruction() {
    int offset = in.at();
    int opcode = in.u8();
    options.check(ModuleLimit.INSTRUCTIONS, ++instructions);
    switch (opcode) {
      case 0x00, 0x0F -> die(); // unreachable, return
      case 0x02, 0x03 -> block(opcode == 0x03); // block, loop
      case 0x04 -> { // if
        take(1, offset);
        block(false);
      }
      case 0x05 -> otherwise(offset);
      case 0x08 -> { // throw
        in.u32();
        die();
      }
      case 0x0A -> { // throw_ref
        take(1, offset);
        die();
      }
      case 0x0B -> end();
      case 0x0C -> { // br
        target();
        die();
      }
      case 0x0D, 0xD6 -> { // br_if, br_on_non_null
        take(1, offset);
        target();
      }
      case 0xD5 -> target(); // br_on_null
      case 0x0E -> table(offset);
      case 0x10, 0x12 -> call(function(), opcode == 0x12, offset);
      case 0x11, 0x13 -> { // call_indirect
        take(1, offset);
        call(types.index(), opcode == 0x13, offset);
        in.u32();
      }
      case 0x14, 0x15 -> { // call_ref
        take(1, offset);
        call(types.index(), opcode == 0x15, offset);
      }
      case 0x1F -> handlers();
      case 0xFB -> throw Unsupported.object(in.u32(), offset);
      case 0xFC, 0xFE -> prefixed(opcode, offset);
      case 0xFD -> throw Unsupported.vector(in.u32(), offset);
      default -> plain(Instructions.plain(opcode), opcode, offset);
    }
  }

  private void prefixed(int prefix, int offset) {
    long number = in.u32();
    Instructions.Shape shape = Instructions.prefixed(prefix, number);
    if (shape.immediate() == Instructions.Immediate.NONE_SUCH) {
      throw Unsupported.prefixed(prefix, number, offset);
    }
    simple(shape, offset);
  }

  private void plain(Instructions.Shape shape, int opcode, int offset) {
    if (shape.immediate() == Instructions.Immediate.NONE_SUCH) {
      throw Unsupported.instruction(opcode, offset);
    }
    simple(shape, offset);
  }

  private void simple(Instructions.Shape shape, int offset) {
    immediate(shape.immediate());
    take(shape.takes(), offset);
    leave(shape.leaves());
  }

  private void immediate(Instructions.Immediate immediate) {
    switch (immediate) {
      case NOTHING, NONE_SUCH -> immediates--;
      case INDEX -> in.u32();
      case TWO_INDICES -> {
        in.u32();
        in.u32();
        immediates++;
      }
      case MEMORY_ARGUMENT -> {
        memoryArgument();
        immediates += 2;
      }
      case I32 -> in.s32();
      case I64 -> in.s64();
      case FOUR_BYTES -> in.skip(4, "a number");
      case EIGHT_BYTES -> in.skip(8, "a number");
      case ZERO -> zero();
      case HEAP_TYPE -> types.heapType();
      case TYPES -> typesOfSelect();
    }
    immediates++;
  }

  private void zero() {
    if (in.u8() != 0) {
      throw in.broken("zero byte expected");
    }
  }

  private void typesOfSelect() {
    int count = in.count("types of a select");
    for (int i = 0; i < count; i++) {
      types.value();
    }
    immediates += count;
  }

  /** The alignment, with a bit that says whether a memory is named, and the offset. */
  private void memoryArgument() {
    long flags = in.u32();
    if (flags > 0x7F) {
      throw in.broken("malformed memory argument");
    }
    if ((flags & 0x40) != 0) {
      in.u32();
    }
    in.u32();
  }

  private void take(int count, int offset) {
    int most = height - base[depth - 1];
    if (count > most && !dead[depth - 1]) {
      throw Bytes.broken(
          offset, "type mismatch: %d operands are needed where there are %d", count, most);
    }
    height -= Math.min(count, most);
  }

  private void leave(int count) {
    height += count;
    options.check(ModuleLimit.OPERANDS, height);
  }

  /** What follows up to the end of the block is never reached: it may take what is not there. */
  private void die() {
    height = base[depth - 1];
    dead[depth - 1] = true;
  }

  private void step(long count) {
    steps = options.check(ModuleLimit.BRANCH_STEPS, steps + count);
  }

  /** Opens a block of a type that follows. */
  private void block(boolean isLoop) {
    blockType();
    open(isLoop);
  }

  /** Opens a block with handlers of exceptions, which branch out of it. */
  private void handlers() {
    blockType();
    int count = in.count("handlers");
    for (int i = 0; i < count; i++) {
      handler();
    }
    immediates += 2 * count;
    open(false);
  }

  private void handler() {
    int kind = in.u8();
    if (kind > 3) {
      throw in.broken("malformed handler 0x%02X", kind);
    }
    if (kind < 2) {
      in.u32();
    }
    target();
  }

  private void blockType() {
    int offset = in.at();
    int code = in.peek();
    opening = 0;
    closing = 0;
    if (code == EMPTY_BLOCK) {
      in.u8();
    } else if (code > EMPTY_BLOCK && code < 0x80) {
      types.value();
      closing = 1;
    } else {
      int type = types.known(blockIndex(offset), offset);
      opening = types.params(type);
      closing = types.results(type);
    }
    immediates++;
  }

  /** The engine does not tell some indices from the value types that have the same number. */
  private long blockIndex(int offset) {
    long index = in.s33();
    if (index < 0) {
      throw Bytes.broken(offset, "malformed block type");
    }
    if (index == EMPTY_BLOCK || index >= 0x63 && index <= 0x7F) {
      throw Bytes.broken(
          offset, "a block of type %d is not supported: the engine mistakes it for another", index);
    }
    return index;
  }

  private void open(boolean isLoop) {
    take(opening, in.at());
    inside[depth - 1]++;
    push(opening, closing, isLoop);
  }

  private void push(int takes, int leaves, boolean isLoop) {
    options.check(ModuleLimit.NESTING, depth);
    if (depth == base.length) {
      makeRoom();
    }
    blocks++;
    step(height);
    base[depth] = height;
    this.takes[depth] = takes;
    this.leaves[depth] = leaves;
    inside[depth] = 0;
    loop[depth] = isLoop;
    dead[depth] = false;
    depth++;
    leave(takes);
  }

  private void makeRoom() {
    base = Arrays.copyOf(base, 2 * depth);
    takes = Arrays.copyOf(takes, 2 * depth);
    leaves = Arrays.copyOf(leaves, 2 * depth);
    inside = Arrays.copyOf(inside, 2 * depth);
    loop = Arrays.copyOf(loop, 2 * depth);
    dead = Arrays.copyOf(dead, 2 * depth);
  }

  private void otherwise(int offset) {
    if (depth == 1) {
      throw Bytes.broken(offset, "else without if");
    }
    height = base[depth - 1] + takes[depth - 1];
    dead[depth - 1] = false;
  }

  private void end() {
    depth--;
    if (depth > 0 && loop[depth]) {
      step(inside[depth - 1]);
    }
    height = base[depth];
    leave(leaves[depth]);
  }

  /** A label: how many blocks further out the branch leads. */
  private void target() {
    int offset = in.at();
    long label = in.u32();
    if (label >= depth) {
      throw Bytes.broken(offset, "unknown label %d", label);
    }
    immediates++;
    targets++;
    step(label + 1 + height - base[depth - 1 - (int) label]);
  }

  private void table(int offset) {
    take(1, offset);
    int count = in.count("branch targets", ModuleLimit.BRANCH_TARGETS, options);
    for (int i = 0; i <= count; i++) {
      target();
    }
    die();
  }

  private int function() {
    int offset = in.at();
    long index = in.u32();
    if (index >= functions.length) {
      throw Bytes.broken(offset, "unknown function %d", index);
    }
    immediates++;
    return functions[(int) index];
  }

  private void call(int type, boolean isLast, int offset) {
    take(types.params(type), offset);
    leave(types.results(type));
    if (isLast) {
      die();
    }
  }
}
