package io.busbar;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * The guests of the tests, among the test resources: wasm text, and what was built of other
 * languages.
 */
public final class Guests {
  private Guests() {}

  /** The text of {@code guests/<name>.wat}. */
  public static byte[] text(String name) {
    return bytes("/guests/" + name + ".wat");
  }

  /** {@code guests/<name>.wasm}; its source is in {@code src/test/guests/<name>}. */
  public static byte[] binary(String name) {
    return bytes("/guests/" + name + ".wasm");
  }

  private static byte[] bytes(String path) {
    try (InputStream in = Guests.class.getResourceAsStream(path)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
