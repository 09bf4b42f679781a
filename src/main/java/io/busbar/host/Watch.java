package io.busbar.host;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A thread that looks every few milliseconds whether something is due, and sleeps when idle. */
final class Watch implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Watch.class.getName());
  private static final long TICK = Duration.ofMillis(5).toNanos();
  private static final int IDLE_TICKS = 200; // then it waits to be woken

  private final BooleanSupplier tick;
  private final Thread thread = new Thread(this::run, "busbar-watch");
  private volatile boolean asleep;
  private volatile boolean closed;

  /** With what is done at each tick, and tells whether there is anything to look after. */
  Watch(BooleanSupplier tick) {
    this.tick = tick;
    thread.setDaemon(true);
    thread.setPriority(Thread.MAX_PRIORITY);
    thread.start();
  }

  private void run() {
    int idle = 0;
    while (!closed) {
      idle = isNeeded() ? 0 : idle + 1;
      if (idle < IDLE_TICKS) {
        LockSupport.parkNanos(TICK);
      } else {
        sleep();
        idle = 0;
      }
    }
  }

  /** Whoever makes work sets it first and looks at {@code asleep} then, so no wake-up is missed. */
  private void sleep() {
    asleep = true;
    if (!isNeeded() && !closed) {
      LockSupport.park(this);
    }
    asleep = false;
  }

  private boolean isNeeded() {
    try {
      return tick.getAsBoolean();
    } catch (RuntimeException | Error e) {
      LOG.log(System.Logger.Level.ERROR, "the watch failed", e);
      return true;
    }
  }

  /** There is something to look after. */
  void wake() {
    if (asleep) {
      LockSupport.unpark(thread);
    }
  }

  /** Whether it waits to be woken. */
  boolean isAsleep() {
    return asleep;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
