package io.busbar.cluster;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The threads on which this room waits for the shared maps; they end with the Vert.x. */
final class Work {
  private static final System.Logger LOG = System.getLogger(Work.class.getName());
  private static final int THREADS = 16;

  private final WorkerExecutor threads;

  Work(Vertx vertx) {
    this.threads = vertx.createSharedWorkerExecutor("busbar-cluster", THREADS, 1, TimeUnit.MINUTES);
  }

  <T> Future<T> run(Callable<T> work) {
    return threads.executeBlocking(work, false);
  }

  /** A thread for what must not wait for anything else; to be shut down. */
  static ScheduledExecutorService thread(String name) {
    return Executors.newSingleThreadScheduledExecutor(
        task -> {
          Thread made = new Thread(task, name);
          made.setDaemon(true);
          return made;
        });
  }

  /** Does something again and again there, whatever comes of it. */
  static void repeat(ScheduledExecutorService thread, Runnable task, long nanos) {
    thread.scheduleWithFixedDelay(() -> quietly(task), nanos, nanos, TimeUnit.NANOSECONDS);
  }

  /** Does something that will be done again: what goes wrong is logged. */
  static void quietly(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "to be tried again: {0}", e.toString());
    }
  }
}
