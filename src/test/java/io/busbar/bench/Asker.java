package io.busbar.bench;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxInternal;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Asks from one event loop, with a number of questions in flight until all are answered. */
final class Asker {
  private final Context context;
  private final Supplier<Future<?>> question;
  private CompletableFuture<Void> done; // handed over by the context, like the rest
  private int unasked;
  private int unanswered;

  /** On an event loop of its own, not on that of {@code answerer}. */
  Asker(Vertx vertx, Thread answerer, Supplier<Future<?>> question) {
    this(contextBeside(vertx, answerer), question);
  }

  /** On the event loop of this context. */
  Asker(Context context, Supplier<Future<?>> question) {
    this.context = context;
    this.question = question;
  }

  private static Context contextBeside(Vertx vertx, Thread answerer) {
    Context context;
    do {
      context = ((VertxInternal) vertx).createEventLoopContext();
    } while (thread(context) == answerer);
    return context;
  }

  private static Thread thread(Context context) {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    context.runOnContext(run -> thread.complete(Thread.currentThread()));
    return thread.join();
  }

  /** Asks {@code questions} times; fails with the first failure. */
  void ask(int questions, int inFlight) {
    CompletableFuture<Void> all = new CompletableFuture<>();
    context.runOnContext(
        run -> {
          done = all;
          unasked = questions;
          unanswered = questions;
          for (int i = 0; i < inFlight; i++) {
            next();
          }
        });
    all.join();
  }

  private void next() {
    if (unasked > 0) {
      unasked--;
      question.get().onComplete(answer -> answered(), done::completeExceptionally);
    }
  }

  private void answered() {
    if (--unanswered == 0) {
      done.complete(null);
    } else {
      next();
    }
  }
}
