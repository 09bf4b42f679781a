package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import io.busbar.model.Caller;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** argon2-browser: hashes passwords, slowly by design; its import copies inside its memory. */
final class Argon2Test {
  private static final NpmPackage PACKAGE = new NpmPackage("argon2-browser", "1.18.0");
  private static final int ARGON2I = 1;
  private static final int ARGON2ID = 2;

  @EachMachine
  void argon2i_knownPassword_givesTheKnownHash(Compiler.Mode mode) {
    assertHash(
        mode,
        ARGON2I,
        "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f",
        "3fc89d9abac143fc0d4c640f2234ffa3c4585c156259d92603bea2ca0cb98295");
  }

  @EachMachine
  void argon2id_knownPassword_givesTheKnownHash(Compiler.Mode mode) {
    assertHash(
        mode,
        ARGON2ID,
        "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
        "b5d02664a3f2372113089476d3a6b88e4dc0038de85f5bd60f08a697f8a3cc08");
  }

  private static void assertHash(Compiler.Mode mode, int type, String hash, String memory) {
    byte[] wasm =
        PACKAGE.file(
            "dist/argon2.wasm", "0c2149886c13e4eae4a6ca25ee71d47423c5c8740a874cf04ff816d1b2c901d7");
    try (Node node = Node.start(mode)) {
      Program argon2 = node.start(wasm, Map.of("a.a", Argon2Test::copy));
      argon2.call("d");
      int password = argon2.store("f", "password\0".getBytes(US_ASCII));
      int salt = argon2.store("f", "somesalt\0".getBytes(US_ASCII));
      int out = argon2.i32("f", 32);
      int encoded = argon2.i32("f", 256);
      assertEquals(
          0, argon2.i32("e", 2, 256, 1, password, 8, salt, 8, out, 32, encoded, 256, type, 0x13));
      assertEquals(hash, HexFormat.of().formatHex(argon2.read(out, 32)));
      assertEquals(memory, argon2.memoryDigest());
    }
  }

  private static List<?> copy(Caller caller, List<Object> args) {
    int to = (Integer) args.get(0);
    int from = (Integer) args.get(1);
    int length = (Integer) args.get(2);
    caller.write(to, caller.read(from, length));
    return List.of(0);
  }
}
