package io.busbar.engine;

import static io.busbar.engine.admission.WasmWriter.empty;

import io.busbar.engine.admission.WasmWriter;
import java.util.Random;

/**
 * A valid module of a seed that does nothing but branch: blocks, loops, handlers, switches, calls
 * of all kinds and exceptions, each choice made by a state that the parameter begins with.
 *
 * <p>It never traps, and ends: a global counts loops and calls down, and at zero both return.
 */
final class RandomFlow {
  static final int FUNCTIONS = 4;

  private static final int VOID = 0x40;
  private static final int DEEPEST = 6;
  private static final int STATE = 0; // globals
  private static final int LEFT = 1;

  private final Random random;
  private WasmWriter code;

  RandomFlow(long seed) {
    random = new Random(seed);
  }

  /** Exports {@code run}, of one i32, which calls the functions. */
  byte[] bytes() {
    WasmWriter bodies = empty().u(FUNCTIONS + 1);
    for (int i = 0; i < FUNCTIONS; i++) {
      body(bodies, function());
    }
    body(bodies, entry());
    WasmWriter elements = empty().bytes(1, 0, 0x41, 0, 0x0B, FUNCTIONS);
    for (int i = 0; i < FUNCTIONS; i++) {
      elements.u(i);
    }
    return WasmWriter.module()
        .section(1, 2, 0x60, 0, 0, 0x60, 1, 0x7F, 0)
        .section(3, empty().u(FUNCTIONS + 1).times(FUNCTIONS, 0).u(1))
        .section(4, 1, 0x70, 0, FUNCTIONS)
        .section(13, 1, 0, 0)
        .section(6, 2, 0x7F, 1, 0x41, 0, 0x0B, 0x7F, 1, 0x41, 0, 0x0B)
        .section(7, 1, 3, 'r', 'u', 'n', 0, FUNCTIONS)
        .section(9, elements)
        .section(10, bodies)
        .toBytes();
  }

  private static void body(WasmWriter bodies, WasmWriter body) {
    bodies.u(body.toBytes().length).bytes(body);
  }

  /** All functions one after the other, whatever they throw. */
  private WasmWriter entry() {
    code = empty().bytes(0, 0x20, 0, 0x24, STATE, 0x41, 0xE4, 0, 0x24, LEFT);
    for (int i = 0; i < FUNCTIONS; i++) {
      code.bytes(0x02, VOID, 0x1F, VOID, 1, 2, 0, 0x10, i, 0x0B, 0x0B);
    }
    return code.bytes(0x0B);
  }

  private WasmWriter function() {
    code = empty().bytes(0);
    countDown();
    some(0);
    return code.bytes(0x0B);
  }

  /** Returns where nothing is left. */
  private void countDown() {
    code.bytes(0x23, LEFT, 0x45, 0x04, VOID, 0x0F, 0x0B); // if (left == 0) return
    code.bytes(0x23, LEFT, 0x41, 1, 0x6B, 0x24, LEFT);
  }

  /** A number below, that differs from time to time. */
  private void choice(int below) {
    code.bytes(0x23, STATE, 0x41, 0xED, 0x9C, 0x99, 0x8E, 4, 0x6C, 0x41, 0xB9, 0xE0, 0, 0x6A);
    code.bytes(0x24, STATE, 0x23, STATE, 0x41, 16, 0x76, 0x41, below, 0x70);
  }

  private void some(int depth) {
    int count = random.nextInt(depth > 2 ? 3 : 5);
    for (int i = 0; i < count; i++) {
      one(depth);
    }
  }

  /**
   * @param depth blocks around it, the function itself not counted
   */
  private void one(int depth) {
    switch (random.nextInt(depth < DEEPEST ? 20 : 12)) {
      case 0 -> code.bytes(0x01);
      case 1 -> code.bytes(0x41, 7, 0x1A);
      case 2 -> code.bytes(0x0C, random.nextInt(depth + 1));
      case 3, 4 -> {
        choice(3);
        code.bytes(0x0D, random.nextInt(depth + 1));
      }
      case 5 -> table(depth);
      case 6 -> code.bytes(0x10, random.nextInt(FUNCTIONS));
      case 7 -> {
        choice(FUNCTIONS);
        code.bytes(0x11, 0, 0);
      }
      case 8 -> rarely(0x0F);
      case 9 -> rarely(0x08, 0);
      case 10, 11 -> code.bytes(0x23, STATE, 0x41, 3, 0x6A, 0x24, STATE);
      case 12, 13 -> block(0x02, depth);
      case 14 -> {
        code.bytes(0x03, VOID);
        countDown();
        some(depth + 1);
        code.bytes(0x0B);
      }
      case 15 -> {
        choice(2);
        block(0x04, depth);
      }
      case 16, 17 -> {
        choice(2);
        code.bytes(0x04, VOID);
        some(depth + 1);
        code.bytes(0x05);
        some(depth + 1);
        code.bytes(0x0B);
      }
      default -> {
        code.bytes(0x1F, VOID, 2, 0, 0, random.nextInt(depth + 1), 2, random.nextInt(depth + 1));
        some(depth + 1);
        code.bytes(0x0B);
      }
    }
  }

  private void rarely(int... instruction) {
    choice(4);
    code.bytes(0x45, 0x04, VOID).bytes(instruction).bytes(0x0B);
  }

  private void block(int opcode, int depth) {
    code.bytes(opcode, VOID);
    some(depth + 1);
    code.bytes(0x0B);
  }

  private void table(int depth) {
    choice(4);
    code.bytes(0x0E, 3);
    for (int i = 0; i < 4; i++) {
      code.u(random.nextInt(depth + 1));
    }
  }
}
