package io.busbar.gateway;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/**
 * What goes to one client, as fast as the client reads: little of it waits, and who reads nothing
 * for some seconds is cut off. On one event loop.
 */
final class Outlet {
  /** So much, written one after the other, leaves at once and waits for nothing more. */
  private static final int TOGETHER = 64 << 10;

  /** What is sent beyond the bound to say that something was not. */
  private static final int RESERVE = 64 << 10;

  private final Vertx vertx;
  private final Function<String, Future<Void>> writing;
  private final Runnable flushing;
  private final Runnable cutting;
  private final int most;
  private final long patience; // nanoseconds in which nothing at all may be read
  private final long lookMillis;
  private long waiting; // bytes
  private long moved = System.nanoTime(); // when something was read last, or began to wait
  private boolean looking;
  private boolean closed;

  /**
   * An outlet.
   *
   * @param writing done when the text has left this process
   * @param flushing what was written leaves now
   * @param cutting cuts the client off
   * @param bounds how much may wait, and how long
   */
  Outlet(
      Vertx vertx,
      Function<String, Future<Void>> writing,
      Runnable flushing,
      Runnable cutting,
      HttpGateway.Bounds bounds) {
    this.vertx = vertx;
    this.writing = writing;
    this.flushing = flushing;
    this.cutting = cutting;
    this.most = bounds.unreadBytes();
    this.patience = bounds.unread().toNanos();
    this.lookMillis = bounds.look().toMillis();
  }

  /** False, and nothing is sent, where too much waits already. */
  boolean offer(String text) {
    int bytes = bytes(text);
    return waiting + bytes <= most && send(text, bytes);
  }

  /** Says something short even then; who lets that pile up too is cut off. */
  void say(String text) {
    int bytes = bytes(text);
    if (waiting + bytes > most + RESERVE) {
      cut();
    } else {
      send(text, bytes);
    }
  }

  /** Whether so little waits that what can be missed may be sent. */
  boolean isCalm() {
    return waiting < most / 2;
  }

  private static int bytes(String text) {
    return text.length() < 1 << 10 // what is short and not ASCII matters little
        ? text.length()
        : text.getBytes(StandardCharsets.UTF_8).length;
  }

  private boolean send(String text, int bytes) {
    if (closed) {
      return true; // nobody misses it
    }
    if (waiting == 0) {
      moved = System.nanoTime();
    }
    waiting += bytes;
    writing.apply(text).onComplete(done -> written(bytes));
    if (waiting > TOGETHER) {
      flushing.run();
    }
    if (waiting > 0 && !looking) {
      looking = true;
      vertx.setTimer(lookMillis, timer -> look());
    }
    return true;
  }

  private void written(int bytes) {
    waiting -= bytes;
    moved = System.nanoTime();
  }

  private void look() {
    looking = !closed && waiting > 0;
    if (!looking) {
      return;
    }
    if (System.nanoTime() - moved > patience) {
      cut();
    } else {
      vertx.setTimer(lookMillis, timer -> look());
    }
  }

  private void cut() {
    if (!closed) {
      closed = true;
      cutting.run();
    }
  }

  /** Nothing is sent any more. */
  void close() {
    closed = true;
  }
}
