package io.busbar.model;

import java.util.Optional;

/**
 * Something an instance may use only so much of; its key is the word in specs and configuration.
 */
public enum Limit {
  /** Of each linear memory, in bytes. */
  MEMORY_BYTES("memoryBytes", 128L << 20, Integer.MAX_VALUE),
  /** Of each table. */
  TABLE_ELEMENTS("tableElements", 100_000, 10_000_000),
  /** The instance and its links together. */
  INSTANCES("instances", 10, 10_000),
  /** Tables the instance defines. */
  TABLES("tables", 10, 10_000),
  /** Memories the instance defines. */
  MEMORIES("memories", 10, 10_000),
  /**
   * What the instance and its links may use until it is set anew, in the units of README "Fuel";
   * not set: nobody counts, which is faster.
   */
  FUEL("fuel", 0, Long.MAX_VALUE, (1L << 53) - 1),
  /** Milliseconds an operation may take, queueing included, whatever its asker allows. */
  DEADLINE("deadline", 60_000, 86_400_000),
  /** Operations that may wait for their turn. */
  MAILBOX("mailbox", 1024, 1_000_000),
  /** What a WASI guest's files in memory may hold together, and each of its others, in bytes. */
  FILE_BYTES("fileBytes", 16L << 20, 1 << 30),
  /** Of each of a WASI guest's streams, while nobody reads them, in bytes. */
  STREAM_BYTES("streamBytes", 1 << 20, 1 << 30),
  /** KiB of stack a call needs; every guest runs on the node's worker stack, never on more. */
  STACK("stack", 8192, 1_048_576);

  private final String key;
  private final long lowest;
  private final long standard;
  private final long highest;

  Limit(String key, long standard, long highest) {
    this(key, 1, standard, highest);
  }

  Limit(String key, long lowest, long standard, long highest) {
    this.key = key;
    this.lowest = lowest;
    this.standard = standard;
    this.highest = highest;
  }

  public String key() {
    return key;
  }

  /** What an instance gets, and may ask for, where the operator says nothing. */
  public long standard() {
    return standard;
  }

  /** The largest value that makes sense. */
  public long highest() {
    return highest;
  }

  /** Whether it is off where nobody sets it. */
  public boolean isOptional() {
    return standard > highest;
  }

  /** The value itself if it makes sense for this limit; else fails with {@code BAD_REQUEST}. */
  public long check(long value) {
    if (value < lowest || value > highest) {
      throw Failure.BAD_REQUEST.because(
          "limits.%s must be %d to %d, not %d", key, lowest, highest, value);
    }
    return value;
  }

  public static Optional<Limit> of(String key) {
    for (Limit limit : values()) {
      if (limit.key.equals(key)) {
        return Optional.of(limit);
      }
    }
    return Optional.empty();
  }
}
