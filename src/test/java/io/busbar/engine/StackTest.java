package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.GuestStart;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limits;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A stack that ends inside Java code leaves JDK classes that were being initialised there unusable
 * for the rest of the JVM's life. In a JVM of its own, since it also breaks the test runner.
 */
class StackTest {
  @ParameterizedTest
  @CsvSource({
    "nested,interpreted,0",
    "nested,interpreted,1",
    "flat,interpreted,2",
    "flat,interpreted,5",
    "nested,compiled,0"
  })
  void exhaustedStackInACallback_harmsNothingElse(String how, String mode, String stack)
      throws Exception {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                "io.busbar.engine.StackTest$Run",
                how,
                mode,
                stack)
            .redirectErrorStream(true)
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(said.contains("ALL FINE") && !said.contains("INTERNAL"), said);
  }

  /** The other JVM. */
  static final class Run {
    public static void main(String[] args) throws Exception {
      Compiler compiler =
          new Compiler(
              Compiler.Options.STANDARD.withMode(Compiler.Mode.valueOf(args[1].toUpperCase())));
      String wat =
          "(module (import \"env\" \"f\" (func $f)) (func $go (export \"go\") (call $f))"
              + " (func $flat (export \"flat\") (call $f) (call $flat))"
              + " (func (export \"bad\") (unreachable)))";
      CompiledModule module =
          compiler.load(Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8)));
      boolean nested = args[0].equals("nested");
      Guest guest =
          GuestStart.guest(
              module,
              "g",
              List.of(new ImportSpec("env", "f", Signature.of(List.of(), List.of()), "a")),
              (called, caller, params) -> {
                if (nested) {
                  caller.call("go", List.of());
                }
                return List.of();
              },
              Limits.STANDARD);
      for (int i = 0; i < 5; i++) {
        Thread thread =
            new Thread(
                null,
                () -> {
                  try {
                    guest.call(nested ? "go" : "flat", List.of());
                  } catch (WasmException e) {
                    String text = e.toString();
                    System.out.println(text.substring(0, Math.min(100, text.length())));
                  } catch (Throwable e) {
                    System.out.println("RAW " + e.getClass() + " " + e.getMessage());
                  }
                },
                "t",
                (8 << 20) + Integer.parseInt(args[2]) * 65_536L);
        thread.start();
        thread.join();
      }
      try {
        guest.call("bad", List.of());
      } catch (WasmException e) {
        System.out.println(e + " " + e.frames());
      } catch (Throwable e) {
        System.out.println("RAW " + e.getClass() + " " + e.getMessage());
        System.exit(1);
      }
      new Exception().getStackTrace()[0].toString();
      System.out.println("ALL FINE");
      System.exit(0);
    }
  }
}
