package io.busbar.bench;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The modules of the benchmarks, and guests of them without a host. */
final class Guests {
  private Guests() {}

  /** The binary of {@code bench/<name>.wat}. */
  static byte[] binary(String name) {
    try (InputStream wat = Guests.class.getResourceAsStream("/bench/" + name + ".wat")) {
      return Compiler.toBinary(wat.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The module, held for as long as the JVM runs. */
  static CompiledModule load(String name, Compiler.Mode mode) {
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode))) {
      return compiler.load(binary(name));
    }
  }

  static Guest start(CompiledModule module) {
    return Guest.start(Guest.Plan.of(module, "bench"), (spec, caller, args) -> args);
  }
}
