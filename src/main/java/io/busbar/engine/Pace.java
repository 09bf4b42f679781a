package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How fast somebody's guests may allocate: so many bytes at once, and as many again in each period.
 *
 * <p>What is allocated and dropped costs the garbage collector time that all guests share; so who
 * allocates too fast waits.
 */
final class Pace {
  private static final long PERIOD = TimeUnit.SECONDS.toNanos(4);

  private final long bytes; // in a period
  private final AtomicLong paid; // nanoTime until which all that was allocated is paid for

  Pace(long bytes) {
    this.bytes = bytes;
    this.paid = new AtomicLong(System.nanoTime() - PERIOD);
  }

  /** Waits until so many bytes may be allocated; interrupted, they were not. */
  void await(long more) {
    long price = (long) ((double) more / bytes * PERIOD);
    long now = System.nanoTime();
    long until = paid.updateAndGet(last -> Math.max(last - now, -PERIOD) + now + price);
    if (until - now > 0) {
      sleep(until - now, price);
    }
  }

  private void sleep(long nanos, long price) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      paid.addAndGet(-price);
      Thread.currentThread().interrupt();
      throw new ChicoryInterruptedException("Thread interrupted");
    }
  }
}
