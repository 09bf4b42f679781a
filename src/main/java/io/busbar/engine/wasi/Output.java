package io.busbar.engine.wasi;

import io.busbar.engine.Budget;
import java.util.Optional;

/**
 * What a guest wrote to stdout or stderr and nobody has read yet, never more than its capacity, or
 * than the budget has room for.
 *
 * <p>What does not fit is lost, and everything after it until all that was kept has been read: the
 * chunk that ends there says so, and what follows it begins anew.
 */
public final class Output {
  /**
   * The oldest bytes that were kept.
   *
   * @param more whether others wait
   * @param truncated whether bytes were lost right after these
   * @param closed whether the guest closed the stream, and this is its end
   */
  public record Chunk(byte[] bytes, boolean more, boolean truncated, boolean closed) {}

  private final Budget budget;
  private final Ring bytes; // this and the rest guarded by this
  private boolean cut;
  private boolean closed;
  private Ring detour; // written instead
  private boolean detourCut;
  private Runnable listener = () -> {};

  Output(int capacity, Budget budget) {
    this.budget = budget;
    this.bytes = new Ring(capacity, budget);
  }

  /** Runs where the guest writes, after each write: it must be quick and wait for nothing. */
  public synchronized void onWrite(Runnable listener) {
    this.listener = listener;
  }

  /** Takes at most so many bytes, without waiting for any. */
  public synchronized Chunk read(int most) {
    return take(Math.min(most, bytes.size()), 0);
  }

  /** The same, but a character of UTF-8 that has not been written to its end waits for that. */
  public synchronized Chunk readText(int most) {
    int size = bytes.size();
    int end = Math.min(most, size);
    boolean ended = closed || cut;
    int whole = ended && end == size ? end : end - bytes.unfinished(end);
    boolean tooShort = whole == 0 && end < size; // for the first character: it comes in pieces
    return take(tooShort ? end : whole, ended ? 0 : bytes.unfinished(size));
  }

  /** Takes so many bytes; {@code held} of those behind them are not counted as more. */
  private Chunk take(int length, int held) {
    byte[] taken = bytes.take(length);
    boolean more = bytes.size() > held;
    boolean truncated = cut && !more;
    cut = cut && more;
    bytes.trim();
    return new Chunk(taken, more, truncated, closed && !more);
  }

  /** Keeps the bytes, or as many as fit. */
  void write(byte[] more, int length) {
    Runnable told;
    synchronized (this) {
      if (detour != null) {
        detourCut |= detour.add(more, 0, length) < length;
        return;
      }
      if (!cut) {
        cut = bytes.add(more, 0, length) < length;
      }
      told = listener;
    }
    told.run();
  }

  /** Until {@link #resume} what is written is kept apart, at most so many bytes. */
  synchronized void divert(int most) {
    detour = new Ring(most, budget);
    detourCut = false;
  }

  /** What was kept apart; empty if it was too much. */
  synchronized Optional<byte[]> resume() {
    byte[] kept = detour.take(detour.size());
    detour.drop();
    detour = null;
    return detourCut ? Optional.empty() : Optional.of(kept);
  }

  /** The guest closed it. */
  synchronized void close() {
    closed = true;
  }
}
