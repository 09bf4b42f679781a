package io.busbar.engine.admission;

import java.util.Arrays;

/** The bytes of a module without some of its parts; the same array while nothing is left out. */
final class Kept {
  private final byte[] whole;
  private byte[] kept; // null: everything up to here
  private int size;

  Kept(byte[] whole) {
    this.whole = whole;
  }

  /** What stands between these places stays. */
  void keep(int from, int to) {
    if (kept != null) {
      add(whole, from, to);
    }
  }

  /** What stands from here on is left out, up to where something is kept again. */
  void leaveOut(int from) {
    if (kept == null) {
      kept = new byte[whole.length];
      add(whole, 0, from);
    }
  }

  /** In place of what was left out; never more than that. */
  void add(byte[] bytes, int from, int to) {
    System.arraycopy(bytes, from, kept, size, to - from);
    size += to - from;
  }

  byte[] bytes() {
    return kept == null ? whole : Arrays.copyOf(kept, size);
  }
}
