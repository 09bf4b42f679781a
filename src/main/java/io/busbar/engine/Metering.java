package io.busbar.engine;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.FunctionBody;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Locale;

/**
 * A module rewritten to pay for what it runs: three functions are added at the end of its function
 * index space, and calls of them wherever a stretch of instructions begins that runs as a whole.
 *
 * <p>Nothing the module has is renumbered, so everything else of it stays as it is. The functions
 * only mark the places: the interpreter and the generated classes do {@link Fuel}'s work instead,
 * and a machine that knew nothing of it would trap at the first.
 */
final class Metering {
  /** The functions that are added, in this order. */
  enum Mark {
    CHARGE,
    LOOP,
    ENTER;

    /** Does its work. */
    void pay(int cost) {
      switch (this) {
        case CHARGE -> Fuel.charge(cost);
        case LOOP -> Fuel.loop(cost);
        case ENTER -> Fuel.enter(cost);
      }
    }

    /** The method of {@link Fuel} that does it. */
    String fuel() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The mark that this function is; null for a function of the module itself. */
    static Mark of(int function, int first) {
      return function < first ? null : values()[function - first];
    }
  }

  private static final int TYPE_SECTION = 1;
  private static final int FUNCTION_SECTION = 3;
  private static final int CODE_SECTION = 10;
  private static final int HEADER = 8;
  private static final byte[] MARK_TYPE = {0x60, 1, 0x7F, 0}; // (i32) -> ()
  private static final byte[] MARK_BODY = {3, 0, 0x00, 0x0B}; // unreachable

  private final byte[] wasm;
  private final WasmModule module;
  private final int first;
  private final Bytes out;
  private int at;

  private Metering(byte[] wasm, WasmModule module) {
    this.wasm = wasm;
    this.module = module;
    this.first = functions(module);
    this.out = new Bytes(wasm.length + wasm.length / 4);
  }

  private static int functions(WasmModule module) {
    return module.importSection().count(ExternalType.FUNCTION)
        + module.functionSection().functionCount();
  }

  /** The index of the first function that was added to a module. */
  static int firstMark(WasmModule rewritten) {
    int functions = functions(rewritten);
    return rewritten.codeSection().functionBodyCount() == 0
        ? functions
        : functions - Mark.values().length;
  }

  /** The binary of a valid module, metered; the same bytes where it defines no function. */
  static byte[] rewrite(byte[] wasm, WasmModule module) {
    return module.codeSection().functionBodyCount() == 0
        ? wasm
        : new Metering(wasm, module).rewrite();
  }

  private byte[] rewrite() {
    out.write(wasm, 0, HEADER);
    at = HEADER;
    while (at < wasm.length) {
      int id = wasm[at++];
      int size = unsigned();
      section(id, at + size);
    }
    return out.toByteArray();
  }

  private void section(int id, int end) {
    Bytes section = new Bytes(end - at + 64);
    switch (id) {
      case TYPE_SECTION -> {
        section.unsigned(unsigned() + 1);
        section.write(wasm, at, end - at);
        section.writeBytes(MARK_TYPE);
      }
      case FUNCTION_SECTION -> {
        section.unsigned(unsigned() + Mark.values().length);
        section.write(wasm, at, end - at);
        int type = module.typeSection().types().length;
        for (int i = 0; i < Mark.values().length; i++) {
          section.unsigned(type);
        }
      }
      case CODE_SECTION -> code(section);
      default -> section.write(wasm, at, end - at);
    }
    at = end;
    out.write(id);
    out.unsigned(section.size());
    section.appendTo(out);
  }

  private void code(Bytes section) {
    int bodies = unsigned();
    section.unsigned(bodies + Mark.values().length);
    for (int i = 0; i < bodies; i++) {
      int size = unsigned();
      Bytes body = body(module.codeSection().getFunctionBody(i), at + size);
      section.unsigned(body.size());
      body.appendTo(section);
      at += size;
    }
    for (int i = 0; i < Mark.values().length; i++) {
      section.writeBytes(MARK_BODY);
    }
  }

  /** The body from the present place up to {@code end}, with its marks. */
  private Bytes body(FunctionBody function, int end) {
    Bytes body = new Bytes((end - at) * 2);
    int copied = at;
    List<Stretches.Stretch> stretches = Stretches.of(function.instructions());
    for (Stretches.Stretch stretch : stretches) {
      body.write(wasm, copied, stretch.address() - copied);
      body.constant(stretch.cost());
      body.call(first + stretch.mark().ordinal());
      copied = stretch.address();
    }
    body.write(wasm, copied, end - copied);
    return body;
  }

  private int unsigned() {
    int value = 0;
    int shift = 0;
    byte next;
    do {
      next = wasm[at++];
      value |= (next & 0x7F) << shift;
      shift += 7;
    } while (next < 0);
    return value;
  }

  /** A part of a binary that is being written. */
  private static final class Bytes extends ByteArrayOutputStream {
    private static final int I32_CONST = 0x41;
    private static final int CALL = 0x10;

    Bytes(int size) {
      super(size);
    }

    void unsigned(int value) {
      int rest = value;
      while (rest >>> 7 != 0) {
        write(rest & 0x7F | 0x80);
        rest >>>= 7;
      }
      write(rest);
    }

    /** {@code i32.const} of a number that is not negative. */
    void constant(int value) {
      write(I32_CONST);
      int rest = value;
      while (rest >>> 6 != 0) { // the seventh bit is the sign
        write(rest & 0x7F | 0x80);
        rest >>>= 7;
      }
      write(rest);
    }

    void call(int function) {
      write(CALL);
      unsigned(function);
    }

    void appendTo(Bytes other) {
      other.write(buf, 0, count);
    }
  }
}
