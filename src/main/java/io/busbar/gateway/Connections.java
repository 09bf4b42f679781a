package io.busbar.gateway;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps as many connections as the gateway is meant to, and none that only takes a place: one that
 * never sends a whole request, sends its body too slowly, or asks nothing any more.
 */
final class Connections {
  /** In which the first request, and the head of each, must arrive. */
  private static final Duration FIRST = Duration.ofSeconds(10);

  /** After which a connection that is asked nothing more is closed. */
  private static final Duration IDLE = Duration.ofMinutes(1);

  private static final Duration BODY = Duration.ofSeconds(30);

  /** What a body must bring on average, once its first half minute is over. */
  private static final long BYTES_PER_SECOND = 16 << 10;

  private final Vertx vertx;
  private final int most;
  private final long timer;
  private final Map<HttpConnection, Seen> open = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();

  /** What one connection is doing, and by when something else must have happened. */
  private static final class Seen {
    private volatile boolean working; // a whole request is here, and its answer may take its time
    private volatile boolean socket; // it has become one, which looks after itself
    private volatile long until; // nanoTime

    void by(Duration time) {
      working = false;
      until = System.nanoTime() + time.toNanos();
    }

    boolean isLate(long now) {
      return !working && !socket && now - until > 0;
    }
  }

  Connections(Vertx vertx, int most) {
    this.vertx = vertx;
    this.most = most;
    this.timer = vertx.setPeriodic(1000, timer -> closeLate());
  }

  /** A new one; beyond the bound it is closed at once. */
  void accept(HttpConnection connection) {
    if (count.incrementAndGet() > most) {
      count.decrementAndGet();
      connection.close();
      return;
    }
    Seen seen = new Seen();
    seen.by(FIRST);
    open.put(connection, seen);
    connection.closeHandler(
        closed -> {
          if (open.remove(connection) != null) {
            count.decrementAndGet();
          }
        });
  }

  /** The head of a request is here; its body must come, and then its answer may take its time. */
  void asked(RoutingContext ctx) {
    HttpServerRequest request = ctx.request();
    Seen seen = open.get(request.connection());
    if (seen != null) {
      ctx.addEndHandler(answered -> seen.by(IDLE));
      if (hasBody(request)) {
        seen.by(timeFor(request));
        request.end().onSuccess(read -> seen.working = true);
      } else {
        seen.working = true;
      }
    }
    ctx.next();
  }

  /** It is no connection for requests any more. */
  void becomesSocket(HttpServerRequest request) {
    Seen seen = open.get(request.connection());
    if (seen != null) {
      seen.socket = true;
    }
  }

  private static boolean hasBody(HttpServerRequest request) {
    return request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
        || request.headers().contains(HttpHeaders.CONTENT_LENGTH)
            && !"0".equals(request.getHeader(HttpHeaders.CONTENT_LENGTH));
  }

  private static Duration timeFor(HttpServerRequest request) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    try {
      return length == null
          ? BODY
          : BODY.plusSeconds(Math.min(1 << 20, Long.parseLong(length)) / BYTES_PER_SECOND);
    } catch (NumberFormatException e) {
      return BODY;
    }
  }

  private void closeLate() {
    long now = System.nanoTime();
    open.forEach(
        (connection, seen) -> {
          if (seen.isLate(now)) {
            connection.close();
          }
        });
  }

  int open() {
    return count.get();
  }

  void close() {
    vertx.cancelTimer(timer);
  }
}
