package io.busbar.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import org.junit.jupiter.api.Test;

/** WasmBoy, a Game Boy without a cartridge: millions of instructions, and a memory of 9 MB. */
final class WasmBoyTest {
  private static final NpmPackage PACKAGE = new NpmPackage("wasmboy", "0.7.1");

  @EachMachine
  void gameBoy_after60Frames_hasTheMemoryOfAnotherEngine(Compiler.Mode mode) {
    try (Node node = Node.start(mode)) {
      assertPlays(node);
    }
  }

  @Test
  void gameBoy_compiledWhileItPlays_hasTheMemoryOfAnotherEngine() {
    try (Node node = Node.startSwitching()) {
      assertPlays(node);
    }
  }

  private static void assertPlays(Node node) {
    byte[] wasm =
        PACKAGE.file(
            "dist/core/core.untouched.wasm",
            "f2d6a734ce5c3e752c98173b194128fd72f688d0cff226a3e5f61d9930de83a8");
    Program boy = node.start(wasm);
    boy.call("config", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    for (int frame = 0; frame < 60; frame++) {
      assertEquals(0, boy.i32("executeFrame"));
    }
    assertEquals(
        "7760f6c09067c547cec1c70065bb712b475b93f246ee98f6e2680a5506d2f8c1", boy.memoryDigest());
  }
}
