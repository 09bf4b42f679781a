package io.busbar.engine.wasi;

import io.busbar.engine.Budget;

/**
 * Bytes in order, in an array that grows up to its capacity, and as far as the budget has room for
 * it; whoever owns it guards it.
 */
final class Ring {
  private static final int FIRST = 4 << 10;

  private final int capacity;
  private final Budget budget; // holds the whole array
  private byte[] data = new byte[0];
  private int start;
  private int size;

  Ring(int capacity, Budget budget) {
    this.capacity = capacity;
    this.budget = budget;
  }

  int size() {
    return size;
  }

  int capacity() {
    return capacity;
  }

  int room() {
    return capacity - size;
  }

  /** Adds as many of the bytes as there is room for; how many. */
  int add(byte[] bytes, int from, int length) {
    int added = makeRoom(Math.min(length, room()));
    int end = (int) (((long) start + size) % Math.max(1, data.length));
    int first = Math.min(added, data.length - end);
    System.arraycopy(bytes, from, data, end, first);
    System.arraycopy(bytes, from + first, data, 0, added - first);
    size += added;
    return added;
  }

  /** Makes the array large enough for so many bytes more, or fewer; for how many. */
  int makeRoom(int more) {
    int wanted = size + more;
    if (wanted > data.length && !enlarge(roomy(wanted)) && !enlarge(wanted)) {
      return data.length - size;
    }
    return more;
  }

  private int roomy(int wanted) {
    return Math.max(wanted, (int) Math.min(capacity, Math.max(FIRST, wanted * 2L)));
  }

  private boolean enlarge(int length) {
    if (!budget.tryReserve(length)) { // while it is copied there are both
      return false;
    }
    byte[] larger = new byte[length];
    copy(larger, 0, size);
    budget.release(data.length);
    data = larger;
    start = 0;
    return true;
  }

  private void copy(byte[] to, int at, int length) {
    int first = Math.min(length, data.length - start);
    System.arraycopy(data, start, to, at, first);
    System.arraycopy(data, 0, to, at + first, length - first);
  }

  /** Takes at most so many bytes out. */
  int take(byte[] to, int at, int most) {
    int taken = Math.min(most, size);
    copy(to, at, taken);
    size -= taken;
    start = size == 0 ? 0 : (int) (((long) start + taken) % data.length);
    return taken;
  }

  byte[] take(int most) {
    byte[] bytes = new byte[Math.min(most, size)];
    take(bytes, 0, bytes.length);
    return bytes;
  }

  /** How many bytes before this place begin a character of UTF-8 and do not end it. */
  int unfinished(int end) {
    for (int back = 1; back <= Math.min(3, end); back++) {
      int lead = data[(int) (((long) start + end - back) % data.length)] & 0xff;
      if (lead >= 0xc0) {
        int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        return length > back ? back : 0;
      } else if (lead < 0x80) {
        return 0;
      }
    }
    return 0;
  }

  /** Gives the array back if nothing is in it. */
  void trim() {
    if (size == 0 && data.length > FIRST) {
      drop();
    }
  }

  /** Gives the array back, and forgets what is in it. */
  void drop() {
    budget.release(data.length);
    data = new byte[0];
    start = 0;
    size = 0;
  }
}
