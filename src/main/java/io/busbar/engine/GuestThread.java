package io.busbar.engine;

/** A thread that guests run on: with a stack fit for deep recursion, and the fuel of its guest. */
public final class GuestThread extends Thread {
  Meter meter; // of the metered guest that runs here; only on this thread, like the next
  long fuel; // what that guest has left

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
