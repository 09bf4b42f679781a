package io.busbar.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps as many connections as the gateway is meant to, and none that only takes a place: one that
 * never sends a whole request, sends its body too slowly, does not read, or asks nothing any more.
 */
final class Connections {
  /** What may wait to be read beside what is counted, such as answers to pings. */
  private static final int UNCOUNTED = 256 << 10;

  /** What a body must bring on average, once its first time is over. */
  private static final long BYTES_PER_SECOND = 16 << 10;

  /** Messages that leave a socket together. */
  private static final int MOST_TOGETHER = 64;

  private static final String SEEN = "busbar.connection";

  private final Vertx vertx;
  private final HttpGateway.Bounds bounds;
  private final long timer;
  private final Map<HttpConnection, Seen> open = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final Map<String, Integer> addresses = new ConcurrentHashMap<>(); // how many from each

  /** What one connection is doing, and by when something else must have happened. */
  private static final class Seen {
    private volatile boolean answered; // the last request is; what comes of its body is no more
    private volatile boolean working; // a whole request is here, and its answer may take its time
    private volatile boolean socket; // it has become one, which looks after itself
    private volatile long until; // nanoTime
    private final AtomicInteger leaving = new AtomicInteger(); // what the client has to read
    private volatile long moved; // nanoTime when something of it left, or began to wait

    void by(Duration time) {
      until = System.nanoTime() + time.toNanos(); // first: others look at any moment
      working = false;
    }

    void leaves(Future<Void> write) {
      if (leaving.get() == 0) {
        moved = System.nanoTime(); // first, too
      }
      leaving.incrementAndGet();
      write.onComplete(
          left -> {
            leaving.decrementAndGet();
            moved = System.nanoTime();
          });
    }

    boolean isLate(long now, long unread) {
      return !socket && (!working && now - until > 0 || leaving.get() > 0 && now - moved > unread);
    }
  }

  Connections(Vertx vertx, HttpGateway.Bounds bounds) {
    this.vertx = vertx;
    this.bounds = bounds;
    this.timer = vertx.setPeriodic(bounds.look().toMillis(), timer -> closeLate());
  }

  /** A new one; beyond the bounds it is closed at once. */
  void accept(HttpConnection connection) {
    String address = String.valueOf(connection.remoteAddress().hostAddress());
    boolean isOver = count.incrementAndGet() > bounds.connections();
    isOver |= addresses.merge(address, 1, Integer::sum) > bounds.connectionsPerAddress();
    if (isOver) {
      leave(address);
      connection.close();
      return;
    }
    Seen seen = new Seen();
    seen.by(bounds.patience());
    open.put(connection, seen);
    channel(connection) // a socket's connection calls no handler of this one
        .closeFuture()
        .addListener(
            closed -> {
              if (open.remove(connection) != null) {
                leave(address);
              }
            });
  }

  private void leave(String address) {
    count.decrementAndGet();
    addresses.computeIfPresent(address, (same, some) -> some == 1 ? null : some - 1);
  }

  /** The head of a request is here; its body must come, and then its answer may take its time. */
  void asked(RoutingContext ctx) {
    HttpServerRequest request = ctx.request();
    Seen seen = open.get(request.connection());
    if (seen == null) { // it is closed
      ctx.next();
      return;
    }
    ctx.put(SEEN, seen);
    seen.answered = false;
    ctx.addEndHandler(
        answered -> {
          seen.answered = true;
          seen.by(idle());
        });
    if (hasBody(request)) {
      seen.by(timeFor(request));
      request.end().onSuccess(read -> seen.working = !seen.answered);
    } else {
      seen.working = true;
    }
    whenRead(ctx, seen);
  }

  /** Who asks more and more without reading what is answered is not asked what it wants. */
  private static void whenRead(RoutingContext ctx, Seen seen) {
    if (!ctx.response().writeQueueFull()) {
      ctx.next();
      return;
    }
    Promise<Void> read = Promise.promise();
    seen.leaves(read.future());
    ctx.request().pause();
    ctx.response()
        .drainHandler(
            drained -> {
              if (read.tryComplete()) {
                ctx.request().resume();
                ctx.next();
              }
            });
  }

  /** Something is on its way to who has asked, and must be read. */
  static void leaves(RoutingContext ctx, Future<Void> write) {
    if (ctx.get(SEEN) instanceof Seen seen) {
      seen.leaves(write);
    }
  }

  /**
   * It is no connection for requests any more. What is written to it one after the other leaves
   * together, or when it is flushed.
   */
  void becomesSocket(HttpServerRequest request) {
    channel(request.connection())
        .pipeline()
        .addFirst(new FlushConsolidationHandler(MOST_TOGETHER, true));
    Seen seen = open.get(request.connection());
    if (seen != null) {
      seen.socket = true;
    }
  }

  /** What was written to a socket leaves now. */
  static void flush(HttpConnection socket) {
    ChannelHandlerContext first = channel(socket).pipeline().firstContext();
    if (first != null) { // else it is closed
      first.flush();
    }
  }

  private static boolean hasBody(HttpServerRequest request) {
    return request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
        || request.headers().contains(HttpHeaders.CONTENT_LENGTH)
            && !"0".equals(request.getHeader(HttpHeaders.CONTENT_LENGTH));
  }

  /** After which a connection that is asked nothing more is closed. */
  private Duration idle() {
    return bounds.patience().multipliedBy(6);
  }

  private Duration timeFor(HttpServerRequest request) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    Duration first = bounds.patience().multipliedBy(3);
    try {
      return length == null
          ? first
          : first.plusSeconds(Math.min(1 << 20, Long.parseLong(length)) / BYTES_PER_SECOND);
    } catch (NumberFormatException e) {
      return first;
    }
  }

  private void closeLate() {
    long now = System.nanoTime();
    long unread = bounds.unread().toNanos();
    open.forEach(
        (connection, seen) -> {
          if (seen.isLate(now, unread) || unread(connection) > mostUnread()) {
            cut(connection);
          }
        });
  }

  private long mostUnread() {
    return 2L * bounds.unreadBytes() + UNCOUNTED;
  }

  private static Channel channel(HttpConnection connection) {
    return ((ConnectionBase) connection).channel();
  }

  /** Bytes that wait for the client to read them. */
  private static long unread(HttpConnection connection) {
    Channel channel = channel(connection);
    return channel.isActive() ? channel.bytesBeforeWritable() : 0;
  }

  /** The same after a moment in which a client that reads again is told why. */
  void cutSoon(HttpConnection connection) {
    vertx.setTimer(bounds.look().toMillis(), over -> cut(connection));
  }

  /** Closes it now: what is asked of it politely waits until the client has read the rest. */
  static void cut(HttpConnection connection) {
    ChannelHandlerContext first = channel(connection).pipeline().firstContext();
    if (first != null) { // else it is closed
      first.close();
    }
  }

  int open() {
    return count.get();
  }

  void close() {
    vertx.cancelTimer(timer);
  }
}
