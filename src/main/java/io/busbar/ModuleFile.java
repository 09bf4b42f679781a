package io.busbar;

import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A module in a file: wasm, or wasm text. */
final class ModuleFile {
  private ModuleFile() {}

  /** Its binary; fails with {@code BAD_REQUEST} where it cannot be read. */
  static byte[] read(Path file) {
    try {
      return Compiler.toBinary(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw Failure.BAD_REQUEST.because("%s: no such file", file);
    } catch (IOException e) {
      throw Failure.BAD_REQUEST.because("%s: cannot be read (%s)", file, e);
    }
  }
}
