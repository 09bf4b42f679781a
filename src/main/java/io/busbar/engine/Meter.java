package io.busbar.engine;

/**
 * The fuel of one metered guest, its links included.
 *
 * <p>While the guest runs its fuel lies in its thread, where {@link Fuel} takes it from. Touched by
 * the guest's thread alone; others may ask what was left, and used, when the last operation ended.
 */
final class Meter {
  private volatile long left;
  private volatile long used;
  private Meter outer; // of the guest that waits on the same thread
  private GuestThread thread; // null while the guest does not run
  private boolean capped;
  private long reserve; // what this operation may not touch
  private long usedBefore; // this run
  private long since; // the fuel of the thread when it was last counted

  Meter(long fuel) {
    this.left = fuel;
  }

  /** What is left, as of the last operation for other threads. */
  long left() {
    return isRunningHere() ? Math.max(0, Fuel.left(thread)) + reserve : left;
  }

  /** What all operations together have used, as of the last one. */
  long used() {
    return used;
  }

  /** From now on this much is left. */
  void set(long fuel) {
    if (!isRunningHere()) {
      left = fuel;
      return;
    }
    Fuel.checkInterrupt(); // who is refuelled for ever would never look for one
    count();
    long usable = capped ? Math.min(fuel, Math.max(0, Fuel.left(thread))) : fuel;
    reserve = fuel - usable;
    fill(usable);
  }

  private boolean isRunningHere() {
    return thread == Thread.currentThread();
  }

  /** The guest begins to run on this thread, and may use at most so much of what it has. */
  void begin(long most) {
    GuestThread current = GuestThread.current();
    outer = current.meter;
    if (outer != null) {
      outer.left = Fuel.left(current);
    }
    thread = current;
    capped = most < left;
    reserve = capped ? left - most : 0;
    usedBefore = used;
    thread.meter = this;
    fill(left - reserve);
  }

  private void fill(long fuel) {
    Fuel.fill(thread, fuel);
    since = fuel;
  }

  /** It has ended, one way or another; what it has used meanwhile. */
  long end() {
    count();
    long usedNow = used - usedBefore;
    left = Math.max(0, Fuel.left(thread)) + reserve;
    thread.meter = outer;
    Fuel.fill(thread, outer == null ? 0 : outer.left);
    thread = null;
    outer = null;
    return usedNow;
  }

  private void count() {
    used += since - Math.max(0, Fuel.left(thread));
  }
}
