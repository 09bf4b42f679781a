package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.admission.Bombs;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Modules made to take down who loads them. */
class BombsTest {
  /** In a JVM whose memory one of them would fill. */
  @Test
  void bombs_areRefusedInLittleMemoryAndTime() throws Exception {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                classPath,
                "io.busbar.engine.BombsTest$Run")
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertTrue(said.contains("ALL FINE"), said);
  }

  /** The other JVM. */
  static final class Run {
    private static final long MOST_MILLIS = 3_000;

    public static void main(String[] args) {
      try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
        for (Bombs bomb : Bombs.values()) {
          refuse(compiler, bomb);
        }
      }
      System.out.println("ALL FINE");
    }

    private static void refuse(Compiler compiler, Bombs bomb) {
      byte[] wasm = bomb.bytes();
      long start = System.nanoTime();
      try {
        compiler.load(wasm);
        throw new AssertionError(bomb + " was loaded");
      } catch (WasmException e) {
        long millis = (System.nanoTime() - start) / 1_000_000;
        if (e.failure() != bomb.failure || !e.getMessage().equals(bomb.text)) {
          throw new AssertionError(bomb + " failed with " + e);
        } else if (millis > MOST_MILLIS) {
          throw new AssertionError(bomb + " took " + millis + " ms");
        }
      }
    }
  }

  @Test
  void fallingNames_areDropped_andTheModuleRuns() {
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      CompiledModule module = compiler.load(Bombs.fallingNames(300_000));
      assertNull(module.wasm().nameSection());
      assertEquals(List.of(), Guest.start(Guest.Plan.of(module, "g"), null).call("run", List.of()));
    }
  }

  @Test
  void tenThousandFunctions_areLoaded() {
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      assertEquals(0, compiler.load(Bombs.functions(10_000).toBytes()).info().exports().size());
    }
  }
}
