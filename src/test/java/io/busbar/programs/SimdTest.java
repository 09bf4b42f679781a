package io.busbar.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import org.junit.jupiter.api.Test;

/** Programs built for SIMD, which no machine here has: they are refused before they can be run. */
final class SimdTest {
  @Test
  void llhttpOfUndici7_put_isRefusedNamingSimd() {
    byte[] file =
        new WebJar("undici", "7.27.1")
            .file(
                "lib/llhttp/llhttp_simd-wasm.js",
                "52c16227482700834512f2c2257eb44652f39b11f868600562274f476025e4bd");
    assertRefused(new JavaScript(file).moduleAfter("wasmBase64 = "));
  }

  @Test
  void llhttpOfUndici5_put_isRefusedNamingSimd() {
    assertRefused(
        new NpmPackage("undici", "5.28.4")
            .file(
                "lib/llhttp/llhttp_simd.wasm",
                "cd48aefa974e9fc21adec14ef0c73f0ad501b598078b12568ed129c320318154"));
  }

  @Test
  void argon2_put_isRefusedNamingSimd() {
    assertRefused(
        new NpmPackage("argon2-browser", "1.18.0")
            .file(
                "dist/argon2-simd.wasm",
                "b1a948019a8f4a798401f3f6abc669d8ed5b2ffb3f6b59d08b7f74b6834f8620"));
  }

  private static void assertRefused(byte[] wasm) {
    try (Node node = Node.start(Compiler.Mode.AUTO)) {
      WasmException refusal = assertThrows(WasmException.class, () -> Node.await(node.put(wasm)));
      assertEquals(Failure.INVALID_MODULE, refusal.failure());
      assertTrue(
          refusal.getMessage().contains("SIMD instructions are not supported"),
          refusal.getMessage());
    }
  }
}
