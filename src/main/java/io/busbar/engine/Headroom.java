package io.busbar.engine;

/**
 * Whether a thread has stack left for Java code.
 *
 * <p>A guest can call an import with nearly no stack left. If Java runs out of it while it
 * initialises a class, that class stays unusable in the whole JVM; so the stack is to run out here,
 * where nothing else happens.
 */
public final class Headroom {
  /** KiB for a message: more than Vert.x and our own code need. */
  public static final int MESSAGE = 176;

  /** KiB for a Java function, or one of WASI. */
  public static final int FUNCTION = 64;

  /** What a frame of {@link #descend} takes at least, in bytes: once the JIT has compiled it. */
  private static final int FRAME = 88;

  private Headroom() {}

  /** Throws StackOverflowError where less than so many KiB are left; takes 40 ns for each. */
  public static void check(int kib) {
    descend((kib << 10) / FRAME, 0, 0, 0, 0, 0, 0, 0, 0);
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
