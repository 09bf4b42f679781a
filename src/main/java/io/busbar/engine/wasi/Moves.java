package io.busbar.engine.wasi;

import java.io.IOException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps renames apart from lookups in real directories, so that no guest moves a link to where
 * another has just seen a directory.
 */
final class Moves {
  private static final ReadWriteLock LOCK = new ReentrantReadWriteLock(); // of all guests here

  private final boolean real;

  /** For a guest that has real directories, or none. */
  Moves(boolean real) {
    this.real = real;
  }

  /** A function that looks up a path and uses what it finds. */
  Table.Function lookup(Table.Function function) {
    return real ? call -> run(LOCK.readLock(), function, call) : function;
  }

  /** A function that renames. */
  Table.Function move(Table.Function function) {
    return real ? call -> run(LOCK.writeLock(), function, call) : function;
  }

  private static void run(Lock lock, Table.Function function, WasiCall call)
      throws Errno.Thrown, IOException, InterruptedException {
    lock.lockInterruptibly();
    try {
      function.run(call);
    } finally {
      lock.unlock();
    }
  }
}
