package io.busbar.engine;

import io.busbar.model.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Where modules are parsed: a few threads of low priority, as much at a time as the memory set
 * aside for it holds, and queues that end.
 *
 * <p>Small modules have threads of their own, so that they are not kept waiting by large ones; the
 * little they take is not counted. Whatever goes wrong in the work is a failure of that work alone.
 */
final class Workshop implements AutoCloseable {
  private static final int THREADS = 2;
  private static final long SMALL = 4L << 20;

  private final long budget;
  private final int most;
  private final ThreadPoolExecutor small;
  private final ThreadPoolExecutor large;
  private long taken; // guarded by this

  /**
   * @param budget bytes of memory for all modules that are parsed at a time; never more than half
   *     of what the JVM has
   * @param most how many may wait, small ones and large ones each
   */
  Workshop(long budget, int most) {
    this.budget = Math.min(budget, Runtime.getRuntime().maxMemory() / 2);
    this.most = most;
    this.small = threads();
    this.large = threads();
  }

  private ThreadPoolExecutor threads() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(most),
            Compiler::thread);
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** Something to do once there is a thread and room for it. */
  private final class Job<T> implements Runnable {
    final CompletableFuture<T> result = new CompletableFuture<>();
    final long heap;
    final Supplier<T> work;

    Job(long heap, Supplier<T> work) {
      this.heap = heap;
      this.work = work;
    }

    @Override
    public void run() {
      try {
        take(heap);
        try {
          result.complete(work.get());
        } finally {
          give(heap);
        }
      } catch (Throwable e) {
        result.completeExceptionally(Traps.parsing(e));
      }
    }

    void cancel() {
      result.completeExceptionally(closing());
    }
  }

  /**
   * Does this work, which takes about so many bytes of memory; the result fails with a {@link
   * io.busbar.model.WasmException} only: {@code TOO_LARGE}, {@code OVERLOADED}, {@code UNAVAILABLE}
   * or what {@link Traps#parsing} makes of it.
   */
  <T> CompletableFuture<T> submit(long heap, Supplier<T> work) {
    if (heap > budget) {
      return CompletableFuture.failedFuture(
          Failure.TOO_LARGE.because(
              "module limit `parseBytes`: parsing it takes about %d bytes of memory, at most %d",
              heap, budget));
    }
    boolean isSmall = heap <= SMALL;
    Job<T> job = new Job<>(isSmall ? 0 : heap, work);
    try {
      (isSmall ? small : large).execute(job);
      return job.result;
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(
          small.isShutdown()
              ? closing()
              : Failure.OVERLOADED.because("%d modules wait to be parsed on this node", most));
    }
  }

  private static RuntimeException closing() {
    return Failure.UNAVAILABLE.because("the node is closing");
  }

  private synchronized void take(long heap) throws InterruptedException {
    while (taken + heap > budget) {
      wait();
    }
    taken += heap;
  }

  private synchronized void give(long heap) {
    taken -= heap;
    notifyAll();
  }

  /** What waits fails with {@code UNAVAILABLE}; what runs is interrupted. */
  @Override
  public void close() {
    List<Runnable> waiting = new ArrayList<>(small.shutdownNow());
    waiting.addAll(large.shutdownNow());
    waiting.forEach(job -> ((Job<?>) job).cancel());
  }
}
