package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;

/**
 * What metered code pays with: called by generated classes, and by the interpreter, on the thread
 * of the guest.
 *
 * <p>The fuel of the running guest lies in its thread: the cheapest place that is the same for all
 * parts of a guest. It is handed out in slices, and whenever one is used up, the thread looks for
 * an interrupt too: so metered code needs no other look. A slice may fall below zero until it is
 * looked at, where it borrows from the next.
 */
public final class Fuel {
  private static final long SLICE = 1 << 16;

  private Fuel() {}

  /** The instructions up to the next branch, call or label. */
  public static void charge(int cost) {
    ((GuestThread) Thread.currentThread()).slice -= cost;
  }

  /** The same at the head of a loop: fails where no fuel is left. */
  public static void loop(int cost) {
    GuestThread thread = (GuestThread) Thread.currentThread();
    long left = thread.slice;
    if (left <= 0) {
      left = look(thread, 0);
    }
    thread.slice = left - cost;
  }

  /** The same at the entry of a function, which costs one itself: it must leave something. */
  public static void enter(int cost) {
    GuestThread thread = (GuestThread) Thread.currentThread();
    long left = thread.slice;
    if (left <= 1) {
      left = look(thread, 1);
    }
    thread.slice = left - cost;
  }

  /** The next slice; fails where no more than {@code least} is left, or the thread is to stop. */
  private static long look(GuestThread thread, long least) {
    checkInterrupt();
    long left = left(thread);
    if (left <= least) {
      fill(thread, 0);
      throw new OutOfFuelException();
    }
    fill(thread, left);
    return thread.slice;
  }

  static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new ChicoryInterruptedException("Thread interrupted");
    }
  }

  /** What the guest on this thread has left; below zero where it has used more than it had. */
  static long left(GuestThread thread) {
    return thread.slice + thread.beyond;
  }

  /** From now on the guest on this thread has this much. */
  static void fill(GuestThread thread, long fuel) {
    thread.slice = Math.min(fuel, SLICE);
    thread.beyond = fuel - thread.slice;
  }
}
