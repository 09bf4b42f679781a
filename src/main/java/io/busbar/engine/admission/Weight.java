package io.busbar.engine.admission;

/**
 * How much memory it takes to parse a module, estimated from what it holds: the engine makes
 * objects of every instruction and keeps them.
 */
final class Weight {
  private static final int TYPE = 200;
  private static final int FUNCTION = 400;
  private static final int INSTRUCTION = 72;
  private static final int IMMEDIATE = 12;
  private static final int BLOCK = 300;
  private static final int TARGET = 120;
  private static final int LOCAL = 8;
  private static final int ITEM = 200;
  private static final int ELEMENT = 200;
  private static final int VALUE = 40;
  private static final int LARGEST = 950;

  private long bytes;
  private int largest;

  Weight(int size) {
    bytes = 3L * size;
  }

  void types(int count) {
    bytes += (long) TYPE * count;
  }

  void values(int count) {
    bytes += (long) VALUE * count;
  }

  /** Imports, exports, globals, segments, names. */
  void items(int count) {
    bytes += (long) ITEM * count;
  }

  void elements(int count) {
    bytes += (long) ELEMENT * count;
  }

  void expression(int instructions) {
    bytes += (long) INSTRUCTION * instructions;
  }

  void body(int instructions, int immediates, int blocks, int targets, long locals) {
    bytes += FUNCTION + (long) INSTRUCTION * instructions + (long) IMMEDIATE * immediates;
    bytes += (long) BLOCK * blocks + (long) TARGET * targets + LOCAL * locals;
    largest = Math.max(largest, instructions);
  }

  /** While a function is validated its mistakes are collected. */
  long heap() {
    return bytes + (long) LARGEST * largest;
  }
}
