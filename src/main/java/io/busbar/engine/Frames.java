package io.busbar.engine;

/**
 * What the frames of interpreted functions hold of the heap while calls of one guest run.
 *
 * <p>The thread's stack bounds how many frames there are, but not their locals and operands, which
 * the interpreter keeps on the heap. So their sum is bounded too, and beyond a little it is
 * reserved like everything else; where it does not fit, the stack is exhausted.
 */
final class Frames {
  private static final long MOST = 32L << 20; // bytes: four times the standard stack
  private static final long STEP = 1L << 20; // reserved at once; the first needs no reservation

  private static final long FRAME = 256; // bytes: its objects without what follows
  private static final long PER_LOCAL = 16; // a value, its type and its place
  private static final long PER_BLOCK = 40; // that is open where the next frame begins
  private static final long PER_OPERAND = 2L * Long.BYTES; // the stack grows by doubling

  private final Budget budget;
  private long held; // bytes
  private long granted = STEP;

  Frames(Budget budget) {
    this.budget = budget;
  }

  /** What a frame with so many locals takes, in bytes, about. */
  static long bytes(int locals, int openBlocks) {
    return FRAME + PER_LOCAL * locals + PER_BLOCK * openBlocks;
  }

  /** What so many operands take, in bytes. */
  static long operands(int size) {
    return PER_OPERAND * size;
  }

  /**
   * A frame more; throws StackOverflowError where there is no room.
   *
   * @param bytes what it keeps until {@link #leave}
   * @param operands what lies on the operand stack now, in bytes
   */
  void enter(long bytes, long operands) {
    long wanted = held + bytes + operands;
    while (wanted > granted) {
      if (granted + STEP > MOST || !budget.tryReserve(STEP)) {
        throw new StackOverflowError();
      }
      granted += STEP;
    }
    held += bytes;
  }

  void leave(long bytes) {
    held -= bytes;
  }

  /** Whether more than a little was needed since the last {@link #clear}. */
  boolean isLarge() {
    return granted > STEP;
  }

  /** No call is on the stack any more. */
  void clear() {
    if (isLarge()) {
      budget.release(granted - STEP);
      granted = STEP;
    }
    held = 0;
  }
}
