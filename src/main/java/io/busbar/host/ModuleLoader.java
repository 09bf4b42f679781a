package io.busbar.host;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Reads and compiles modules off the event loops, so many at once as this node can take. */
final class ModuleLoader {
  private static final int MOST_WAITING = 64;

  private final Vertx vertx;
  private final Compiler compiler;
  private final WorkerExecutor blocking;
  private final int mostBytes;
  private final Set<Promise<?>> unanswered = ConcurrentHashMap.newKeySet();
  private final AtomicInteger waiting = new AtomicInteger();
  private volatile boolean closed;

  /** With the largest module that is taken. */
  ModuleLoader(Vertx vertx, Compiler compiler, WorkerExecutor blocking, int mostBytes) {
    this.vertx = vertx;
    this.compiler = compiler;
    this.blocking = blocking;
    this.mostBytes = mostBytes;
  }

  /** Off the event loop; fails at once with {@code OVERLOADED} where too much waits already. */
  <T> Future<T> blocking(Callable<T> work) {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      throw Failure.OVERLOADED.because("%d operations on modules wait on this node", MOST_WAITING);
    }
    return blockingAlways(work).onComplete(done -> waiting.decrementAndGet());
  }

  /** Off the event loop, however much waits: what an instance has used must be given back. */
  <T> Future<T> blockingAlways(Callable<T> work) {
    Promise<T> answer = Promise.promise();
    unanswered.add(answer);
    if (closed) {
      close();
    } else {
      blocking.executeBlocking(work, false).onComplete(answer::tryComplete, answer::tryFail);
    }
    return answer.future().onComplete(done -> unanswered.remove(answer));
  }

  /** The threads are gone: what waited for one is answered with {@code UNAVAILABLE}. */
  void close() {
    closed = true;
    unanswered.forEach(
        answer -> answer.tryFail(Failure.UNAVAILABLE.because("the node is closing")));
  }

  /** A module in memory, which whoever asked for it uses until it is released, and its binary. */
  record Loaded(CompiledModule module, byte[] wasm) {}

  /** The same while it is parsed. */
  private record Loading(CompletableFuture<CompiledModule> module, byte[] wasm) {}

  /** Parses on the compiler's threads: this room's are for what does not take long. */
  Future<Loaded> load(Callable<byte[]> binary, boolean metered) {
    Callable<Loading> load =
        () -> {
          byte[] wasm = binary.call();
          return new Loading(compiler.loading(wasm, metered), wasm);
        };
    return blocking(load)
        .compose(loading -> future(loading.module).map(module -> new Loaded(module, loading.wasm)));
  }

  /** The same for what somebody brings along, which may be text. */
  Future<Loaded> load(byte[] wasmOrText, boolean metered) {
    checkSize(wasmOrText);
    return blocking(() -> compiler.binary(wasmOrText))
        .compose(this::future)
        .compose(wasm -> load(() -> wasm, metered));
  }

  private <T> Future<T> future(CompletableFuture<T> stage) {
    return Future.fromCompletionStage(stage, vertx.getOrCreateContext());
  }

  /** Does something with a module that was loaded, and releases it. */
  <T> Future<T> using(CompiledModule module, Callable<T> work) {
    return Future.succeededFuture()
        .compose(loaded -> blocking(work))
        .onComplete(done -> compiler.release(module));
  }

  private void checkSize(byte[] bytes) {
    if (bytes.length > mostBytes) {
      throw Failure.TOO_LARGE.because(
          "a module of %d bytes; this node takes at most %d", bytes.length, mostBytes);
    }
  }

  /** What was loaded is not used by who asked for it any more. */
  void release(CompiledModule module) {
    compiler.release(module);
  }

  /** Nobody can ask for it any more. */
  void forget(ModuleId id) {
    compiler.forget(id);
  }
}
