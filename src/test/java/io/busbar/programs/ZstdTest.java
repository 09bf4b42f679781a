package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import java.util.Base64;
import java.util.stream.IntStream;

/** zstd: unpacks what the command of that name packed, with {@code zstd -19}. */
final class ZstdTest {
  private static final NpmPackage PACKAGE = new NpmPackage("@bokuweb/zstd-wasm", "0.0.27");
  private static final byte[] PACKED =
      Base64.getDecoder()
          .decode(
              "KLUv/WQaCE0EACKIFhGg7VhkJ2wXqu5vrZRR4H7WwKZLkx7dzf1eEdpwYcKDm5nPyyKweTn5eJ//70W42bJkx/by"
                  + "fkVYU8ho/gphChnNXwFaOy5qQscpknGqPEtqakzpUQU1aHqsBTyoEdD5/T8D8DXWESQE//8Jgf7QKmcBgGEAcCjA"
                  + "3219s5JYgFW1VYrDCZBVBVbifA==");

  @EachMachine
  void packedFile_unpacked_isTheFile(Compiler.Mode mode) {
    byte[] wasm =
        PACKAGE.file(
            "dist/esm/zstd.wasm",
            "80260eee5795ee8072bb5821e203730c74dca3909938f5ac1128da67f96223df");
    String file =
        IntStream.range(0, 60)
            .mapToObj(line -> "line " + line + " of a file that zstd made small\n")
            .collect(joining());
    try (Node node = Node.start(mode)) {
      Program zstd = node.start(wasm);
      zstd.call("g");
      int packed = zstd.store("s", PACKED);
      int unpacked = zstd.i32("s", file.length());
      assertEquals(file.length(), zstd.i32("r", unpacked, file.length(), packed, PACKED.length));
      assertEquals(file, new String(zstd.read(unpacked, file.length()), US_ASCII));
      assertEquals(
          "a6ac595ac67d6bc7068a5d5ac8bae511f117c399a5535d08703040af10c46835", zstd.memoryDigest());
    }
  }
}
