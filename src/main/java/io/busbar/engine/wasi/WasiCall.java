package io.busbar.engine.wasi;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.runtime.WasmRuntimeException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** One call of a WASI function: its arguments, and the memory of the instance that calls. */
final class WasiCall {
  private static final int LONGEST_PATH = 4096;
  private static final int MOST_SLICES = 1024;

  private final Memory memory;
  private final long[] args;

  WasiCall(Instance instance, long[] args) {
    this.memory = instance.memory();
    this.args = args;
  }

  int i32(int arg) {
    return (int) args[arg];
  }

  long i64(int arg) {
    return args[arg];
  }

  /** Traps unless so many bytes from there on are inside the memory. */
  int check(int address, int length) {
    long size = memory == null ? 0 : (long) memory.pages() * Memory.PAGE_SIZE;
    if (address < 0 || length < 0 || address + (long) length > size) {
      throw new WasmRuntimeException("out of bounds memory access");
    }
    return address;
  }

  /** Ends the call of a guest that is to stop. */
  static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw interrupted();
    }
  }

  static ChicoryInterruptedException interrupted() {
    Thread.currentThread().interrupt();
    return new ChicoryInterruptedException("Thread interrupted");
  }

  int readInt(int address) {
    return memory.readInt(check(address, Integer.BYTES));
  }

  long readLong(int address) {
    return memory.readLong(check(address, Long.BYTES));
  }

  int readByte(int address) {
    return memory.read(check(address, 1)) & 0xff;
  }

  int readShort(int address) {
    return memory.readShort(check(address, Short.BYTES)) & 0xffff;
  }

  /** A few bytes: the length must not be the guest's choice. */
  byte[] read(int address, int length) {
    return memory.readBytes(check(address, length), length);
  }

  void putInt(int address, int value) {
    memory.writeI32(check(address, Integer.BYTES), value);
  }

  void putLong(int address, long value) {
    memory.writeLong(check(address, Long.BYTES), value);
  }

  void putByte(int address, int value) {
    memory.writeByte(check(address, 1), (byte) value);
  }

  void putShort(int address, int value) {
    memory.writeShort(check(address, Short.BYTES), (short) value);
  }

  void put(int address, byte[] bytes, int from, int length) {
    memory.write(check(address, length), bytes, from, length);
  }

  void zero(int address, int length) {
    put(address, new byte[length], 0, length);
  }

  /** The text whose address and length are these two arguments. */
  String path(int arg) throws Errno.Thrown {
    int length = i32(arg + 1);
    check(i32(arg), length);
    if (length > LONGEST_PATH) {
      throw Errno.NAMETOOLONG.thrown();
    }
    try {
      ByteBuffer bytes = ByteBuffer.wrap(read(i32(arg), length));
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw Errno.ILSEQ.thrown();
    }
  }

  /** How many slices an array has whose address and length are these two arguments. */
  int slices(int arg) throws Errno.Thrown {
    int count = i32(arg + 1);
    if (count < 0 || count > MOST_SLICES) {
      throw Errno.INVAL.thrown();
    }
    check(i32(arg), count * 8);
    return count;
  }

  /** Where a slice of the array at this argument starts; all of it is inside the memory. */
  int sliceAddress(int arg, int slice) {
    int at = i32(arg) + slice * 8;
    return check(readInt(at), readInt(at + 4));
  }

  int sliceLength(int arg, int slice) {
    return readInt(i32(arg) + slice * 8 + 4);
  }
}
