package io.busbar.spec.text;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.List;

/** Bytes of a module, written one after the other. */
final class Binary {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  Binary add(int... values) {
    for (int value : values) {
      bytes.write(value);
    }
    return this;
  }

  Binary add(byte[] more) {
    bytes.writeBytes(more);
    return this;
  }

  Binary add(Binary more) {
    return add(more.toBytes());
  }

  /** An unsigned LEB128 number. */
  Binary count(long value) {
    return count(BigInteger.valueOf(value));
  }

  Binary count(BigInteger value) {
    BigInteger rest = value;
    while (rest.bitLength() > 7) {
      add(rest.intValue() & 0x7f | 0x80);
      rest = rest.shiftRight(7);
    }
    return add(rest.intValue());
  }

  /** A signed LEB128 number. */
  Binary signed(long value) {
    long rest = value;
    while (rest < -64 || rest > 63) {
      add((int) (rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return add((int) (rest & 0x7f));
  }

  /** The lowest bytes of a number, the lowest first. */
  Binary bits(BigInteger value, int width) {
    for (int shift = 0; shift < width; shift += 8) {
      add(value.shiftRight(shift).intValue() & 0xff);
    }
    return this;
  }

  /** Bytes with their length before them. */
  Binary sized(byte[] more) {
    return count(more.length).add(more);
  }

  /** Entries with their number before them. */
  Binary list(List<Binary> entries) {
    count(entries.size());
    entries.forEach(this::add);
    return this;
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }
}
