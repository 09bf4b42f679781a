package io.busbar.engine;

import com.dylibso.chicory.wasm.types.AnnotatedInstruction;
import com.dylibso.chicory.wasm.types.CatchOpCode;
import com.dylibso.chicory.wasm.types.OpCode;
import java.util.ArrayList;
import java.util.List;

/**
 * The stretches of a function: where fuel is paid, and how much for what follows.
 *
 * <p>The costs are wasmtime's: an entered function 1, each instruction 1, and those that make no
 * code of their own 0. What certainly follows is paid ahead as long as nobody can look at the fuel
 * in between, which calls, loops and the end of a function can: behind a conditional that control
 * always leaves by its end, the stretch before it goes on; and what both arms of it cost at least
 * is paid before. So only a trap on the way shows that something was paid ahead.
 */
final class Stretches {
  /** Instructions that all run if the first of them does, or trap on the way. */
  static final class Stretch {
    private final Metering.Mark mark;
    private final int address;
    private int cost;

    private Stretch(Metering.Mark mark, int address, int cost) {
      this.mark = mark;
      this.address = address;
      this.cost = cost;
    }

    Metering.Mark mark() {
      return mark;
    }

    /** Where in the binary its first instruction begins. */
    int address() {
      return address;
    }

    /** Of all its instructions, and of the function where it is the first. */
    int cost() {
      return cost;
    }

    private boolean isNeeded() {
      return cost > 0 || mark != Metering.Mark.CHARGE;
    }
  }

  /** A block that has begun and not ended. */
  private static final class Block {
    final OpCode opcode;
    final Stretch before; // it begins in this one
    final boolean dead; // nothing reaches its beginning
    Stretch then; // of an `if`: the first of each arm
    Stretch otherwise;
    boolean targeted; // a branch goes to its end
    final int looks; // before it began
    int reach; // how many blocks around it are left by branches inside

    Block(OpCode opcode, Stretch before, boolean dead, int looks) {
      this.opcode = opcode;
      this.before = before;
      this.dead = dead;
      this.looks = looks;
    }

    boolean joins() {
      return opcode == OpCode.IF || targeted && opcode != OpCode.LOOP;
    }
  }

  private final List<Stretch> found = new ArrayList<>();
  private final List<Block> blocks = new ArrayList<>(); // innermost last
  private Stretch current;
  private boolean dead; // no instruction here is ever reached
  private int looks; // places so far where somebody can look at the fuel

  private Stretches(int address) {
    begin(Metering.Mark.ENTER, address);
    current.cost = 1;
    blocks.add(new Block(OpCode.BLOCK, current, false, 0));
  }

  /** In the order of their addresses; those that cost nothing only where fuel is looked at. */
  static List<Stretch> of(List<AnnotatedInstruction> instructions) {
    Stretches stretches = new Stretches(instructions.get(0).address());
    for (int i = 0; i < instructions.size(); i++) {
      boolean last = i + 1 == instructions.size();
      stretches.add(instructions.get(i), last ? -1 : instructions.get(i + 1).address());
    }
    return stretches.found.stream().filter(Stretch::isNeeded).toList();
  }

  private void add(AnnotatedInstruction instruction, int next) {
    OpCode opcode = instruction.opcode();
    current.cost += dead || isFree(opcode) ? 0 : 1;
    switch (opcode) {
      case BLOCK, TRY_TABLE, LOOP, IF -> enter(instruction, next);
      case ELSE -> otherwise(next);
      case END -> leave(next);
      case BR_IF, BR_ON_NULL, BR_ON_NON_NULL -> {
        target((int) instruction.operand(0));
        begin(Metering.Mark.CHARGE, next);
      }
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
      case CALL, CALL_INDIRECT, CALL_REF -> {
        looks++;
        begin(Metering.Mark.CHARGE, next);
      }
      case RETURN,
          UNREACHABLE,
          THROW,
          THROW_REF,
          RETURN_CALL,
          RETURN_CALL_INDIRECT,
          RETURN_CALL_REF -> {
        looks++;
        die(next);
      }
      default -> {}
    }
  }

  private static boolean isFree(OpCode opcode) {
    return switch (opcode) {
      case NOP, DROP, BLOCK, LOOP, UNREACHABLE, RETURN, ELSE, END -> true;
      default -> false;
    };
  }

  private void enter(AnnotatedInstruction instruction, int next) {
    OpCode opcode = instruction.opcode();
    if (opcode == OpCode.LOOP) {
      looks++;
    }
    Block block = new Block(opcode, current, dead, looks);
    blocks.add(block);
    if (opcode == OpCode.LOOP) {
      begin(Metering.Mark.LOOP, next);
    } else if (opcode == OpCode.IF) {
      begin(Metering.Mark.CHARGE, next);
      block.then = current;
    } else if (opcode == OpCode.TRY_TABLE) {
      for (CatchOpCode.Catch clause : instruction.catches()) {
        target(clause.label() + 1); // it counts from outside, where this block is not yet
      }
    }
  }

  private void otherwise(int next) {
    Block block = block(0);
    dead = block.dead;
    begin(Metering.Mark.CHARGE, next);
    block.otherwise = current;
  }

  private void leave(int next) {
    Block block = blocks.remove(blocks.size() - 1);
    if (block.otherwise != null) {
      payAhead(block);
    }
    if (!blocks.isEmpty()) {
      block(0).reach = Math.max(block(0).reach, block.reach - 1);
    }
    if (isCalm(block)) {
      current = block.before;
      dead = block.dead;
    } else if (block.joins()) {
      dead = block.dead;
      begin(Metering.Mark.CHARGE, next);
    }
  }

  /** What the first stretches of both arms cost at least, the stretch before them pays. */
  private static void payAhead(Block block) {
    int least = Math.min(block.then.cost, block.otherwise.cost);
    block.before.cost += least;
    block.then.cost -= least;
    block.otherwise.cost -= least;
  }

  private Block block(int depth) {
    return blocks.get(blocks.size() - 1 - depth);
  }

  /** A branch leaves so many blocks and goes on behind the next, or at its head if it is a loop. */
  private void target(int depth) {
    block(depth).targeted = true;
    block(0).reach = Math.max(block(0).reach, depth);
  }

  /** Whoever enters it leaves it by its end, and nobody can look meanwhile. */
  private boolean isCalm(Block block) {
    return block.opcode != OpCode.LOOP && block.reach == 0 && block.looks == looks;
  }

  private void die(int next) {
    begin(Metering.Mark.CHARGE, next);
    dead = true;
  }

  private void begin(Metering.Mark mark, int address) {
    current = new Stretch(mark, address, 0);
    if (!dead) {
      found.add(current);
    }
  }
}
