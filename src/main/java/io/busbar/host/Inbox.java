package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * What the operations that wait on this node, or run, take of its heap together: so much at most.
 */
final class Inbox {
  private final long most;
  private final AtomicLong held = new AtomicLong();

  /** With the most bytes. */
  Inbox(long most) {
    this.most = most;
  }

  /**
   * Accepts an operation with this body, until it is answered.
   *
   * @throws io.busbar.model.WasmException {@code OVERLOADED} where there is no room for it
   */
  <T> Future<T> accept(Body body, Supplier<Future<T>> operation) {
    long bytes = body.weight();
    if (held.addAndGet(bytes) > most) {
      held.addAndGet(-bytes);
      throw Failure.OVERLOADED.because(
          "the operations that wait on this node take %d bytes, and this one %d more; it takes at"
              + " most %d",
          held.get(), bytes, most);
    }
    try {
      return operation.get().onComplete(done -> held.addAndGet(-bytes));
    } catch (RuntimeException e) {
      held.addAndGet(-bytes);
      throw e;
    }
  }
}
