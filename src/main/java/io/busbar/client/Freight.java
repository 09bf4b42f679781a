package io.busbar.client;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Large messages to other nodes: few at a time to each, since all messages to a node go through one
 * connection, and small ones would wait behind them.
 */
final class Freight {
  /** From so many bytes on a message is a large one. */
  static final long LARGE = 64 << 10;

  /** Bytes of large messages to one node, and of answers to them, that are under way. */
  private static final long MOST = 8 << 20;

  private static final int MOST_WAITING = 256;

  private final Map<String, Line> lines = new ConcurrentHashMap<>(); // by node

  /** What waits for its turn, and how much does not. */
  private static final class Line {
    private final Deque<Load<?>> waiting = new ArrayDeque<>(); // this and the next guarded by this
    private long underWay;
  }

  private record Load<T>(long bytes, Supplier<Future<T>> sending, Promise<T> answer) {
    void send() {
      Future<T> sent;
      try {
        sent = sending.get();
      } catch (RuntimeException e) {
        sent = Future.failedFuture(e);
      }
      sent.onComplete(answer);
    }
  }

  /** Sends it in its turn; fails with {@code OVERLOADED} where too many wait already. */
  <T> Future<T> send(String node, long bytes, Supplier<Future<T>> sending) {
    Line line = lines.computeIfAbsent(node, n -> new Line());
    Load<T> load = new Load<>(bytes, sending, Promise.promise());
    synchronized (line) {
      if (line.waiting.size() >= MOST_WAITING) {
        return Future.failedFuture(overloaded(node));
      }
      line.waiting.add(load);
    }
    load.answer
        .future()
        .onComplete(
            done -> {
              synchronized (line) {
                line.underWay -= bytes;
              }
              sendNext(line);
            });
    sendNext(line);
    return load.answer.future();
  }

  private static WasmException overloaded(String node) {
    return Failure.OVERLOADED.because(
        "%d large messages to node `%s` wait already", MOST_WAITING, node);
  }

  /** What fits; one alone always does. */
  private static void sendNext(Line line) {
    while (true) {
      Load<?> next;
      synchronized (line) {
        next = line.waiting.peek();
        if (next == null || line.underWay > 0 && line.underWay + next.bytes > MOST) {
          return;
        }
        line.waiting.remove();
        line.underWay += next.bytes;
      }
      next.send();
    }
  }
}
