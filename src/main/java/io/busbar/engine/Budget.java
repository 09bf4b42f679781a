package io.busbar.engine;

import io.busbar.model.Failure;
import java.util.concurrent.atomic.AtomicLong;

/**
 * So many bytes of the heap, and how many of them are reserved: for any thread, without locks.
 *
 * <p>Budgets lie within each other, a guest's within its user's, that within the node's: what is
 * reserved here is reserved in all of those around it. Bytes are reserved before they are
 * allocated, so the sum of what all guests hold never exceeds the outermost budget.
 */
public final class Budget implements AutoCloseable {
  private static final long CLOSED = -1;

  private final String owner;
  private final long most;
  private final Budget outer; // null: the outermost
  private final Pace pace; // null: as fast as it likes
  private final AtomicLong reserved = new AtomicLong(); // or CLOSED

  private Budget(String owner, long most, Budget outer, Pace pace) {
    this.owner = owner;
    this.most = most;
    this.outer = outer;
    this.pace = pace;
  }

  /** A budget within no other. */
  public static Budget of(String owner, long most) {
    return new Budget(owner, most, null, null);
  }

  /** Without an end: what is reserved is only counted. */
  public static Budget unbounded() {
    return of("nobody", Long.MAX_VALUE);
  }

  /**
   * A budget within this one, to be closed. What it holds may be replaced once in some seconds: who
   * allocates faster waits.
   */
  public Budget within(String owner, long most) {
    return new Budget(owner, most, this, new Pace(most));
  }

  /** What one thing holds of this budget, to be closed with it. */
  public Budget part() {
    return new Budget(owner, Long.MAX_VALUE, this, pace);
  }

  /** Reserves so many bytes more; fails with {@code LIMIT} where they do not fit. */
  public void reserve(long bytes) {
    Budget full = reserveAll(bytes);
    if (full != null) {
      throw Failure.LIMIT.because(
          "%s has no room for %d bytes more: %d of %d are reserved",
          full.owner, bytes, full.reserved(), full.most);
    }
  }

  /** Reserves so many bytes more; false where they do not fit. */
  public boolean tryReserve(long bytes) {
    return reserveAll(bytes) == null;
  }

  /** The budget they do not fit into, and then nothing is reserved; null where they do. */
  private Budget reserveAll(long bytes) {
    if (!fits(reserved.get(), bytes)) {
      return this;
    }
    Budget full = outer == null ? null : outer.reserveAll(bytes);
    if (full == null && !add(bytes)) {
      if (outer != null) {
        outer.release(bytes);
      }
      return this;
    }
    return full;
  }

  private boolean fits(long now, long bytes) {
    return now != CLOSED && bytes <= most - now;
  }

  private boolean add(long bytes) {
    long now = reserved.get();
    while (fits(now, bytes)) {
      if (reserved.compareAndSet(now, now + bytes)) {
        return true;
      }
      now = reserved.get();
    }
    return false;
  }

  /** Before bytes that were reserved are allocated: waits where that is too fast. */
  void pace(long bytes) {
    if (pace != null) {
      pace.await(bytes);
    }
  }

  /** Gives back bytes that were reserved here; does nothing once the budget is closed. */
  public void release(long bytes) {
    long now = reserved.get();
    while (now != CLOSED) {
      if (reserved.compareAndSet(now, now - bytes)) {
        if (outer != null) {
          outer.release(bytes);
        }
        return;
      }
      now = reserved.get();
    }
  }

  /** Bytes that are reserved now; 0 once it is closed. */
  public long reserved() {
    return Math.max(0, reserved.get());
  }

  /** Bytes that may be reserved. */
  public long most() {
    return most;
  }

  /** Gives everything back and reserves no more; again does nothing. */
  @Override
  public void close() {
    long held = reserved.getAndSet(CLOSED);
    if (held > 0 && outer != null) {
      outer.release(held);
    }
  }
}
