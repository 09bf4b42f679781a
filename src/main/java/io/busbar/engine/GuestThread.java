package io.busbar.engine;

/** A thread that guests run on: with a stack fit for deep recursion, and the fuel of its guest. */
public final class GuestThread extends Thread {
  Meter meter; // of the metered guest that runs here; this and the rest only on this thread
  long slice; // of its fuel: see Fuel
  long beyond; // the fuel it has beyond the slice

  /** With a stack of so many KiB, which bounds a guest's recursion. */
  public GuestThread(Runnable task, String name, int stackKib) {
    super(null, task, name, (long) stackKib << 10);
    setDaemon(true);
  }

  /** This thread; fails on any other kind, where no metered guest can run. */
  static GuestThread current() {
    if (Thread.currentThread() instanceof GuestThread thread) {
      return thread;
    }
    throw new IllegalStateException("a metered guest runs on a GuestThread only");
  }
}
