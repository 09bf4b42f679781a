package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.Compiler;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line: what it prints, and the code it ends with. */
class MainTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void copyGuests() throws IOException {
    for (String guest : new String[] {"wasm_test", "vectors", "globals", "multi", "loops"}) {
      Files.write(folder.resolve(guest + ".wat"), Guests.text(guest));
    }
    Files.write(folder.resolve("multi.wasm"), Compiler.toBinary(Guests.text("multi")));
  }

  private int run(String... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.line(new PrintWriter(out, true), new PrintWriter(err, true)).execute(args);
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private void assertPrints(String expected, String... args) {
    assertEquals(0, run(args), err::toString);
    assertEquals(expected, out.toString());
    assertEquals("", err.toString());
  }

  private void assertFails(int code, String said, String... args) {
    assertEquals(code, run(args));
    assertEquals("busbar: " + said + "\n", err.toString());
    assertEquals("", out.toString());
  }

  @Test
  void call_printsResultsOneALine() {
    assertPrints("42\n", "call", file("wasm_test.wat"), "sum", "50", "-8");
    assertPrints("", "call", file("wasm_test.wat"), "void");
    assertPrints(
        "9007199254740993\n1\n", "call", file("multi.wasm"), "swap", "1", "9007199254740993");
    assertPrints("NaN\n", "call", file("wasm_test.wat"), "f64_f64", "NaN");
    assertPrints("-0.5\n", "call", file("wasm_test.wat"), "f32_f32", "-0.5");
    String vector = "0x" + "0f".repeat(16);
    assertPrints(vector + "\n", "call", file("vectors.wat"), "v128_v128", vector);
    assertPrints("55\n", "call", "--machine=interpreted", file("multi.wat"), "fib", "10");
  }

  @Test
  void call_endsWithTheCodeOfItsFailure() throws IOException {
    assertFails(3, file("no.wasm") + ": no such file", "call", file("no.wasm"), "f");
    assertFails(3, "exported function `nope` not found", "call", file("multi.wat"), "nope");
    assertFails(
        3,
        "number of params does not match. expected 2, got 1",
        "call",
        file("wasm_test.wat"),
        "sum",
        "1");
    assertFails(
        3,
        "Cannot convert argument #1 to a WebAssembly i32 value. Given `String`.",
        "call",
        file("wasm_test.wat"),
        "sum",
        "one",
        "2");
    assertFails(
        5, "wasm trap: integer divide by zero", "call", file("multi.wat"), "divide", "1", "0");
    assertFails(
        6,
        "deadline of 100 ms exceeded (interrupted)",
        "call",
        "--timeout=100",
        file("loops.wat"),
        "br_if");
    assertFails(
        7,
        "a non-null funcref came out: a reference cannot leave its instance",
        "call",
        file("multi.wat"),
        "a_funcref");
    Path text = Files.writeString(folder.resolve("bad.wat"), "(module");
    assertEquals(4, run("call", text.toString(), "f"));
    assertTrue(err.toString().startsWith("busbar: Error while parsing bytes: 1:"), err::toString);
    assertEquals(1, err.toString().lines().count());
    Path wants =
        Files.writeString(folder.resolve("wants.wat"), "(module (import \"env\" \"f\" (func)))");
    assertFails(4, "unknown import: `env::f` has not been defined", "call", wants.toString(), "f");
  }

  @Test
  void inspect_printsATable() {
    assertEquals(0, run("inspect", file("globals.wat")));
    assertTrue(
        out.toString().contains("export  global    count_64                          mut i64\n"),
        out::toString);
  }

  @Test
  void inspect_printsJson() {
    assertEquals(0, run("inspect", "--json", file("wasm_test.wat")));
    JsonObject module = new JsonObject(out.toString());
    assertEquals("wasmex_test", module.getString("name"));
    assertEquals(16, module.getJsonArray("exports").size());
  }

  @Test
  void misuse_isOneLineAndCodeTwo() {
    assertFails(2, "Unmatched argument at index 0: 'frob' (see busbar --help)", "frob");
    assertFails(
        2, "Missing required parameters: 'FILE', 'FUNCTION' (see busbar call --help)", "call");
    assertFails(2, "Unknown option: '--nope' (see busbar serve --help)", "serve", "--nope");
    assertEquals(2, run());
  }

  @Test
  void serve_saysWhatItCannotDo() {
    assertFails(
        3,
        "cannot listen on `0.0.0.0`: without authentication only loopback is allowed",
        "serve",
        "--dev",
        "--host",
        "0.0.0.0");
    assertFails(
        3,
        "cannot listen on `0.0.0.0`: without `http.tls` tokens could be read on their way; say"
            + " `http.plaintext` where something else in front of it does the encryption",
        "serve",
        "--host",
        "0.0.0.0");
    assertFails(
        2, "`port` must be 0 to 65535, not -1 (see busbar serve --help)", "serve", "--port=-1");
    assertEquals(2, run("serve", "--config", file("none.json")));
    assertFails(
        2,
        "a cluster on `192.0.2.1` is refused: without `cluster.tls` whoever reaches its ports could"
            + " do anything, so only loopback is allowed (see busbar serve --help)",
        "serve",
        "--cluster",
        "--cluster-host=192.0.2.1");
    assertFails(
        2,
        "a cluster on `0.0.0.0` is refused: others cannot reach a node by that address"
            + " (see busbar serve --help)",
        "serve",
        "--cluster",
        "--cluster-host=0.0.0.0");
  }

  @Test
  void help_isThereForEach() {
    for (String command : new String[] {"call", "inspect", "serve"}) {
      assertEquals(0, run(command, "--help"));
      assertTrue(out.toString().startsWith("Usage: busbar " + command));
    }
  }
}
