package io.busbar.engine.admission;

import java.io.ByteArrayOutputStream;

/** Writes modules by the byte, valid or not. */
public final class WasmWriter {
  private static final int[] HEADER = {0, 'a', 's', 'm', 1, 0, 0, 0};

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A module with its header and nothing else. */
  public static WasmWriter module() {
    return new WasmWriter().bytes(HEADER);
  }

  public static WasmWriter empty() {
    return new WasmWriter();
  }

  public WasmWriter bytes(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  public WasmWriter bytes(WasmWriter other) {
    out.writeBytes(other.toBytes());
    return this;
  }

  /** An unsigned number, as short as it can be. */
  public WasmWriter u(long number) {
    long rest = number;
    for (; rest > 0x7F; rest >>>= 7) {
      out.write((int) (rest & 0x7F | 0x80));
    }
    out.write((int) rest);
    return this;
  }

  public WasmWriter times(int count, int... bytes) {
    for (int i = 0; i < count; i++) {
      bytes(bytes);
    }
    return this;
  }

  public WasmWriter times(int count, WasmWriter part) {
    byte[] bytes = part.toBytes();
    for (int i = 0; i < count; i++) {
      out.writeBytes(bytes);
    }
    return this;
  }

  public WasmWriter name(String ascii) {
    u(ascii.length());
    ascii.chars().forEach(out::write);
    return this;
  }

  public WasmWriter section(int id, WasmWriter content) {
    return bytes(id).u(content.out.size()).bytes(content);
  }

  public WasmWriter section(int id, int... content) {
    return section(id, empty().bytes(content));
  }

  /** A section of one function, with these groups of locals and these instructions. */
  public WasmWriter code(WasmWriter locals, WasmWriter instructions) {
    WasmWriter body = empty().bytes(locals).bytes(instructions);
    return section(10, empty().u(1).u(body.out.size()).bytes(body));
  }

  public byte[] toBytes() {
    return out.toByteArray();
  }
}
