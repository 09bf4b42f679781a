package io.busbar.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** WasmBoy, a Game Boy without a cartridge: millions of instructions, and a memory of 9 MB. */
final class WasmBoyTest {
  private static final NpmPackage PACKAGE = new NpmPackage("wasmboy", "0.7.1");

  @Test
  void gameBoy_compiled_hasTheMemoryOfAnotherEngine() {
    try (Node node = Node.start(Compiler.Mode.COMPILED)) {
      assertPlays(node);
    }
  }

  @Test
  void gameBoy_interpreted_hasTheMemoryOfAnotherEngineAfterATenth() {
    try (Node node = Node.start(Compiler.Mode.INTERPRETED)) {
      assertPlays(node, 6, "4203e2dca33011e78f53ac6cf586bbc628af80f37a58cb04f9105c01dbdfe04e");
    }
  }

  @Test
  @Tag("slow")
  void gameBoy_interpreted_hasTheMemoryOfAnotherEngine() {
    try (Node node = Node.start(Compiler.Mode.INTERPRETED)) {
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
    assertPlays(node, 60, "7760f6c09067c547cec1c70065bb712b475b93f246ee98f6e2680a5506d2f8c1");
  }

  private static void assertPlays(Node node, int frames, String digest) {
    byte[] wasm =
        PACKAGE.file(
            "dist/core/core.untouched.wasm",
            "f2d6a734ce5c3e752c98173b194128fd72f688d0cff226a3e5f61d9930de83a8");
    Program boy = node.start(wasm);
    boy.call("config", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    for (int frame = 0; frame < frames; frame++) {
      assertEquals(0, boy.i32("executeFrame"));
    }
    assertEquals(digest, boy.memoryDigest());
  }
}
