package io.busbar.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import java.util.HexFormat;

/** tiny-secp256k1: the curve of Bitcoin; its buffers are found by exported globals. */
final class Secp256k1Test {
  private static final NpmPackage PACKAGE = new NpmPackage("tiny-secp256k1", "2.2.4");

  @EachMachine
  void privateKeyOne_multiplied_isTheGenerator(Compiler.Mode mode) {
    byte[] wasm =
        PACKAGE.file(
            "lib/secp256k1.wasm",
            "5cbbcb8adc7acc3b78a3fd31c76d573302705ff5fd714d03f5a2602591197cb5");
    byte[] one = new byte[32];
    one[31] = 1;
    try (Node node = Node.start(mode)) {
      Program curve = node.start(wasm);
      curve.call("initializeContext");
      curve.write(curve.global("PRIVATE_INPUT"), one);
      assertEquals(1, curve.i32("pointFromScalar", 33));
      assertEquals(
          "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
          HexFormat.of().formatHex(curve.read(curve.global("PUBLIC_KEY_INPUT"), 33)));
      assertEquals(
          "63cf9d3277cef9cdf7cbbcf84c6c03374b2d15294bf6d88384fef710e2eb5285", curve.memoryDigest());
    }
  }
}
