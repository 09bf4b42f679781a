package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.busbar.GuestStart;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limits;
import io.busbar.model.Signature;
import io.busbar.model.V128;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The engine in both modes: traps, segments, vectors, callbacks. */
class EdgeTest {
  private Compiler compiler;

  @AfterEach
  void stop() {
    compiler.close();
  }

  private CompiledModule load(Compiler.Mode mode, String wat) {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
    return compiler.load(Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8)));
  }

  private static Guest start(CompiledModule m) {
    return GuestStart.guest(m, "guest", List.of(), null, Limits.STANDARD);
  }

  private static <T> T big(Callable<T> work) throws Exception {
    FutureTask<T> task = new FutureTask<>(work);
    Thread t = new Thread(null, task, "t", 8 << 20);
    t.setDaemon(true);
    t.start();
    try {
      return task.get();
    } catch (java.util.concurrent.ExecutionException e) {
      if (e.getCause() instanceof Exception x) {
        throw x;
      }
      throw (Error) e.getCause();
    }
  }

  private static final String TRAPS =
      """
      (module
        (type $v (func)) (type $i (func (result i32)))
        (memory 1)
        (memory $two 1)
        (table $t 4 funcref)
        (data $p "abc")
        (data $active (i32.const 0) "xyz")
        (elem $e func $f)
        (elem (table $t) (i32.const 0) func $f)
        (func $f)
        (func (export "unreachable") unreachable)
        (func (export "load") (drop (i32.load (i32.const -1))))
        (func (export "load_offset") (drop (i64.load offset=4294967295 (i32.const 1))))
        (func (export "store") (i32.store (i32.const 65533) (i32.const 0)))
        (func (export "fill") (memory.fill (i32.const 65535) (i32.const 0) (i32.const 2)))
        (func (export "fill_neg") (memory.fill (i32.const 1) (i32.const 0) (i32.const -1)))
        (func (export "copy") (memory.copy (i32.const 0) (i32.const -1) (i32.const 2)))
        (func (export "init") (memory.init $p (i32.const 0) (i32.const 0) (i32.const 4)))
        (func (export "init_neg") (memory.init $p (i32.const 0) (i32.const -1) (i32.const 1)))
        (func (export "init_negdest") (memory.init $p (i32.const -1) (i32.const 0) (i32.const 1)))
        (func (export "init_active") (memory.init $active (i32.const 0) (i32.const 0) (i32.const 1)))
        (func (export "init_dropped") (data.drop $p) (memory.init $p (i32.const 0) (i32.const 0) (i32.const 1)))
        (func (export "tget") (drop (table.get $t (i32.const 4))))
        (func (export "tget_neg") (drop (table.get $t (i32.const -1))))
        (func (export "tset") (table.set $t (i32.const 9) (ref.null func)))
        (func (export "tinit") (table.init $t $e (i32.const 4) (i32.const 0) (i32.const 1)))
        (func (export "tinit_seg") (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2)))
        (func (export "tinit_neg") (table.init $t $e (i32.const 0) (i32.const -1) (i32.const 1)))
        (func (export "tinit_dropped") (elem.drop $e) (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)))
        (func (export "tcopy") (table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 3)))
        (func (export "tcopy_neg") (table.copy $t $t (i32.const 0) (i32.const -1) (i32.const 1)))
        (func (export "tfill") (table.fill $t (i32.const 3) (ref.null func) (i32.const 2)))
        (func (export "tfill_neg") (table.fill $t (i32.const 1) (ref.null func) (i32.const -1)))
        (func (export "ci_oob") (call_indirect $t (type $v) (i32.const 4)))
        (func (export "ci_neg") (call_indirect $t (type $v) (i32.const -1)))
        (func (export "ci_null") (call_indirect $t (type $v) (i32.const 1)))
        (func (export "ci_type") (drop (call_indirect $t (type $i) (i32.const 0))))
        (func (export "rci_null") (return_call_indirect $t (type $v) (i32.const 1)))
        (func (export "div") (drop (i32.div_u (i32.const 1) (i32.const 0))))
        (func (export "rem") (drop (i64.rem_s (i64.const 1) (i64.const 0))))
        (func (export "ovf") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
        (func (export "ovf64") (drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1))))
        (func (export "trunc_nan") (drop (i32.trunc_f32_s (f32.const nan))))
        (func (export "trunc_ovf") (drop (i32.trunc_f64_s (f64.const 1e20))))
        (func (export "trunc_inf") (drop (i64.trunc_f64_u (f64.const inf))))
        (func $rec (export "rec") (call $rec))
        (func $reci (export "reci") (call_indirect $t (type $v) (i32.const 3)))
        (func (export "unaligned") (drop (i32.atomic.load (i32.const 1))))
        (func (export "wait_unshared") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 5) (i64.const 0))))
        (func (export "atomic_oob") (drop (i32.atomic.rmw.add (i32.const 65536) (i32.const 1))))
        (tag $tag (param i32))
        (func (export "throw") (throw $tag (i32.const 1)))
        (func (export "ok") (result i32) (i32.const 7))
      )
      """;

  private static final String[][] WORDS = {
    {"unreachable", "wasm `unreachable` instruction executed"},
    {"load", "out of bounds memory access"},
    {"load_offset", "out of bounds memory access"},
    {"store", "out of bounds memory access"},
    {"fill", "out of bounds memory access"},
    {"fill_neg", "out of bounds memory access"},
    {"copy", "out of bounds memory access"},
    {"init", "out of bounds memory access"},
    {"init_neg", "out of bounds memory access"},
    {"init_negdest", "out of bounds memory access"},
    {"init_active", "out of bounds memory access"},
    {"init_dropped", "out of bounds memory access"},
    {"tget", "undefined element: out of bounds table access"},
    {"tget_neg", "undefined element: out of bounds table access"},
    {"tset", "undefined element: out of bounds table access"},
    {"tinit", "undefined element: out of bounds table access"},
    {"tinit_seg", "undefined element: out of bounds table access"},
    {"tinit_neg", "undefined element: out of bounds table access"},
    {"tinit_dropped", "undefined element: out of bounds table access"},
    {"tcopy", "undefined element: out of bounds table access"},
    {"tcopy_neg", "undefined element: out of bounds table access"},
    {"tfill", "undefined element: out of bounds table access"},
    {"tfill_neg", "undefined element: out of bounds table access"},
    {"ci_oob", "undefined element: out of bounds table access"},
    {"ci_neg", "undefined element: out of bounds table access"},
    {"ci_null", "uninitialized element"},
    {"rci_null", "uninitialized element"},
    {"ci_type", "indirect call type mismatch"},
    {"div", "integer divide by zero"},
    {"rem", "integer divide by zero"},
    {"ovf", "integer overflow"},
    {"ovf64", "integer overflow"},
    {"trunc_nan", "invalid conversion to integer"},
    {"trunc_ovf", "integer overflow"},
    {"trunc_inf", "integer overflow"},
    {"rec", "call stack exhausted"},
    {"atomic_oob", "out of bounds memory access"},
    {"throw", "uncaught exception"},
  };

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void traps_haveTheirWords(Compiler.Mode mode) throws Exception {
    CompiledModule m = load(mode, TRAPS);
    List<Executable> checks = new ArrayList<>();
    for (String[] word : WORDS) {
      checks.add(
          () -> {
            Guest guest = start(m);
            try {
              big(() -> guest.call(word[0], List.of()));
              fail(word[0] + " does not trap");
            } catch (WasmException e) {
              assertEquals(Failure.TRAP, e.failure(), word[0] + ": " + e);
              assertEquals(word[1], e.trap(), word[0]);
              if (!word[0].equals("throw")) { // the compiled engine keeps none
                assertEquals(
                    "guest!" + word[0], e.frames().get(0).replace("$", ""), word[0] + e.frames());
              }
            }
            assertEquals(List.of(7), guest.call("ok", List.of()), "after " + word[0]);
          });
    }
    checks.add(
        () ->
            assertEquals("TRAP (4220): wasm trap: unaligned atomic", said(start(m), "unaligned")));
    checks.add(
        () ->
            assertEquals(
                "TRAP (4220): wasm trap: atomic wait on non-shared memory",
                said(start(m), "wait_unshared")));
    assertAll(checks);
  }

  private static String said(Guest guest, String function) {
    try {
      return "" + guest.call(function, List.of());
    } catch (WasmException e) {
      return e.toString();
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void dataDrop_withoutAMemory_isNothing(Compiler.Mode mode) {
    Guest guest = start(load(mode, "(module (data \"x\") (func (export \"f\") (data.drop 0)))"));
    assertEquals(List.of(), guest.call("f", List.of()));
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void dropped_segments_areOneInstancesOwn(Compiler.Mode mode) {
    CompiledModule m =
        load(
            mode,
            """
            (module (memory 1) (table 2 funcref) (data $p "abc") (func $f) (elem $e func $f)
              (func (export "drop") (data.drop $p) (elem.drop $e))
              (func (export "init") (memory.init $p (i32.const 0) (i32.const 0) (i32.const 3))
                (table.init $e (i32.const 0) (i32.const 0) (i32.const 1))))
            """);
    Guest a = start(m);
    Guest b = start(m);
    a.call("drop", List.of());
    assertEquals(List.of(), b.call("init", List.of()));
    assertEquals(List.of(), start(m).call("init", List.of()));
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void multiMemory_initAndDrop(Compiler.Mode mode) {
    Guest g =
        start(
            load(
                mode,
                """
                (module (memory $a (export "a") 1) (memory $b (export "b") 1) (data $p "abc")
                  (data (memory $b) (i32.const 8) "ZZ")
                  (func (export "init") (memory.init $b $p (i32.const 0) (i32.const 0) (i32.const 3)))
                  (func (export "copy") (memory.copy $a $b (i32.const 0) (i32.const 8) (i32.const 2)))
                  (func (export "fillb") (memory.fill $b (i32.const 0) (i32.const 1) (i32.const 3)))
                  (func (export "growb") (result i32) (memory.grow $b (i32.const 1)))
                  (func (export "drop") (data.drop $p)))
                """));
    assertEquals("ZZ", new String(g.read("b", 8, 2)));
    g.call("init", List.of());
    assertEquals("abc", new String(g.read("b", 0, 3)));
    assertEquals(0, g.read("a", 0, 1)[0]);
    g.call("copy", List.of());
    assertEquals("ZZ", new String(g.read("a", 0, 2)));
    g.call("drop", List.of());
    try {
      g.call("init", List.of());
      fail("memory.init of a dropped segment into the second memory does not trap");
    } catch (WasmException e) {
      assertEquals("out of bounds memory access", e.trap());
    }
  }

  /** The interrupt comes between local.tee and the instruction that swaps its value back. */
  @Test
  void interruptAfterTee_leavesTheNextCallRight() throws Exception {
    Guest g =
        start(
            load(
                Compiler.Mode.INTERPRETED,
                """
                (module
                  (func (export "spin") (param v128)
                    (loop (local.get 0) (local.tee 0) (drop) (br_if 0 (i32.const 1))))
                  (func (export "sub") (param i64 i64) (result i64) (i64.sub (local.get 0) (local.get 1)))
                  (func (export "id") (param v128) (result v128) (local.get 0)))
                """));
    for (int i = 0; i < 60; i++) {
      Thread me = Thread.currentThread();
      int wait = 3 + i % 7;
      Thread killer =
          new Thread(
              () -> {
                // somewhere in the middle: the loop tells nobody when it begins
                java.util.concurrent.locks.LockSupport.parkNanos(wait * 1_000_000L);
                me.interrupt();
              });
      killer.start();
      try {
        g.call("spin", List.of(new V128(1, 2)));
      } catch (WasmException e) {
        assertEquals(Failure.CANCELLED, e.failure());
      }
      killer.join();
      Thread.interrupted();
      try {
        assertEquals(List.of(7L), g.call("sub", List.of(10L, 3L)), "round " + i);
        assertEquals(List.of(new V128(3, 4)), g.call("id", List.of(new V128(3, 4))), "round " + i);
      } catch (WasmException e) {
        fail("round " + i + ": " + e);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void vectors_throughLocalsAndBlocks(Compiler.Mode mode) {
    Guest g =
        start(
            load(
                mode,
                """
                (module
                  (global $g (export "g") (mut v128) (v128.const i64x2 1 2))
                  (func $two (param v128) (result v128) (local.get 0))
                  (func (export "tee_end") (param v128) (result v128) (local v128) (local.get 0) (local.tee 1))
                  (func (export "tee_block") (param v128) (result v128) (local v128)
                    (block (result v128) (local.tee 1 (local.get 0))))
                  (func (export "tee_br") (param v128) (result v128) (local v128)
                    (block (result v128) (br 0 (local.tee 1 (local.get 0)))))
                  (func (export "tee_call") (param v128) (result v128) (local v128)
                    (call $two (local.tee 1 (local.get 0))))
                  (func (export "tee_tee") (param v128) (result v128) (local v128 v128)
                    (local.tee 2 (local.tee 1 (local.get 0))))
                  (func (export "set_get") (param v128) (result v128) (local v128)
                    (local.set 1 (local.get 0)) (local.get 1))
                  (func (export "tee_set") (param v128) (result v128) (local v128 v128)
                    (local.set 2 (local.tee 1 (local.get 0))) (local.get 2))
                  (func (export "tee_global") (param v128) (result v128) (local v128)
                    (global.set $g (local.tee 1 (local.get 0))) (global.get $g))
                  (func (export "global_roundtrip") (param v128) (result v128)
                    (global.set $g (local.get 0)) (global.get $g))
                  (func (export "mixed") (param i32 v128 i64) (result i64 v128 i32)
                    (local.get 2) (local.get 1) (local.get 0))
                  (func (export "tee_if") (param v128 i32) (result v128) (local v128)
                    (if (result v128) (local.get 1) (then (local.tee 2 (local.get 0))) (else (local.get 0))))
                  (func (export "sel") (param v128 v128 i32) (result v128)
                    (select (result v128) (local.get 0) (local.get 1) (local.get 2)))
                  (func (export "tee_return") (param v128) (result v128) (local v128)
                    (return (local.tee 1 (local.get 0)))))
                """));
    V128 v = new V128(0x1111L, 0x2222L);
    List<Executable> checks = new ArrayList<>();
    for (String f :
        List.of(
            "tee_end",
            "tee_block",
            "tee_br",
            "tee_call",
            "tee_tee",
            "set_get",
            "tee_set",
            "tee_global",
            "global_roundtrip",
            "tee_return")) {
      checks.add(() -> assertEquals(List.of(v), g.call(f, List.of(v)), f));
    }
    checks.add(() -> assertEquals(v, g.global("g"), "g"));
    checks.add(() -> assertEquals(List.of(3L, v, 1), g.call("mixed", List.of(1, v, 3L)), "mixed"));
    checks.add(() -> assertEquals(List.of(v), g.call("tee_if", List.of(v, 1)), "tee_if"));
    checks.add(() -> assertEquals(List.of(v), g.call("sel", List.of(v, new V128(9, 9), 1)), "sel"));
    checks.add(() -> assertEquals(new V128(5, 6), g.setGlobal("g", new V128(5, 6)), "set"));
    assertAll(checks);
  }

  private static final Signature NOTHING = Signature.of(List.of(), List.of());

  private Guest calling(Compiler.Mode mode, String wat, HostCall call) {
    return GuestStart.guest(
        load(mode, wat),
        "guest",
        List.of(new ImportSpec("env", "f", NOTHING, "a")),
        call,
        Limits.STANDARD);
  }

  private static final String CALLER =
      "(module (import \"env\" \"f\" (func $f)) (func (export \"go\") (call $f))"
          + " (func (export \"ok\") (result i32) (i32.const 7)))";

  @Test
  void javaFunction_thatThrowsAnError_isAHostFunctionFailure() {
    Guest g =
        calling(
            Compiler.Mode.COMPILED,
            CALLER,
            (called, caller, args) -> {
              throw new AssertionError("mine");
            });
    try {
      g.call("go", List.of());
      fail("no failure");
    } catch (WasmException e) {
      assertEquals(Failure.HOST_FUNCTION, e.failure(), e.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void recursionThroughCallbacks_endsWithABoundedText(Compiler.Mode mode) throws Exception {
    Guest g =
        calling(
            mode,
            CALLER,
            (called, caller, args) -> {
              caller.call("go", List.of());
              return List.of();
            });
    try {
      big(() -> g.call("go", List.of()));
      fail("no failure");
    } catch (WasmException e) {
      String text = e.getMessage();
      assertTrue(text.length() < 2000, "a text of " + text.length() + " characters");
    }
  }

  @Test
  void callerWithoutAnyMemory_saysSo() {
    Guest g =
        calling(
            Compiler.Mode.COMPILED,
            CALLER,
            (called, caller, args) -> {
              caller.read(0, 1);
              return List.of();
            });
    try {
      g.call("go", List.of());
      fail("no failure");
    } catch (WasmException e) {
      assertTrue(e.getMessage().contains("has no exported memory"), e.toString());
    }
  }

  @Test
  void frames_areBounded() throws Exception {
    String name = "n".repeat(100_000);
    Guest g =
        start(
            load(
                Compiler.Mode.COMPILED,
                "(module (func $" + name + " (export \"f\") (call $" + name + ")))"));
    try {
      big(() -> g.call("f", List.of()));
      fail("no trap");
    } catch (WasmException e) {
      long chars = e.frames().stream().mapToLong(String::length).sum();
      assertTrue(chars < 100_000, "frames of " + chars + " characters from a guest's own names");
    }
  }

  @Test
  void wasmTextErrors_areBounded() {
    StringBuilder wat = new StringBuilder("(module\n");
    for (int i = 0; i < 20_000; i++) {
      wat.append("(func (call $x" + i + "))\n");
    }
    long start = System.nanoTime();
    try {
      load(Compiler.Mode.COMPILED, wat.append(")").toString());
      fail("no failure");
    } catch (WasmException e) {
      assertTrue(e.getMessage().length() < 10_000, "a text of " + e.getMessage().length());
    } finally {
    }
  }

  @Test
  void linkErrors_areBounded() {
    try {
      start(
          load(
              Compiler.Mode.COMPILED,
              "(module (import \"" + "m".repeat(100_000) + "\" \"f\" (func)))"));
      fail("no failure");
    } catch (WasmException e) {
      assertTrue(e.getMessage().length() < 10_000, "a text of " + e.getMessage().length());
    }
  }

  @Test
  void importsOfOtherKinds_areLinkErrors() {
    List<Executable> checks = new ArrayList<>();
    for (String kind :
        List.of("(memory 1)", "(global i32)", "(table 1 funcref)", "(global (mut i32))", "(tag)")) {
      checks.add(
          () -> {
            CompiledModule m =
                load(Compiler.Mode.COMPILED, "(module (import \"env\" \"f\" " + kind + "))");
            for (boolean given : List.of(true, false)) {
              try {
                GuestStart.guest(
                    m,
                    "g",
                    given ? List.of(new ImportSpec("env", "f", NOTHING, "a")) : List.of(),
                    null,
                    Limits.STANDARD);
                fail(kind);
              } catch (WasmException e) {
                assertEquals(Failure.LINK, e.failure());
                assertEquals(
                    given
                        ? "incompatible import type for `env::f`"
                        : "unknown import: `env::f` has not been defined",
                    e.getMessage());
              }
            }
          });
    }
    assertAll(checks);
  }
}
