package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.GuestStart;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limits;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Exceptions, deep stacks, other proposals. */
class ReentryTest {
  private static final Signature NOTHING = Signature.of(List.of(), List.of());
  private Compiler compiler;

  static {
    new Exception().getStackTrace()[0].toString(); // see StackTest: or the test runner dies
  }

  @AfterEach
  void stop() {
    compiler.close();
  }

  private CompiledModule load(Compiler.Mode mode, String wat) {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
    return compiler.load(Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8)));
  }

  private Guest start(Compiler.Mode mode, String wat, HostCall call) {
    return GuestStart.guest(
        load(mode, wat),
        "guest",
        List.of(new ImportSpec("env", "f", NOTHING, "a")),
        call,
        Limits.STANDARD);
  }

  /** Runs on a big stack for at most {@code millis}, then is interrupted every 5 ms for 2 s. */
  private static String run(Guest g, String function, long millis) throws Exception {
    AtomicReference<String> said = new AtomicReference<>("never ended");
    Thread t =
        new Thread(
            null,
            () -> {
              try {
                said.set("" + g.call(function, List.of()));
              } catch (WasmException e) {
                said.set(e.toString() + " " + e.frames());
              } catch (Throwable e) {
                said.set("RAW " + e);
              }
            },
            "t",
            8 << 20);
    t.setDaemon(true);
    t.start();
    t.join(millis);
    for (int i = 0; i < 400 && t.isAlive(); i++) {
      t.interrupt();
      t.join(5);
    }
    return said.get();
  }

  /**
   * Functions host, trap and spin: a try_table that catches all around each (wabt cannot say it).
   */
  private static final String CATCHING =
      "0061736d010000000108026000006000017f02090103656e760166000003040301010007160304686f7374000104747261700002047370696e00030a3c03120002401f4001020010000b41010f0b41020b110002401f40010200000b41010f0b41020b1500034002401f4001020003400c000b0b0b0c000b0b";

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void catchAll_catchesNeitherTrapsNorInterruptsNorHostFailures(Compiler.Mode mode)
      throws Exception {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
    CompiledModule m = compiler.load(HexFormat.of().parseHex(CATCHING));
    Guest g =
        GuestStart.guest(
            m,
            "guest",
            List.of(new ImportSpec("env", "f", NOTHING, "a")),
            (c, k, a) -> {
              throw new IllegalStateException("no");
            },
            Limits.STANDARD);
    assertTrue(run(g, "host", 1000).startsWith("HOST_FUNCTION"), run(g, "host", 1000));
    assertTrue(run(g, "trap", 1000).startsWith("TRAP"), run(g, "trap", 1000));
    assertTrue(run(g, "spin", 50).startsWith("CANCELLED"), run(g, "spin", 50));
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void stackExhausted_hasFrames(Compiler.Mode mode) throws Exception {
    Guest g =
        start(
            mode,
            "(module (func $rec (export \"rec\") (call $rec)) (func (export \"a\") (result i32) (i32.const 1)))",
            null);
    String said = run(g, "rec", 5000);
    assertTrue(said.startsWith("TRAP (4220): wasm trap: call stack exhausted [guest!rec"), said);
    assertEquals("[1]", run(g, "a", 1000));
  }

  /** After recursion through callbacks that ends in an exhausted stack the guest counts right. */
  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void depth_isZeroAfterAStackOverflowInCallbacks(Compiler.Mode mode) throws Exception {
    Guest g =
        start(
            mode,
            "(module (import \"env\" \"f\" (func $f)) (func $go (export \"go\") (call $f))"
                + " (func (export \"deep\") (param i32) (if (i32.eqz (local.get 0)) (then (call $f)) (else (call 2 (i32.sub (local.get 0) (i32.const 1)))))))",
            (c, k, a) -> {
              k.call("go", List.of());
              return List.of();
            });
    var entry = Guest.class.getDeclaredField("entry");
    entry.setAccessible(true);
    var depth = Entry.class.getDeclaredField("depth");
    depth.setAccessible(true);
    for (int i = 0; i < 15; i++) {
      String said = run(g, "go", 10_000);
      assertFalse(said.startsWith("RAW"), said.substring(0, Math.min(300, said.length())));
      assertEquals(0, depth.get(entry.get(g)), "round " + i);
    }
  }

  private String loading(String hex) {
    compiler = new Compiler(Compiler.Options.STANDARD);
    try {
      CompiledModule m = compiler.load(HexFormat.of().parseHex(hex.replace(" ", "")));
      try {
        GuestStart.guest(m, "g", List.of(), null, Limits.STANDARD);
        return "started";
      } catch (WasmException e) {
        return "start: " + e;
      }
    } catch (WasmException e) {
      return "load: " + e;
    } catch (Throwable e) {
      return "RAW " + e;
    }
  }

  @Test
  void otherProposals() {
    String[][] modules = {
      {"memory64", "0061736d01000000 0503 01 04 01"},
      {"memory min 65536", "0061736d01000000 0505 01 00 808004"},
      {"memory min>max", "0061736d01000000 0504 01 01 02 01"},
      {"memory min 65537", "0061736d01000000 0505 01 00 818004"},
      {"shared", "0061736d01000000 0504 01 03 01 02"},
      {"shared no max", "0061736d01000000 0503 01 02 01"},
      {"component", "0061736d0d000100"},
      {"version 2", "0061736d02000000"},
      {"export unknown func", "0061736d01000000 0705 01 01 61 00 05"},
      {"export unknown memory", "0061736d01000000 0705 01 01 61 02 00"},
      {"export unknown global", "0061736d01000000 0705 01 01 61 03 00"},
      {"export unknown table", "0061736d01000000 0705 01 01 61 01 00"},
      {"export unknown tag", "0061736d01000000 0705 01 01 61 04 00"},
      {"start unknown", "0061736d01000000 0801 05"},
      {"func without code", "0061736d01000000 010401600000 03020100"},
      {"bad type index", "0061736d01000000 03020109 0a040102000b"},
      {
        "dup exports",
        "0061736d01000000 010401600000 03020100 0709 02 0161 00 00 0161 00 00 0a040102000b"
      },
      {"gc struct", "0061736d01000000 0105 01 5f 01 7f 00"},
      {"datacount mismatch", "0061736d01000000 0c0105"},
      {"huge table min", "0061736d01000000 0407 01 70 00 ffffffff 0f"},
      {
        "bad utf8 export", "0061736d01000000 010401600000 03020100 0705 01 01 ff 00 00 0a040102000b"
      },
      {"bad name section", "0061736d01000000 0009 046e616d65 01ff 0102"},
      {"only magic", "0061736d"},
    };
    StringBuilder bad = new StringBuilder();
    for (String[] m : modules) {
      String said = loading(m[1]);
      if (said.contains("INTERNAL") || said.startsWith("RAW")) {
        bad.append(m[0]).append(": ").append(said).append('\n');
      }
      compiler.close();
    }
    assertEquals("", bad.toString());
  }

  @Test
  void sameImportTwice_isALinkError() {
    Signature other = Signature.of(List.of(), List.of());
    try {
      GuestStart.guest(
          load(Compiler.Mode.COMPILED, "(module (import \"env\" \"f\" (func)))"),
          "g",
          List.of(new ImportSpec("env", "f", NOTHING, "a"), new ImportSpec("env", "f", other, "b")),
          null,
          Limits.STANDARD);
      assertTrue(false, "the second silently replaces the first");
    } catch (WasmException e) {
      assertEquals("import of `env::f` defined twice", e.getMessage());
    }
  }

  /** A large module becomes compiled while a callback of its first call waits. */
  @Test
  void swapDuringACallback() throws Exception {
    StringBuilder wat =
        new StringBuilder(
            "(module (import \"env\" \"f\" (func $f)) (global $n (mut i32) (i32.const 0))"
                + "(func (export \"go\") (result i32) (local i32) (local.set 0 (i32.const 5)) (call $f) (i32.add (local.get 0) (global.get $n)))"
                + "(func (export \"inc\") (global.set $n (i32.add (global.get $n) (i32.const 1))))"
                + "(func (export \"bad\") (unreachable))");
    for (int i = 0; i < 3000; i++) {
      wat.append(
          "(func (param i32) (result i32) local.get 0 i32.const "
              + i
              + " i32.add i32.const 3 i32.mul i32.const 9 i32.xor)\n");
    }
    compiler = new Compiler(Compiler.Options.STANDARD.withInlineBytes(10));
    CompiledModule m = compiler.load(Compiler.toBinary((wat + ")").getBytes()));
    AtomicReference<WasmException> nested = new AtomicReference<>();
    Guest g =
        GuestStart.guest(
            m,
            "g",
            List.of(new ImportSpec("env", "f", NOTHING, "a")),
            (c, k, a) -> {
              k.call("inc", List.of());
              io.busbar.Until.isTrue(m::isCompiled);
              k.call("inc", List.of());
              try {
                k.call("bad", List.of());
              } catch (WasmException e) {
                nested.set(e);
              }
              return List.of();
            },
            Limits.STANDARD);
    assertEquals(List.of(7), g.call("go", List.of()));
    assertTrue(m.isCompiled());
    assertEquals(Failure.TRAP, nested.get().failure());
    assertEquals(List.of("g!bad"), nested.get().frames());
    assertEquals(List.of(9), g.call("go", List.of()));
  }
}
