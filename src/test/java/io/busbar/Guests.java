package io.busbar;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The guests of the tests: wasm text among the test resources. */
public final class Guests {
  private Guests() {}

  /** The text of {@code guests/<name>.wat}. */
  public static byte[] text(String name) {
    String path = "/guests/" + name + ".wat";
    try (InputStream in = Guests.class.getResourceAsStream(path)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
