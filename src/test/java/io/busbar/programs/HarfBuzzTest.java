package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;

/** HarfBuzz: cuts fonts to size; its memory is 65 MB from the start. */
final class HarfBuzzTest {
  private static final NpmPackage PACKAGE = new NpmPackage("harfbuzzjs", "1.6.4");
  private static final int READONLY = 1;

  @EachMachine
  void blob_ofFiveBytes_hasTheMemoryOfAnotherEngine(Compiler.Mode mode) {
    byte[] wasm =
        PACKAGE.file(
            "dist/harfbuzz-subset.wasm",
            "62415fe6bad92ef16f3e5d2dbed6c66a4adec7f5a59c6d27084811c92cce1ba5");
    try (Node node = Node.start(mode)) {
      Program harfBuzz = node.start(wasm);
      harfBuzz.call("_initialize");
      int bytes = harfBuzz.store("malloc", "hello".getBytes(US_ASCII));
      int blob = harfBuzz.i32("hb_blob_create", bytes, 5, READONLY, 0, 0);
      assertEquals(5, harfBuzz.i32("hb_blob_get_length", blob));
      assertEquals(
          "e7fdd52366b7952a545bef895f617c3a4a53271e5d5ae65489b0eb69d91a7bf9",
          harfBuzz.memoryDigest());
    }
  }
}
