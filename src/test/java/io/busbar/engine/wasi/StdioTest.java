package io.busbar.engine.wasi;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.Budget;
import java.io.ByteArrayOutputStream;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Streams lose nothing below their capacity, and say where they lost something. */
class StdioTest {
  private static void write(Output stream, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    stream.write(bytes, bytes.length);
  }

  private static String text(Output.Chunk chunk) {
    return new String(chunk.bytes(), UTF_8);
  }

  @Test
  void bytes_comeOutAsTheyWentIn_howeverTheyArePieced() {
    Random random = new Random(1);
    Output stream = new Output(10_000, Budget.unbounded());
    ByteArrayOutputStream in = new ByteArrayOutputStream();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int held = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] piece = new byte[random.nextInt(300)];
      random.nextBytes(piece);
      if (held + piece.length <= 10_000) {
        stream.write(piece, piece.length);
        in.writeBytes(piece);
        held += piece.length;
      }
      Output.Chunk chunk = stream.read(random.nextInt(300));
      out.writeBytes(chunk.bytes());
      held -= chunk.bytes().length;
      assertEquals(held > 0, chunk.more());
      assertFalse(chunk.truncated());
    }
    out.writeBytes(stream.read(10_000).bytes());
    assertArrayEquals(in.toByteArray(), out.toByteArray());
  }

  @Test
  void overflow_isMarkedWhereItHappened() {
    Output stream = new Output(5, Budget.unbounded());
    write(stream, "1234");
    write(stream, "5678");
    write(stream, "9");
    Output.Chunk first = stream.read(3);
    assertEquals("123", text(first));
    assertTrue(first.more());
    assertFalse(first.truncated());
    write(stream, "lost");
    Output.Chunk second = stream.read(3);
    assertEquals("45", text(second));
    assertTrue(second.truncated());
    write(stream, "new");
    assertEquals("new", text(stream.read(3)));
  }

  @Test
  void text_isNotCutInsideACharacter() {
    Output stream = new Output(100, Budget.unbounded());
    byte[] euro = "a€".getBytes(UTF_8);
    stream.write(euro, 3);
    Output.Chunk first = stream.readText(100);
    assertEquals("a", text(first));
    assertFalse(first.more());
    stream.write(new byte[] {euro[3]}, 1);
    assertEquals("€", text(stream.readText(100)));
    write(stream, "€€");
    assertEquals("€", text(stream.readText(5)));
    assertEquals("€", text(stream.readText(5)));
    stream.write(euro, 3);
    stream.close();
    Output.Chunk last = stream.readText(100);
    assertEquals(3, last.bytes().length);
    assertTrue(last.closed());
  }
}
