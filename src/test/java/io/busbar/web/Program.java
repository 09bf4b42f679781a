package io.busbar.web;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * A program of this machine. Where it is missing, a test is skipped; it fails instead where the
 * system property of this name is true.
 */
record Program(String name, String property) {
  /** Where it is. */
  Path path() {
    return find().orElseGet(this::missing);
  }

  Optional<Path> find() {
    for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
      Path path = Path.of(folder, name);
      if (Files.isExecutable(path)) {
        return Optional.of(path);
      }
    }
    return Optional.empty();
  }

  private Path missing() {
    String message = "`" + name + "` is needed, and not on the path";
    if (Boolean.getBoolean(property)) {
      return Assertions.fail(message);
    }
    return Assumptions.abort(message);
  }
}
