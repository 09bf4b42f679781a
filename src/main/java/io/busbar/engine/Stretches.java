package io.busbar.engine;

import com.dylibso.chicory.wasm.types.AnnotatedInstruction;
import com.dylibso.chicory.wasm.types.CatchOpCode;
import com.dylibso.chicory.wasm.types.OpCode;
import java.util.ArrayList;
import java.util.List;

/**
 * The stretches of a function: instructions in a row that are all run if the first of them is, or
 * trap on the way.
 *
 * <p>What they cost is what wasmtime charges: an entered function 1, each instruction 1, and those
 * that make no code of their own 0.
 */
final class Stretches {
  /**
   * One of them.
   *
   * @param address where in the binary its first instruction begins
   * @param cost of all its instructions, and of the function where it is the first
   */
  record Stretch(Metering.Mark mark, int address, int cost) {}

  /** A block that has begun and not ended. */
  private static final class Block {
    final boolean joins; // of an `if`: its end is reached in two ways
    final boolean isLoop;
    final boolean dead; // nothing reaches its beginning
    boolean targeted; // a branch goes to its end

    Block(OpCode opcode, boolean dead) {
      this.joins = opcode == OpCode.IF;
      this.isLoop = opcode == OpCode.LOOP;
      this.dead = dead;
    }
  }

  private final List<Stretch> found = new ArrayList<>();
  private final List<Block> blocks = new ArrayList<>(); // innermost last
  private Metering.Mark mark = Metering.Mark.ENTER;
  private int start;
  private int cost = 1; // to enter the function
  private boolean dead; // no instruction here is ever reached

  private Stretches() {}

  /** In the order of their addresses; those that cost nothing only where fuel is looked at. */
  static List<Stretch> of(List<AnnotatedInstruction> instructions) {
    Stretches stretches = new Stretches();
    stretches.begin(OpCode.BLOCK);
    stretches.start = instructions.get(0).address();
    for (int i = 0; i < instructions.size(); i++) {
      boolean last = i + 1 == instructions.size();
      stretches.add(instructions.get(i), last ? -1 : instructions.get(i + 1).address());
    }
    stretches.split(Metering.Mark.CHARGE, -1);
    return stretches.found;
  }

  private void begin(OpCode opcode) {
    blocks.add(new Block(opcode, dead));
  }

  private Block block(int depth) {
    return blocks.get(blocks.size() - 1 - depth);
  }

  private void add(AnnotatedInstruction instruction, int next) {
    OpCode opcode = instruction.opcode();
    cost += dead || isFree(opcode) ? 0 : 1;
    switch (opcode) {
      case BLOCK, TRY_TABLE -> {
        begin(opcode);
        targetCatches(instruction);
      }
      case LOOP -> {
        begin(opcode);
        split(Metering.Mark.LOOP, next);
      }
      case IF -> {
        begin(opcode);
        split(Metering.Mark.CHARGE, next);
      }
      case ELSE -> {
        split(Metering.Mark.CHARGE, next);
        dead = block(0).dead;
      }
      case END -> end(next);
      case BR_IF, BR_ON_NULL, BR_ON_NON_NULL -> {
        target((int) instruction.operand(0));
        split(Metering.Mark.CHARGE, next);
      }
      case CALL, CALL_INDIRECT, CALL_REF -> split(Metering.Mark.CHARGE, next);
      case BR -> {
        target((int) instruction.operand(0));
        die(next);
      }
      case BR_TABLE -> {
        for (int i = 0; i < instruction.operandCount(); i++) {
          target((int) instruction.operand(i));
        }
        die(next);
      }
      case RETURN,
          UNREACHABLE,
          THROW,
          THROW_REF,
          RETURN_CALL,
          RETURN_CALL_INDIRECT,
          RETURN_CALL_REF ->
          die(next);
      default -> {}
    }
  }

  private static boolean isFree(OpCode opcode) {
    return switch (opcode) {
      case NOP, DROP, BLOCK, LOOP, UNREACHABLE, RETURN, ELSE, END -> true;
      default -> false;
    };
  }

  private void end(int next) {
    Block block = blocks.remove(blocks.size() - 1);
    if (block.joins || block.targeted && !block.isLoop) {
      split(Metering.Mark.CHARGE, next);
      dead = block.dead;
    }
  }

  /** A branch leaves so many blocks and goes on behind the next, or at its head if it is a loop. */
  private void target(int depth) {
    block(depth).targeted = true;
  }

  private void targetCatches(AnnotatedInstruction instruction) {
    if (instruction.opcode() == OpCode.TRY_TABLE) {
      for (CatchOpCode.Catch clause : instruction.catches()) {
        target(clause.label() + 1); // it counts from outside, where the new block is not yet
      }
    }
  }

  private void die(int next) {
    split(Metering.Mark.CHARGE, next);
    dead = true;
  }

  private void split(Metering.Mark following, int next) {
    if (!dead && (cost > 0 || mark != Metering.Mark.CHARGE)) {
      found.add(new Stretch(mark, start, cost));
    }
    mark = following;
    start = next;
    cost = 0;
  }
}
