package io.busbar.cluster;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** The threads on which this room waits for the shared maps; they end with the Vert.x. */
final class Work {
  private static final int THREADS = 8;

  private final WorkerExecutor threads;

  Work(Vertx vertx) {
    this.threads = vertx.createSharedWorkerExecutor("busbar-cluster", THREADS, 1, TimeUnit.MINUTES);
  }

  <T> Future<T> run(Callable<T> work) {
    return threads.executeBlocking(work, false);
  }
}
