package io.busbar.engine.admission;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** A place in the bytes of a module, which moves on as they are read and never over an end. */
final class Bytes {
  private static final int LAST_OF_U32 = 0x0F;

  private final byte[] bytes;
  private int at;
  private int end;

  Bytes(byte[] bytes) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** The bytes are broken at the place that was read last. */
  WasmException broken(String what, Object... args) {
    return broken(at, what, args);
  }

  static WasmException broken(int offset, String what, Object... args) {
    return Failure.INVALID_MODULE.because(
        "Error while parsing bytes: %s at offset %d", String.format(what, args), offset);
  }

  /** Where the next byte is, from the beginning of the module. */
  int at() {
    return at;
  }

  int left() {
    return end - at;
  }

  /** Goes into a part of this size; what {@link #leave} wants back. */
  int enter(long size, String what) {
    if (size > left()) {
      throw broken("%s of %d bytes where %d are left", what, size, left());
    }
    int outer = end;
    end = at + (int) size;
    return outer;
  }

  /** Comes out of a part that must have been read to its end. */
  void leave(int outer, String what) {
    if (at != end) {
      throw broken("%s is longer than what it holds", what);
    }
    end = outer;
  }

  /** Comes out of a part wherever it has been read to. */
  void abandon(int outer) {
    at = end;
    end = outer;
  }

  int u8() {
    if (at == end) {
      throw broken("unexpected end");
    }
    return bytes[at++] & 0xFF;
  }

  /** The next byte, which stays the next. */
  int peek() {
    int next = u8();
    at--;
    return next;
  }

  void skip(long count, String what) {
    if (count > left()) {
      throw broken("%s of %d bytes where %d are left", what, count, left());
    }
    at += (int) count;
  }

  long u32() {
    int start = at;
    long value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        if (shift == 28 && next > LAST_OF_U32) {
          throw broken(start, "integer too large");
        }
        return value;
      }
    }
    throw broken(start, "integer representation too long");
  }

  long s32() {
    return signed(32);
  }

  long s33() {
    return signed(33);
  }

  long s64() {
    return signed(64);
  }

  private long signed(int width) {
    int start = at;
    long value = 0;
    for (int shift = 0; shift < width; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        if (!fits(next, width - shift)) {
          throw broken(start, "integer too large");
        }
        int unused = Math.max(0, 64 - 7 - shift);
        return value << unused >> unused;
      }
    }
    throw broken(start, "integer representation too long");
  }

  /** Whether the seven bits, as a signed number, need no more than the bits that are left. */
  private static boolean fits(int last, int left) {
    int sign = (last << 25 >> 25) >> Math.min(left, 7) - 1;
    return sign == 0 || sign == -1;
  }

  /** How many of something follow: never more than bytes, for each takes one at least. */
  int count(String what) {
    int start = at;
    long count = u32();
    if (count > left()) {
      throw broken(start, "%d %s where %d bytes are left", count, what, left());
    }
    return (int) count;
  }

  /** The same within a limit, which comes first. */
  int count(String what, ModuleLimit limit, Admission.Options options) {
    return count(what, limit, options, 0);
  }

  /** The same where there have been some before. */
  int count(String what, ModuleLimit limit, Admission.Options options, long before) {
    int start = at;
    options.check(limit, before + u32());
    at = start;
    return count(what);
  }

  /** A name of valid UTF-8; its length in bytes. */
  int name(String what) {
    long length = u32();
    int start = at;
    skip(length, what);
    if (text(start, at) == null) {
      throw broken(start, "malformed UTF-8 encoding of %s", what);
    }
    return (int) length;
  }

  /** The text between two places; null if it is no UTF-8. */
  String text(int from, int to) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, from, to - from))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  byte[] array() {
    return bytes;
  }
}
