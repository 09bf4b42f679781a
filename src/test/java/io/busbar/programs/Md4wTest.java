package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import io.busbar.model.Caller;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Map;

/**
 * md4w: Markdown to HTML, given out in chunks by a callback whose i64 is an address and a length.
 */
final class Md4wTest {
  private static final NpmPackage PACKAGE = new NpmPackage("md4w", "0.2.7");
  private static final int FLAGS = 0x0b07;
  private static final int CHUNK_BYTES = 512;

  private final ByteArrayOutputStream html = new ByteArrayOutputStream();

  @EachMachine
  void heading_rendered_isHtml(Compiler.Mode mode) {
    try (Node node = Node.start(mode)) {
      Program md4w = render(node, "# hi *x*");
      assertEquals(
          "<h1>hi <em>x</em> "
              + "<a class=\"anchor\" aria-hidden=\"true\" id=\"hi-x\" href=\"#hi-x\"></a></h1>\n",
          html.toString(US_ASCII));
      assertEquals(
          "45c23ce5f4598617ab28a001b690a4efe53919f4660ccb37b1bcb5aa11dbd2a2",
          Digest.of(html.toByteArray()));
      assertEquals(
          "05b615816c5ebe77716dd248fe8cb741b4e57a8475c192a57d37f12001066072", md4w.memoryDigest());
    }
  }

  @EachMachine
  void longText_rendered_comesInChunks(Compiler.Mode mode) {
    try (Node node = Node.start(mode)) {
      Program md4w = render(node, "# hi *x*\n\nto and **fro**\n".repeat(20));
      assertEquals(
          "eb0aedb3bd9a32dd5e0649d0190687c15efd851a427e13c96ed81a8b0f15f53d",
          Digest.of(html.toByteArray()));
      assertEquals(
          "76f0b93f774f4715d60b2bb69b11904dfd14353a1c9c01c76825949883710cbb", md4w.memoryDigest());
    }
  }

  private Program render(Node node, String markdown) {
    byte[] wasm =
        PACKAGE.file(
            "js/md4w-small.wasm",
            "47c8c14da56c5f728b5ff14e087054e9f8a45107f012989d75341f7d1199fda7");
    Program md4w = node.start(wasm, Map.of("env.emitChunk", this::emit));
    long input = md4w.i64("allocMem", markdown.length());
    md4w.write(address(input), markdown.getBytes(US_ASCII));
    long last = md4w.i64("render", input, FLAGS, CHUNK_BYTES, 0, 0);
    html.writeBytes(md4w.read(address(last), length(last)));
    return md4w;
  }

  private List<?> emit(Caller caller, List<Object> args) {
    long chunk = (Long) args.get(0);
    html.writeBytes(caller.read(address(chunk), length(chunk)));
    return List.of();
  }

  private static int address(long slice) {
    return (int) slice;
  }

  private static int length(long slice) {
    return (int) (slice >>> 32);
  }
}
