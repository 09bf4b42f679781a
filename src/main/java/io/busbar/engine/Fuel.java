package io.busbar.engine;

/**
 * What metered code pays with: called by generated classes, and by the interpreter, on the thread
 * of the guest.
 *
 * <p>The fuel of the running guest lies in a field of its thread: the cheapest place that is the
 * same for all parts of a guest. It may fall below zero between two looks at it, which means zero.
 */
public final class Fuel {
  private Fuel() {}

  /** The instructions up to the next branch, call or label. */
  public static void charge(int cost) {
    ((GuestThread) Thread.currentThread()).fuel -= cost;
  }

  /** The same at the head of a loop: fails where no fuel is left. */
  public static void loop(int cost) {
    GuestThread thread = (GuestThread) Thread.currentThread();
    long left = thread.fuel;
    if (left <= 0) {
      throw exhausted(thread);
    }
    thread.fuel = left - cost;
  }

  /** The same at the entry of a function, which costs one itself: it must leave something. */
  public static void enter(int cost) {
    GuestThread thread = (GuestThread) Thread.currentThread();
    long left = thread.fuel;
    if (left <= 1) {
      throw exhausted(thread);
    }
    thread.fuel = left - cost;
  }

  private static OutOfFuelException exhausted(GuestThread thread) {
    thread.fuel = 0;
    return new OutOfFuelException();
  }
}
