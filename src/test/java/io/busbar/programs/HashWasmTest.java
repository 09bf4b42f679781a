package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import java.util.HexFormat;
import java.util.List;

/** hash-wasm: one module per algorithm, without imports; the digests are the standards' own. */
final class HashWasmTest {
  private static final NpmPackage PACKAGE = new NpmPackage("hash-wasm", "4.13.0");
  private static final int CRC32_POLYNOMIAL = 0xedb88320;

  /** What a module makes of a text: the parameters of its functions, and the known digest. */
  private record Known(String algorithm, List<?> init, List<?> last, String text, String digest) {}

  private static final List<Known> KNOWN =
      List.of(
          known(
              "sha256",
              List.of(256),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
          known("md5", List.of(), "900150983cd24fb0d6963f7d28e17f72"),
          known("sha1", List.of(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
          known(
              "sha512",
              List.of(512),
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"),
          new Known(
              "sha3",
              List.of(256),
              List.of(6),
              "abc",
              "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
          known("ripemd160", List.of(), "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
          new Known(
              "blake3",
              List.of(0),
              List.of(32),
              "abc",
              "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
          known(
              "blake2b",
              List.of(512),
              "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"),
          known(
              "sm3", List.of(), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
          new Known("crc32", List.of(CRC32_POLYNOMIAL), List.of(), "123456789", "cbf43926"),
          known("md4", List.of(), "a448017aaf21d8525fc10ae87aa6729d"),
          known(
              "whirlpool",
              List.of(),
              "4e2448a4c6f486bb16b6562c73b4020bf3043e3a731bce721ae1b303d97e6d4c7181eebdb6c57e277d0e34957114cbd6c797fc9d95d8b582d225292076d4eef5"),
          known(
              "blake2s",
              List.of(256),
              "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"),
          new Known("adler32", List.of(), List.of(), "Wikipedia", "11e60398"));

  private static Known known(String algorithm, List<?> init, String digest) {
    return new Known(algorithm, init, List.of(), "abc", digest);
  }

  @EachMachine
  void knownTexts_hashed_giveTheStandardsDigests(Compiler.Mode mode) {
    JavaScript all =
        new JavaScript(
            PACKAGE.file(
                "dist/index.umd.min.js",
                "b43a59e36eafcb2f744eb23badd590ca23c7dad54fb0395522cec6fb85a6582c"));
    try (Node node = Node.start(mode)) {
      for (Known known : KNOWN) {
        Program program = node.start(all.moduleAfter("name:\"" + known.algorithm + "\",data:"));
        assertEquals(known.digest, hash(program, known), known.algorithm);
      }
    }
  }

  private static String hash(Program program, Known known) {
    int buffer = program.i32("Hash_GetBuffer");
    byte[] text = known.text.getBytes(US_ASCII);
    program.write(buffer, text);
    program.call("Hash_Init", known.init.toArray());
    program.call("Hash_Update", text.length);
    program.call("Hash_Final", known.last.toArray());
    return HexFormat.of().formatHex(program.read(buffer, known.digest.length() / 2));
  }
}
