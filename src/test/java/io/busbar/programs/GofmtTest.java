package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;

/** gofmt: Go's own formatter, built by TinyGo with its garbage collector. */
final class GofmtTest {
  private static final NpmPackage PACKAGE = new NpmPackage("@wasm-fmt/gofmt", "0.7.3");
  private static final String SOURCE = "package   main\nfunc main(){x:=1;_=x}";
  private static final int FORMATTED = 1;

  @EachMachine
  void crampedSource_formatted_isAsGoWritesIt(Compiler.Mode mode) {
    byte[] wasm =
        PACKAGE.file(
            "gofmt.wasm", "24da2e1b76c0ed5e4e3652aab25525ddce2fad95853a519b1e7750df45911c86");
    try (Node node = Node.start(mode)) {
      Program gofmt = node.start(wasm);
      gofmt.call("_initialize");
      gofmt.store("alloc", SOURCE.getBytes(US_ASCII));
      assertEquals(FORMATTED, gofmt.i32("format"));
      byte[] output = gofmt.read(gofmt.i32("output_ptr"), gofmt.i32("output_len"));
      assertEquals("package main\n\nfunc main() { x := 1; _ = x }\n", new String(output, US_ASCII));
      assertEquals(
          "2f789e33bf4673017e3d53de1c04dda67183e7a96362611a0eb3c828a7478bef", Digest.of(output));
      assertEquals(
          "52ab986574dafe6c39a1d2077cd94f0dbd0b76459b8b8d8be969e1cafd4b6929", gofmt.memoryDigest());
    }
  }
}
