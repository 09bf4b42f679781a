package io.busbar.client;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * Large messages to other nodes: few at a time to each, since all messages to a node go through one
 * connection, and small ones would wait behind them.
 *
 * <p>Nobody tells when a message has been written; so one counts as under way until it is answered,
 * but no longer than it should take.
 */
final class Freight {
  /** From so many bytes on a message is a large one. */
  static final long LARGE = 64 << 10;

  /** Bytes of large messages to one node, and of answers to them, that are under way. */
  private static final long MOST = 8 << 20;

  private static final int MOST_WAITING = 256;
  private static final long UNDER_WAY_MILLIS = 250;

  private final Vertx vertx;
  private final Map<String, Line> lines = new ConcurrentHashMap<>(); // by node

  Freight(Vertx vertx) {
    this.vertx = vertx;
  }

  /** What waits for its turn, and how much does not. */
  private static final class Line {
    private final Deque<Load<?>> waiting = new ArrayDeque<>(); // this and the next guarded by this
    private long underWay;
  }

  /** A message, and what sends it, given how long it has waited. */
  private static final class Load<T> {
    private final long bytes;
    private final Function<Duration, Future<T>> sending;
    private final Promise<T> answer = Promise.promise();
    private final AtomicBoolean arrived = new AtomicBoolean();
    private final long since = System.nanoTime();

    Load(long bytes, Function<Duration, Future<T>> sending) {
      this.bytes = bytes;
      this.sending = sending;
    }

    Future<T> send() {
      Future<T> sent;
      try {
        sent = sending.apply(Duration.ofNanos(System.nanoTime() - since));
      } catch (RuntimeException e) {
        sent = Future.failedFuture(e);
      }
      return sent.onComplete(answer);
    }
  }

  /**
   * Sends it in its turn; fails with {@code OVERLOADED} where too many wait already, and with
   * {@code DEADLINE} where its turn does not come in this time: then it has not been sent.
   */
  <T> Future<T> send(
      String node, long bytes, Duration time, Function<Duration, Future<T>> sending) {
    Line line = lines.computeIfAbsent(node, n -> new Line());
    Load<T> load = new Load<>(Math.min(bytes, MOST), sending);
    synchronized (line) {
      if (line.waiting.size() >= MOST_WAITING) {
        return Future.failedFuture(overloaded(node));
      }
      line.waiting.add(load);
    }
    sendNext(line);
    if (isWaiting(line, load)) {
      long timer = vertx.setTimer(Math.max(1, time.toMillis()), late -> giveUp(line, load, time));
      load.answer.future().onComplete(done -> vertx.cancelTimer(timer));
    }
    return load.answer.future();
  }

  private static boolean isWaiting(Line line, Load<?> load) {
    synchronized (line) {
      return line.waiting.contains(load);
    }
  }

  private static void giveUp(Line line, Load<?> load, Duration time) {
    boolean waited;
    synchronized (line) {
      waited = line.waiting.remove(load);
    }
    if (waited) {
      load.answer.fail(
          Failure.DEADLINE
              .because("deadline of %d ms exceeded (never)", time.toMillis())
              .with("ran", "never"));
    }
  }

  private static WasmException overloaded(String node) {
    return Failure.OVERLOADED.because(
        "%d large messages to node `%s` wait already", MOST_WAITING, node);
  }

  /** What fits; one alone always does. */
  private void sendNext(Line line) {
    Load<?> next = take(line);
    while (next != null) {
      Load<?> sent = next;
      vertx.setTimer(UNDER_WAY_MILLIS, later -> arrived(line, sent));
      sent.send().onComplete(done -> arrived(line, sent));
      next = take(line);
    }
  }

  private static Load<?> take(Line line) {
    synchronized (line) {
      Load<?> next = line.waiting.peek();
      if (next == null || line.underWay > 0 && line.underWay + next.bytes > MOST) {
        return null;
      }
      line.underWay += next.bytes;
      return line.waiting.remove();
    }
  }

  private void arrived(Line line, Load<?> load) {
    if (load.arrived.compareAndSet(false, true)) {
      synchronized (line) {
        line.underWay -= load.bytes;
      }
      sendNext(line);
    }
  }
}
