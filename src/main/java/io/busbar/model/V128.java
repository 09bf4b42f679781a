package io.busbar.model;

import java.math.BigInteger;

/** A 128-bit vector value, seen as one unsigned number: its upper and lower 64 bits. */
public record V128(long high, long low) {
  private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(128);

  /** From a number in 0…2¹²⁸−1; fails with {@link IllegalArgumentException} outside. */
  public static V128 of(BigInteger value) {
    if (value.signum() < 0 || value.compareTo(LIMIT) >= 0) {
      throw new IllegalArgumentException("not in 0…2^128-1: " + value);
    }
    return new V128(value.shiftRight(64).longValue(), value.longValue());
  }

  public BigInteger toBigInteger() {
    return new BigInteger(toString().substring(2), 16);
  }

  /** {@code 0x} and 32 hexadecimal digits: the form that travels. */
  @Override
  public String toString() {
    return String.format("0x%016x%016x", high, low);
  }
}
