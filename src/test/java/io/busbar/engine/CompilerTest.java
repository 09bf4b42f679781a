package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.model.Failure;
import io.busbar.spec.text.Assembler;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** Modules are parsed and compiled once, and go when nobody needs them. */
class CompilerTest {
  private static byte[] wasm(String wat) {
    return Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8));
  }

  private static Guest start(CompiledModule module) {
    return Guest.start(Guest.Plan.of(module, "guest"), null);
  }

  @Test
  void load_byManyAtOnce_isDoneOnce() throws Exception {
    byte[] wasm = Compiler.toBinary(Guests.text("multi"));
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      Callable<CompiledModule> load = () -> compiler.load(wasm.clone());
      Set<CompiledModule> loaded = new HashSet<>();
      for (Future<CompiledModule> module :
          threads.invokeAll(IntStream.range(0, 16).mapToObj(i -> load).toList())) {
        loaded.add(module.get());
      }
      assertEquals(1, loaded.size());
      assertEquals(1, compiler.size());
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void largeModule_isInterpretedFirst_andCompiledAtALaterCall() {
    Compiler.Options options = Compiler.Options.STANDARD.withInlineBytes(1);
    try (Compiler compiler = new Compiler(options)) {
      CompiledModule module = compiler.load(Compiler.toBinary(Guests.text("multi")));
      Guest guest = start(module);
      assertEquals(List.of(1), guest.call("next", List.of()));
      Assertions.assertTimeout(
          Duration.ofSeconds(30),
          () -> {
            while (!module.isCompiled()) {
              Thread.onSpinWait();
            }
          });
      assertEquals(List.of(2), guest.call("next", List.of()), "the state came along");
      assertTrue(guest.isCompiled());
      assertEquals(List.of(6765), guest.call("fib", List.of(20)));
    }
  }

  @Test
  void interpretedMode_neverCompiles() {
    Compiler.Options options = Compiler.Options.STANDARD.withMode(Compiler.Mode.INTERPRETED);
    try (Compiler compiler = new Compiler(options)) {
      CompiledModule module = compiler.load(Compiler.toBinary(Guests.text("multi")));
      assertFalse(module.isCompiled());
      assertEquals(List.of(55), start(module).call("fib", List.of(10)));
    }
  }

  @Test
  void functionTooLargeForTheJvm_isInterpreted_andCanBeInterrupted() throws Exception {
    String add = "(drop (i32.add (i32.const 123456789) (i32.const 987654321)))\n";
    byte[] wasm =
        wasm(
            "(module (func (export \"big\") (loop (br_if 0 (i32.const 1)))"
                + add.repeat(20_000)
                + ") (func (export \"small\") (result i32) (i32.const 5)))");
    try (Compiler compiler =
        new Compiler(Compiler.Options.STANDARD.withMode(Compiler.Mode.COMPILED))) {
      CompiledModule module = compiler.load(wasm);
      assertTrue(module.isCompiled());
      Guest guest = start(module);
      Thread caller = Thread.currentThread();
      Thread interrupter = new Thread(caller::interrupt);
      interrupter.start();
      Failing.with(Failure.CANCELLED, () -> guest.call("big", List.of()));
      interrupter.join();
      assertFalse(Thread.interrupted(), "the flag was for that call alone");
      assertEquals(List.of(5), guest.call("small", List.of()));
    }
  }

  @Test
  void classes_goWhenTheModuleIsForgotten() throws Exception {
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      WeakReference<ClassLoader> classes = loadUseAndForget(compiler);
      assertEquals(0, compiler.size());
      Assertions.assertTimeout(
          Duration.ofSeconds(30),
          () -> {
            while (classes.get() != null) {
              System.gc();
            }
          });
      assertNull(classes.get());
    }
  }

  private static WeakReference<ClassLoader> loadUseAndForget(Compiler compiler) {
    CompiledModule module = compiler.load(Compiler.toBinary(Guests.text("multi")));
    Guest guest = start(module);
    Failing.with(Failure.TRAP, () -> guest.call("outer", List.of()));
    ClassLoader loader = guest.machineClass().getClassLoader();
    compiler.forget(module.id());
    assertEquals(1, compiler.size(), "it is in use");
    compiler.release(module);
    return new WeakReference<>(loader);
  }

  @Test
  void idleModules_areKeptUpToABound() {
    Compiler.Options small =
        Compiler.Options.STANDARD.withMode(Compiler.Mode.INTERPRETED).withIdleBytes(100);
    try (Compiler compiler = new Compiler(small)) {
      byte[] first = wasm("(module)");
      CompiledModule kept = compiler.load(first);
      compiler.release(kept);
      assertSame(kept, again(compiler, first));
      CompiledModule other = compiler.load(wasm("(module (func))"));
      compiler.release(other);
      assertNotSame(kept, again(compiler, first), "the eldest had to go");
    }
  }

  private static CompiledModule again(Compiler compiler, byte[] wasm) {
    CompiledModule module = compiler.load(wasm);
    compiler.release(module);
    return module;
  }

  @Test
  void truncatedModules_areRefusedWhereverTheyEnd() {
    byte[] whole = Compiler.toBinary(Guests.text("wasm_test"));
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      int sectionEnds = 0;
      for (int length = 1; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        try {
          compiler.release(compiler.load(cut));
          sectionEnds++; // cut between two sections: a smaller module that is valid
        } catch (io.busbar.model.WasmException e) {
          assertEquals(Failure.INVALID_MODULE, e.failure());
          assertTrue(e.getMessage().startsWith("Error while parsing bytes: "), e.getMessage());
        }
      }
      assertTrue(sectionEnds < 10, sectionEnds + " cuts were valid");
      assertEquals(sectionEnds, compiler.size());
    }
  }

  @Test
  void declaredCounts_beyondTheHeap_areARefusal() {
    byte[] bomb = java.util.HexFormat.of().parseHex("0061736d0100000001070160ffffffff07");
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      Failing.with(Failure.INVALID_MODULE, () -> compiler.load(bomb));
      assertEquals(0, compiler.size());
    }
  }

  @Test
  void text_thatIsNone_namesLineAndColumn() {
    Failing.with(
        Failure.INVALID_MODULE,
        """
        Error while parsing bytes: 1:1: unexpected token "wat", expected a module field or a module.
        wat is this?
        ^^^
        1:5: unexpected token is, expected EOF.
        wat is this?
            ^^""",
        () -> wasm("wat is this?"));
    Failing.with(
        Failure.INVALID_MODULE,
        """
        Error while parsing bytes: 2:20: type mismatch in implicit return, expected [i32] but got [i64]
        (func (result i32) i64.const 1))
                           ^^^^^^^^^""",
        () -> wasm("(module\n(func (result i32) i64.const 1))"));
    Failing.with(Failure.INVALID_MODULE, () -> Compiler.toBinary(new byte[0]));
  }

  @Test
  void twoExportsOfOneName_areRefused() {
    String text =
        "(module (func $f) (export \"f\" (func $f)) (global (export \"f\") i32 (i32.const 1)))";
    refused("duplicate export name `f`", Assembler.assemble(utf8(text)));
  }

  @Test
  void importedTag_withResults_isRefused() {
    String text = "(module (import \"m\" \"t\" (tag (result i32))))";
    refused("the tag `t` has results", Assembler.assemble(utf8(text)));
  }

  @Test
  void elementsOfATable_thatStartAsAGlobalOfItsModule_areRefused() {
    String text = "(module (global $g funcref (ref.null func)) (table 10 funcref (global.get $g)))";
    refused("unknown global 0 in table 0", Assembler.assemble(utf8(text)));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void refused(String why, byte[] wasm) {
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      Failing.with(
          Failure.INVALID_MODULE, "Error while parsing bytes: " + why, () -> compiler.load(wasm));
    }
  }

  @Test
  void annotations_inText_arePassedOver() {
    assertArrayEquals(wasm("(module)"), wasm("(@of x) (module (@other (func)))"));
  }

  @Test
  void simdInstructions_areRefusedByName() {
    Failing.with(
        Failure.INVALID_MODULE,
        "Error while parsing bytes: SIMD instructions are not supported:"
            + " `i32x4.splat` at offset 26",
        () -> {
          try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
            compiler.load(wasm("(module (func (result v128) (i32x4.splat (i32.const 1))))"));
          }
        });
  }

  @Test
  void names_areReadFromText() {
    try (Compiler compiler = new Compiler(Compiler.Options.STANDARD)) {
      CompiledModule named = compiler.load(wasm("(module $helloTest (func $f))"));
      assertEquals("helloTest", named.info().name().orElseThrow());
      assertEquals("f", named.functionName(0));
    }
  }
}
