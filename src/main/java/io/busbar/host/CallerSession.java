package io.busbar.host;

import io.busbar.engine.Guest;
import io.busbar.model.Caller;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A guest's thread that waits for a callback's answer, and meanwhile runs what the callback asks of
 * the guest.
 */
final class CallerSession {
  private static final int MOST_WAITING = 64;

  private final BlockingQueue<Step> steps = new LinkedBlockingQueue<>();
  private boolean open = true; // guarded by this

  /** Something for the waiting thread: an operation, or the answer it waits for. */
  private interface Step {
    /** True if this was the answer. */
    boolean take(Caller caller, Job<?> job);

    void refuse(WasmException why);
  }

  /** The callback's answer: the first one counts. */
  private final class Answer implements Step {
    private final AsyncResult<List<Object>> result;

    Answer(AsyncResult<List<Object>> result) {
      this.result = result;
    }

    @Override
    public boolean take(Caller caller, Job<?> job) {
      answer = result;
      return true;
    }

    @Override
    public void refuse(WasmException why) {
      // it came too late: nobody waits for it any more
    }
  }

  private record Asked(Operations.Operation operation, Promise<Body> promise) implements Step {
    @Override
    public boolean take(Caller caller, Job<?> job) {
      try {
        promise.tryComplete(operation.on(() -> caller, job));
      } catch (Throwable e) {
        WasmException verdict = job.verdict();
        promise.tryFail(verdict == null ? Guest.failure(e) : verdict);
      }
      return false;
    }

    @Override
    public void refuse(WasmException why) {
      promise.tryFail(why);
    }
  }

  private AsyncResult<List<Object>> answer; // only on the waiting thread

  /** Fails with {@code NO_SUCH_CALLER} when it is too late. */
  synchronized void checkOpen() {
    if (!open) {
      throw WasmException.noSuchCaller();
    }
  }

  /** An operation for the waiting guest; fails with {@code NO_SUCH_CALLER} when it is too late. */
  Future<Body> submit(Ask ask, Operations operations) {
    Operations.Operation operation = operations.read(ask);
    synchronized (this) {
      if (!open) {
        throw WasmException.noSuchCaller();
      }
      if (steps.size() >= MOST_WAITING) {
        throw Failure.OVERLOADED.because("%d operations wait for the caller", MOST_WAITING);
      }
      Promise<Body> promise = Promise.promise();
      steps.add(new Asked(operation, promise));
      return promise.future();
    }
  }

  /** The callback has answered, or failed. */
  void answered(AsyncResult<List<Object>> result) {
    steps.add(new Answer(result));
  }

  /** Waits for the answer on the guest's thread; what came with it, or what it failed with. */
  List<Object> await(Caller caller, Job<?> job) throws InterruptedException {
    try {
      while (!steps.take().take(caller, job)) {
        // an operation: the answer is still to come
      }
    } finally {
      close();
    }
    if (answer.failed()) {
      throw Failures.from(answer.cause());
    }
    return answer.result();
  }

  private void close() {
    List<Step> late = new ArrayList<>();
    synchronized (this) {
      open = false;
      steps.drainTo(late);
    }
    late.forEach(step -> step.refuse(WasmException.noSuchCaller()));
  }
}
