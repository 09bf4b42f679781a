package io.busbar.engine;

import java.util.ArrayList;
import java.util.List;

/** Wasm text to binaries as the product does it, but without validation. */
public final class UncheckedText {
  private UncheckedText() {}

  /** Fails with {@code INVALID_MODULE} where the tool cannot read the text. */
  public static byte[] toBinary(byte[] text) {
    List<String> options = new ArrayList<>(WasmText.FEATURES);
    options.add("--no-check");
    return WasmText.toBinary(text, options);
  }
}
