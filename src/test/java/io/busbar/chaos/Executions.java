package io.busbar.chaos;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A worker's log: a line with id and time for each call that ran there, whole at any moment. */
final class Executions {
  private final OutputStream file;

  private Executions(OutputStream file) {
    this.file = file;
  }

  static Executions to(Path file) {
    try {
      return new Executions(new FileOutputStream(file.toFile(), true));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Unbuffered: with the process nothing is lost that it has run. */
  synchronized void ran(long id) {
    byte[] line = (id + " " + System.currentTimeMillis() + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      file.write(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
