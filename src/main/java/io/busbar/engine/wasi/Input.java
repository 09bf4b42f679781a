package io.busbar.engine.wasi;

import io.busbar.engine.Budget;
import io.busbar.model.Failure;
import java.util.concurrent.TimeUnit;

/** What a guest reads as stdin: it waits for bytes, whoever writes them never does. */
public final class Input {
  private final Budget budget;
  private final Ring bytes; // this and the rest guarded by this
  private boolean closed;
  private Ring detour; // read instead, to its end

  /** Fails with {@code LIMIT} where the budget has no room for the first bytes. */
  Input(byte[] first, int capacity, Budget budget) {
    this.budget = budget;
    this.bytes = ring(first, capacity);
  }

  private Ring ring(byte[] first, int capacity) {
    Ring ring = new Ring(capacity, budget);
    fill(ring, first);
    return ring;
  }

  private static void fill(Ring ring, byte[] bytes) {
    if (ring.makeRoom(bytes.length) < bytes.length) {
      throw Failure.LIMIT.because("there is no room for %d bytes of stdin more", bytes.length);
    }
    ring.add(bytes, 0, bytes.length);
  }

  /**
   * All or nothing; fails with {@code CONFLICT}, {@code TOO_LARGE}, {@code OVERLOADED} or {@code
   * LIMIT}.
   */
  public synchronized void write(byte[] more) {
    if (closed) {
      throw Failure.CONFLICT.because("stdin is closed");
    }
    if (more.length > bytes.capacity()) {
      throw Failure.TOO_LARGE.because(
          "%d bytes for stdin; it holds at most %d", more.length, bytes.capacity());
    }
    if (more.length > bytes.room()) {
      throw Failure.OVERLOADED.because(
          "stdin is full: %d bytes wait to be read, %d more do not fit", bytes.size(), more.length);
    }
    fill(bytes, more);
    notifyAll();
  }

  /** What was written can still be read, then comes the end; again does nothing. */
  public synchronized void close() {
    closed = true;
    notifyAll();
  }

  /** Waits for a byte or the end; then takes what is there, 0 at the end. */
  synchronized int read(byte[] to, int most) throws InterruptedException {
    if (detour != null) {
      return detour.take(to, 0, most);
    }
    while (bytes.size() == 0 && !closed) {
      wait();
    }
    int read = bytes.take(to, 0, most);
    bytes.trim();
    return read;
  }

  /** Until {@link #resume} these bytes are read, and then the end. */
  synchronized void divert(byte[] input) {
    detour = ring(input, input.length);
  }

  synchronized void resume() {
    if (detour != null) {
      detour.drop();
      detour = null;
    }
  }

  /** Waits at most so long; whether a read would not wait now. */
  synchronized boolean await(long nanos) throws InterruptedException {
    long until = System.nanoTime() + nanos;
    long left = nanos;
    while (bytes.size() == 0 && !closed && detour == null && left > 0) {
      TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, 1_000_000));
      left = until - System.nanoTime();
    }
    return bytes.size() > 0 || isClosed();
  }

  synchronized int available() {
    return detour == null ? bytes.size() : detour.size();
  }

  synchronized boolean isClosed() {
    return closed || detour != null;
  }
}
