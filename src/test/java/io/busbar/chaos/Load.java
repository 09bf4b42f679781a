package io.busbar.chaos;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Calls at a steady pace, however long the answers take, and what became of each: who waits for the
 * slowest would not see what a fault costs.
 */
final class Load {
  private static final long TICK_MILLIS = 5;
  private static final long LAST_ANSWER_SECONDS = 15;

  private final Target target;
  private final Vertx vertx;
  private final Context context;
  private final Path log;
  private final Map<Long, Call> waiting =
      new LinkedHashMap<>(); // this and the next: on the context
  private final List<Call> done = new ArrayList<>();
  private long started;
  private long timer;
  private long rate;
  private long sent;
  private CountDownLatch last;

  Load(Target target, Path log) {
    this.target = target;
    this.vertx = target.vertx();
    this.context = vertx.getOrCreateContext();
    this.log = log;
  }

  void start(int rate) {
    context.runOnContext(
        now -> {
          this.rate = rate;
          started = System.nanoTime();
          timer = vertx.setPeriodic(TICK_MILLIS, tick -> sendDue());
        });
  }

  private void sendDue() {
    long due = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started) * rate / 1000;
    while (sent < due) {
      send(++sent);
    }
  }

  private void send(long id) {
    long at = System.currentTimeMillis();
    waiting.put(id, new Call(id, target.entrance(id), target.instance(id), at, -1, Call.NONE, ""));
    target
        .call(id)
        .onComplete(
            (answer, e) -> {
              long told = System.currentTimeMillis();
              context.runOnContext(now -> told(id, told, answer, e));
            });
  }

  private void told(long id, long at, Long answer, Throwable e) {
    Call call = waiting.remove(id);
    if (call == null) {
      done.add(new Call(id, "", "", at, at, Call.AGAIN, ""));
    } else if (e != null) {
      done.add(call.told(at, target.outcome(e), String.valueOf(e.getMessage())));
    } else {
      boolean right = answer == Question.answer(id);
      done.add(call.told(at, right ? Call.OK : Call.WRONG, right ? "" : "answer " + answer));
    }
    if (last != null && waiting.isEmpty()) {
      last.countDown();
    }
  }

  /** Sends no more, and writes the log when the last answer is there or will never come. */
  void stop() {
    last = new CountDownLatch(1);
    context.runOnContext(
        now -> {
          vertx.cancelTimer(timer);
          if (waiting.isEmpty()) {
            last.countDown();
          }
        });
    await(last);
    CountDownLatch written = new CountDownLatch(1);
    context.runOnContext(
        now -> {
          write();
          written.countDown();
        });
    await(written);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await(LAST_ANSWER_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void write() {
    done.addAll(waiting.values());
    try {
      Files.write(log, done.stream().map(Call::line).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
