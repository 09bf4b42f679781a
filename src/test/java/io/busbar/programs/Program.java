package io.busbar.programs;

import io.busbar.client.InstanceRef;
import io.busbar.client.MemoryRef;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.List;

/** A program on the bus: each method is a message or more, and waits for the answers. */
final class Program {
  private static final int SLICE_BYTES = 4 << 20;
  private static final int PAGE_BYTES = 64 << 10;

  private final InstanceRef instance;

  /** With as much time for a call as the instance itself allows. */
  Program(InstanceRef instance) {
    this.instance = instance.withTimeout(Duration.ZERO);
  }

  /** {@code compiled} or {@code interpreted}. */
  String machine() {
    return Node.await(instance.describe()).getString("machine");
  }

  List<Object> call(String function, Object... params) {
    return Node.await(instance.call(function, params));
  }

  /** Calls a function with one i32 result, such as an address. */
  int i32(String function, Object... params) {
    return (Integer) call(function, params).get(0);
  }

  /** Calls a function with one i64 result. */
  long i64(String function, Object... params) {
    return (Long) call(function, params).get(0);
  }

  /** The i32 value of a global. */
  int global(String name) {
    return (Integer) Node.await(instance.global(name));
  }

  byte[] read(int address, int length) {
    return Node.await(memory().read(address, length)).getBytes();
  }

  void write(int address, byte[] bytes) {
    Node.await(memory().write(address, Buffer.buffer(bytes)));
  }

  /** Writes to where the program's own function finds room; the address. */
  int store(String allocator, byte[] bytes) {
    int address = i32(allocator, bytes.length);
    write(address, bytes);
    return address;
  }

  /** The SHA-256 of the whole memory. */
  String memoryDigest() {
    long size = Node.await(memory().pages()) * PAGE_BYTES;
    Digest digest = new Digest();
    for (long at = 0; at < size; at += SLICE_BYTES) {
      int length = (int) Math.min(SLICE_BYTES, size - at);
      digest.add(read((int) at, length));
    }
    return digest.hex();
  }

  /** What it has written to stdout. */
  String stdout() {
    return Node.await(instance.stdio().stdout()).bytes().toString();
  }

  /** What it has written to stderr. */
  String stderr() {
    return Node.await(instance.stdio().stderr()).bytes().toString();
  }

  private MemoryRef memory() {
    return instance.memory();
  }
}
