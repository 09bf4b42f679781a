package io.busbar;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for something that tells nobody when it happens. */
public final class Until {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);
  private static final long BETWEEN = TimeUnit.MICROSECONDS.toNanos(100);

  private Until() {}

  public static void isTrue(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("it did not come true");
      }
      LockSupport.parkNanos(BETWEEN); // others need the core for what is waited for
    }
  }
}
