package io.busbar.engine;

import static io.busbar.engine.admission.WasmWriter.empty;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Guests;
import io.busbar.engine.admission.Admission;
import io.busbar.engine.admission.WasmWriter;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Signature;
import io.busbar.model.V128;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.busbar.programs.WebJar;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Bytes that are almost modules: each loads or is refused, and what loads runs, traps or is stopped
 * when it is interrupted. Nothing fails in a way that has no name.
 */
class FuzzTest {
  private static final int FEW = 500;
  private static final int SOME = 2_000;
  private static final int MORE = 5_000;
  private static final int MANY = 100_000;
  private static final int MILLIS = 10;
  private static final String SOURCE_MAP =
      "be2dc7da3885e55013c8da58d7ba356705d932459db94ada37d5de2fa8733cfe";
  private static final ScheduledExecutorService TIMER = Executors.newScheduledThreadPool(1);

  /** Instructions that the guests of the other tests do not have. */
  private static final String RARE =
      """
      (module
        (type $t (func (param i32) (result i32)))
        (import "env" "f" (func $f (type $t)))
        (memory (export "m") 1 2)
        (memory $second 1 1)
        (table $tab (export "tab") 4 8 funcref)
        (table $ext 2 externref)
        (tag $e (param i32))
        (global $g (mut i64) (i64.const 5))
        (global $v v128 (v128.const i64x2 1 2))
        (elem (i32.const 0) $a $b)
        (elem $passive func $a $b $f)
        (elem declare func $a)
        (data (i32.const 8) "abc")
        (data $d "passive")
        (func $a (export "a") (type $t) (return_call $b (local.get 0)))
        (func $b (export "b") (type $t)
          (call_indirect $tab (type $t) (local.get 0) (i32.const 1)))
        (func (export "tail") (type $t)
          (return_call_indirect $tab (type $t) (local.get 0) (i32.const 0)))
        (func (export "bulk") (param i32 i32 i32)
          (memory.fill (local.get 0) (local.get 1) (local.get 2))
          (memory.copy (local.get 0) (local.get 1) (local.get 2))
          (memory.init $d (local.get 0) (i32.const 0) (i32.const 3))
          (data.drop $d)
          (table.init $tab $passive (i32.const 0) (i32.const 0) (i32.const 2))
          (elem.drop $passive)
          (table.copy $tab $tab (i32.const 1) (i32.const 0) (i32.const 2))
          (drop (table.grow $tab (ref.null func) (local.get 0)))
          (table.fill $tab (i32.const 0) (ref.func $a) (i32.const 1))
          (drop (memory.grow (local.get 1))))
        (func (export "switch") (param i32) (result i32)
          (block (block (block (block
            (br_table 0 1 2 3 (local.get 0)))
            (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12)))
          (loop $l (br_if $l (i32.lt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0))))
          (i32.const 13))
        (func (export "numbers") (param i64 f32 f64) (result i64)
          (i64.add (i64.trunc_f64_s (local.get 2))
            (i64.div_s (local.get 0) (i64.trunc_sat_f32_u (local.get 1)))))
        (func (export "blocks") (param i32) (result i32 i64)
          (local.get 0) (i64.const 3)
          (block (param i32 i64) (result i32 i64)
            (loop (param i32 i64) (result i32 i64)
              (br_if 1 (i32.eqz (local.get 0))))))
        (func (export "choose") (param externref i32) (result externref)
          (table.set $ext (i32.const 0) (local.get 0))
          (select (result externref) (local.get 0) (table.get $ext (i32.const 1)) (local.get 1)))
        (func (export "vector") (param v128) (result v128) (local v128)
          (local.set 1 (local.get 0)) (local.tee 1 (global.get $v)))
        (func (export "throw") (param i32) (throw $e (local.get 0)))
        (func (export "spin") (loop $l (global.set $g (i64.add (global.get $g) (i64.const 1))) (br $l))))
      """;

  /** The same with memory that is shared, for instructions that are atomic. */
  private static final String ATOMIC =
      """
      (module
        (memory 1 1 shared)
        (func (export "add") (param i32 i32) (result i32)
          (i32.atomic.rmw.add (local.get 0) (local.get 1)))
        (func (export "exchange") (param i32 i64 i64) (result i64)
          (i64.atomic.rmw.cmpxchg (local.get 0) (local.get 1) (local.get 2)))
        (func (export "wait") (result i32)
          (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
        (func (export "store") (param i32) (atomic.fence)
          (i32.atomic.store8 (local.get 0) (i32.const 7))
          (drop (memory.atomic.notify (local.get 0) (i32.const 1)))))
      """;

  /** Handlers of exceptions, typed references and a table with an initial value. */
  private static byte[] newer() {
    WasmWriter caught =
        empty()
            .bytes(0, 0x02, 0x7F, 0x1F, 0x40, 1, 0, 0, 0) // block, try_table
            .bytes(0x20, 0, 0x08, 0, 0x0B, 0x41, 5, 0x0B, 0x0B); // throw
    WasmWriter called = empty().bytes(0, 0x20, 0, 0xD2, 0, 0x14, 1, 0x0B); // call_ref
    WasmWriter last = empty().bytes(0, 0x20, 0, 0xD2, 1, 0x15, 1, 0x0B); // return_call_ref
    WasmWriter typed =
        empty()
            .bytes(1, 1, 0x63, 1, 0x02, 0x40, 0x20, 1, 0xD5, 0, 0x1A, 0x0B) // br_on_null
            .bytes(0x20, 1, 0xD4, 0x1A, 0x20, 0, 0x0B); // ref.as_non_null
    return WasmWriter.module()
        .section(1, 2, 0x60, 1, 0x7F, 0, 0x60, 1, 0x7F, 1, 0x7F)
        .section(3, 4, 1, 1, 1, 1)
        .section(4, 1, 0x40, 0, 0x70, 0, 2, 0xD2, 0, 0x0B)
        .section(13, 1, 0, 0)
        .section(7, 4, 1, 'a', 0, 0, 1, 'b', 0, 1, 1, 'c', 0, 2, 1, 'd', 0, 3)
        .section(
            10,
            empty()
                .u(4)
                .u(caught.toBytes().length)
                .bytes(caught)
                .u(called.toBytes().length)
                .bytes(called)
                .u(last.toBytes().length)
                .bytes(last)
                .u(typed.toBytes().length)
                .bytes(typed))
        .toBytes();
  }

  @AfterAll
  static void stop() {
    TIMER.shutdownNow();
  }

  private static byte[] wasm(String wat) {
    return Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8));
  }

  private static List<byte[]> originals() {
    List<byte[]> originals = new ArrayList<>();
    Stream.of("globals", "import_test", "loops", "multi", "vectors", "wasi_program", "wasm_test")
        .forEach(name -> originals.add(Compiler.toBinary(Guests.text(name))));
    Stream.of("base64", "greet", "words").forEach(name -> originals.add(Guests.binary(name)));
    originals.add(wasm(RARE));
    originals.add(wasm(RARE));
    originals.add(newer());
    originals.add(wasm(ATOMIC));
    return originals;
  }

  @Test
  void mutants_loadOrAreRefused_andRunOrFailByName() throws Exception {
    fuzz(originals(), FEW, 42);
  }

  @Test
  @Tag("slow")
  void moreMutants_loadOrAreRefused_andRunOrFailByName() throws Exception {
    fuzz(originals(), SOME, 42);
  }

  @Test
  @Tag("nightly")
  void manyMutants_loadOrAreRefused_andRunOrFailByName() throws Exception {
    List<byte[]> originals = originals();
    fuzz(originals, MORE, 42);
    fuzz(originals, MANY, Long.getLong("busbar.fuzz.seed", 7));
  }

  /** Wherever it is cut it is refused, or it is a smaller module that is whole. */
  @Test
  void truncatedModules_areRefusedWhereverTheyEnd() {
    for (byte[] whole : List.of(Guests.binary("words"), Guests.binary("base64"), newer())) {
      truncate(whole, 1);
    }
    truncate(sourceMap(), 7);
  }

  @Test
  @Tag("nightly")
  void largeModule_isRefusedWhereverItEnds() {
    truncate(sourceMap(), 1);
  }

  private static byte[] sourceMap() {
    return new WebJar("source-map", "0.8.0-beta.0").file("lib/mappings.wasm", SOURCE_MAP);
  }

  private static void truncate(byte[] whole, int step) {
    Admission admission = new Admission(Admission.Options.STANDARD);
    try (Compiler compiler = interpreter()) {
      int taken = 0;
      for (int length = 0; length < whole.length; length += step) {
        byte[] cut = Arrays.copyOf(whole, length);
        if (admits(admission, cut)) {
          taken++;
          load(compiler, cut);
        }
      }
      assertTrue(taken < 20, "taken " + taken + " times");
    }
  }

  private static Compiler interpreter() {
    return new Compiler(
        Compiler.Options.STANDARD.withMode(Compiler.Mode.INTERPRETED).withIdleBytes(1));
  }

  private static boolean admits(Admission admission, byte[] wasm) {
    try {
      admission.admit(wasm);
      return true;
    } catch (WasmException e) {
      assertEquals(Failure.INVALID_MODULE, e.failure(), e::getMessage);
      assertTrue(
          e.getMessage().matches("Error while parsing bytes: .* at offset \\d+"), e::getMessage);
      return false;
    }
  }

  private static void load(Compiler compiler, byte[] wasm) {
    try {
      compiler.release(compiler.load(wasm));
    } catch (WasmException e) {
      assertTrue(e.failure() != Failure.INTERNAL, e::getMessage);
    }
  }

  @Test
  void flippedBits_loadOrAreRefused() {
    try (Compiler compiler = interpreter()) {
      for (byte[] whole : List.of(Guests.binary("greet"), newer(), wasm(ATOMIC))) {
        for (int bit = 0; bit < 8 * whole.length; bit++) {
          byte[] flipped = whole.clone();
          flipped[bit / 8] ^= 1 << bit % 8;
          load(compiler, flipped);
        }
      }
    }
  }

  private static void fuzz(List<byte[]> originals, int count, long seed) throws Exception {
    Compiler.Options options = Compiler.Options.STANDARD.withIdleBytes(1);
    try (Compiler compiled = new Compiler(options.withMode(Compiler.Mode.COMPILED));
        Compiler interpreted = new Compiler(options.withMode(Compiler.Mode.INTERPRETED))) {
      Mutants mutants = new Mutants(originals, seed);
      Map<Failure, Integer> said = new EnumMap<>(Failure.class);
      originals.forEach(original -> compiled.release(compiled.load(original)));
      FutureTask<Void> all =
          new FutureTask<>(
              () -> {
                for (int i = 0; i < count; i++) {
                  attack(i % 3 == 0 ? compiled : interpreted, mutants.next(), i, said);
                }
                return null;
              });
      Thread thread = new Thread(null, all, "fuzz", Limit.STACK.standard() << 10);
      thread.start();
      all.get();
      assertEquals(0, compiled.size() + interpreted.size());
      assertTrue(said.getOrDefault(Failure.INVALID_MODULE, 0) < count, said::toString);
    }
  }

  private static void attack(
      Compiler compiler, byte[] mutant, int number, Map<Failure, Integer> said) {
    try {
      attack(compiler, mutant, said);
    } catch (Throwable e) {
      String hex = mutant.length > 5_000 ? "" : HexFormat.of().formatHex(mutant);
      throw new AssertionError("mutant " + number + " of " + mutant.length + ": " + hex, e);
    }
  }

  private static void attack(Compiler compiler, byte[] mutant, Map<Failure, Integer> said) {
    CompiledModule module;
    try {
      compiler.release(compiler.load(mutant, true));
      module = compiler.load(mutant);
    } catch (WasmException e) {
      record(e, said);
      return;
    }
    try {
      run(module, said);
    } finally {
      compiler.forget(module.id());
      compiler.release(module);
    }
  }

  private static void record(WasmException e, Map<Failure, Integer> said) {
    said.merge(e.failure(), 1, Integer::sum);
    if (e.failure() == Failure.INTERNAL) {
      throw new AssertionError(e);
    }
  }

  private static void run(CompiledModule module, Map<Failure, Integer> said) {
    Limits limits = Limits.STANDARD.with(Limit.MEMORY_BYTES, 8 << 20);
    Guest.Plan plan =
        Guest.Plan.of(module, "g").withImports(imports(module.info())).withLimits(limits);
    Watch watch = new Watch();
    try (Guest guest = Guest.start(plan, (spec, caller, params) -> zeros(spec.signature()))) {
      for (ModuleInfo.Export export : module.info().exports()) {
        if (export.type() instanceof ExternType.Function function) {
          call(guest, export.name(), function.signature(), said);
        }
      }
    } catch (WasmException e) {
      record(e, said);
    } finally {
      watch.close();
    }
  }

  private static void call(
      Guest guest, String function, Signature signature, Map<Failure, Integer> said) {
    Watch watch = new Watch();
    try {
      guest.call(function, signature.params().stream().map(FuzzTest::value).toList());
    } catch (WasmException e) {
      record(e, said);
    } finally {
      watch.close();
    }
  }

  private static List<ImportSpec> imports(ModuleInfo info) {
    List<ImportSpec> specs = new ArrayList<>();
    for (ModuleInfo.Import wanted : info.imports()) {
      boolean known =
          specs.stream()
              .anyMatch(s -> s.module().equals(wanted.module()) && s.name().equals(wanted.name()));
      if (wanted.type() instanceof ExternType.Function function && !known) {
        specs.add(new ImportSpec(wanted.module(), wanted.name(), function.signature(), "a"));
      }
    }
    return specs;
  }

  private static List<Object> zeros(Signature signature) {
    List<Object> zeros = new ArrayList<>();
    signature.results().forEach(type -> zeros.add(value(type)));
    return zeros;
  }

  private static Object value(ValueType type) {
    return switch (type) {
      case I32 -> 3;
      case I64 -> 3L;
      case F32 -> 3f;
      case F64 -> 3d;
      case V128 -> new V128(1, 2);
      default -> null;
    };
  }

  /** Interrupts the thread that made it, unless that is over before. */
  private static final class Watch {
    private final Thread thread = Thread.currentThread();
    private boolean over; // guarded by this

    Watch() {
      TIMER.schedule(this::interrupt, MILLIS, TimeUnit.MILLISECONDS);
    }

    private synchronized void interrupt() {
      if (!over) {
        thread.interrupt();
      }
    }

    synchronized void close() {
      over = true;
      Thread.interrupted();
    }
  }
}
