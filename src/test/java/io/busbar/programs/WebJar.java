package io.busbar.programs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** An npm package that Maven brings: its files are on the class path. */
public record WebJar(String name, String version) {
  /** A file of the package, of this digest; an {@link AssertionError} for any other. */
  public byte[] file(String path, String sha256) {
    String resource = "/META-INF/resources/webjars/" + name + "/" + version + "/" + path;
    try (InputStream in = WebJar.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new AssertionError(resource + " is not on the class path");
      }
      return Digest.pinned(in.readAllBytes(), sha256, resource);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
