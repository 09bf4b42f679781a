package io.busbar.spec;

import io.busbar.engine.Compiler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * The folder with the suite's scripts, given by the system property {@code busbar.spec}.
 *
 * <p>Where there is none, the test is skipped; it fails instead where the system property {@code
 * busbar.require.spec} is true.
 */
final class Suite {
  private static final Path FOLDER = Path.of(System.getProperty("busbar.spec", "../shared/spec"));

  private Suite() {}

  /** Plays the scripts of these names on one kind of machine. */
  static Tally play(Compiler.Mode mode, Predicate<String> names) {
    Tally tally = new Tally();
    try (Stage stage = new Stage(mode)) {
      for (Path script : scripts()) {
        String name = script.getFileName().toString();
        if (names.test(name)) {
          new Player(stage, name, tally).play(Script.read(script));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return tally;
  }

  static boolean isThere() {
    return !scripts().isEmpty();
  }

  /** Skips the test, or fails, where the suite is not there. */
  static void need() {
    if (!isThere()) {
      String message = "the specification's test suite is needed in " + FOLDER.toAbsolutePath();
      if (Boolean.getBoolean("busbar.require.spec")) {
        Assertions.fail(message);
      }
      Assumptions.abort(message);
    }
  }

  private static List<Path> scripts() {
    if (!Files.isDirectory(FOLDER)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(file -> file.toString().endsWith(".wast")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
