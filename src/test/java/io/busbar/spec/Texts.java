package io.busbar.spec;

import io.busbar.engine.UncheckedText;
import io.busbar.model.WasmException;
import io.busbar.spec.text.Assembler;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Texts of modules to binaries, valid or not: our validator judges. */
final class Texts {
  private static final Map<String, byte[]> KNOWN = new ConcurrentHashMap<>(); // of both machines

  private Texts() {}

  /**
   * By the product's own tool, or else by our assembler, which knows newer forms; fails with an
   * {@link IllegalArgumentException} where neither does.
   */
  static byte[] toBinary(byte[] text) {
    String key = new String(text, StandardCharsets.ISO_8859_1);
    return KNOWN.computeIfAbsent(key, wanted -> convert(text));
  }

  private static byte[] convert(byte[] text) {
    try {
      return UncheckedText.toBinary(text);
    } catch (WasmException e) {
      return Assembler.assemble(text);
    }
  }
}
