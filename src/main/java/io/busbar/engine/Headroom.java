package io.busbar.engine;

/**
 * Whether a thread has stack left for Java code.
 *
 * <p>A guest can call an import with nearly no stack left. If Java runs out of it while it
 * initialises a class, that class stays unusable in the whole JVM; so the stack is to run out here,
 * where nothing else happens.
 */
public final class Headroom {
  /** Frames of {@link #descend}: together more stack than code of ours or of Vert.x needs. */
  private static final int FRAMES = 2000;

  private Headroom() {}

  /** Throws StackOverflowError where there is not enough. */
  public static void check() {
    descend(FRAMES, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /**
   * Each frame holds eight numbers, which the JIT cannot drop: they are added up on the way back.
   */
  private static long descend(
      int left, long a, long b, long c, long d, long e, long f, long g, long h) {
    if (left == 0) {
      return a;
    }
    long below = descend(left - 1, b + 1, c + 2, d + 3, e + 4, f + 5, g + 6, h + 7, a + 8);
    return below + a + b + c + d + e + f + g + h;
  }
}
