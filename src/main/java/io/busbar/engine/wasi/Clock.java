package io.busbar.engine.wasi;

import java.util.concurrent.TimeUnit;

/** Time as guests see it: in whole milliseconds, too coarse to watch others by. */
final class Clock {
  /** Nanoseconds. */
  static final long RESOLUTION = TimeUnit.MILLISECONDS.toNanos(1);

  private static final int REALTIME = 0;
  private static final int LAST = 3; // 1 to 3: since the guest was started

  private final long started = System.nanoTime() - RESOLUTION; // never 0

  /** The time of a clock, in nanoseconds. */
  long now(int clock) throws Errno.Thrown {
    if (clock < REALTIME || clock > LAST) {
      throw Errno.INVAL.thrown();
    }
    return clock == REALTIME
        ? TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis())
        : (System.nanoTime() - started) / RESOLUTION * RESOLUTION;
  }
}
