package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What the bare engine gets wrong, and a guest must not. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class GuestTest {
  private static final Signature GIVES_I32 = Signature.of(List.of(), List.of(ValueType.I32));

  @Parameter Compiler.Mode mode;

  private Compiler compiler;

  @AfterEach
  void close() {
    compiler.close();
  }

  private CompiledModule load(byte[] wat) {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
    return compiler.load(Compiler.toBinary(wat));
  }

  private static Guest start(CompiledModule module) {
    return Guest.start(Guest.Plan.of(module, "guest"), null);
  }

  @Test
  void tableGrowth_ofOneInstance_isNotSeenByTheNext() {
    CompiledModule module = load(Guests.text("multi"));
    for (int i = 0; i < 3; i++) {
      assertEquals(List.of(7), start(module).call("grow_table", List.of()));
    }
  }

  @Test
  void tableGrowth_beyondReason_isMinusOne() {
    Guest guest =
        start(
            load(
                text(
                    """
                    (module
                      (table $t 1 funcref)
                      (func (export "grow") (param i32) (result i32)
                        (table.grow $t (ref.null func) (local.get 0))))
                    """)));
    for (int tooMany : new int[] {Integer.MAX_VALUE, -1, 100_000}) {
      assertEquals(List.of(-1), guest.call("grow", List.of(tooMany)));
    }
    assertEquals(List.of(1), guest.call("grow", List.of(99_999)));
  }

  private static byte[] text(String wat) {
    return wat.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void memoryGrowth_stopsExactlyAtTheQuota() {
    CompiledModule module =
        load(
            text(
                """
                (module
                  (memory 1)
                  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
                  (func (export "touch") (param i32) (result i32)
                    (i32.store8 (local.get 0) (i32.const 7))
                    (i32.load8_u (local.get 0))))
                """));
    Limits limits = Limits.STANDARD.with(Limit.MEMORY_BYTES, 3 * 65_536 + 1);
    Guest guest = Guest.start(Guest.Plan.of(module, "guest").withLimits(limits), null);
    assertEquals(List.of(-1), guest.call("grow", List.of(3)));
    assertEquals(List.of(-1), guest.call("grow", List.of(-1)));
    assertEquals(List.of(1), guest.call("grow", List.of(2)));
    assertEquals(List.of(-1), guest.call("grow", List.of(1)));
    assertEquals(List.of(7), guest.call("touch", List.of(3 * 65_536 - 1)));
    Failing.with(Failure.TRAP, () -> guest.call("touch", List.of(3 * 65_536)));
  }

  @Test
  void accessesAtTheEnds_areCheckedByTheirWidth() {
    Guest guest =
        start(
            load(
                text(
                    """
                    (module
                      (memory 1)
                      (func (export "i64") (param i32) (result i64) (i64.load (local.get 0)))
                      (func (export "f64") (param i32) (f64.store (local.get 0) (f64.const 1)))
                      (func (export "i16") (param i32) (result i32)
                        (i32.load16_u offset=65534 (local.get 0)))
                      (func (export "far") (param i32) (result i32)
                        (i32.load8_u offset=4294967295 (local.get 0)))
                      (func (export "fill") (param i32 i32)
                        (memory.fill (local.get 0) (i32.const 1) (local.get 1)))
                      (func (export "copy") (param i32 i32 i32)
                        (memory.copy (local.get 0) (local.get 1) (local.get 2))))
                    """)));
    assertEquals(List.of(0L), guest.call("i64", List.of(65_528)));
    guest.call("f64", List.of(65_528));
    assertEquals(List.of(0x3ff0), guest.call("i16", List.of(0)));
    guest.call("fill", List.of(65_536, 0));
    guest.call("copy", List.of(65_530, 0, 6));
    for (Object at : List.of(65_529, -1, Integer.MIN_VALUE)) {
      outOfBounds(() -> guest.call("i64", List.of(at)));
      outOfBounds(() -> guest.call("f64", List.of(at)));
    }
    outOfBounds(() -> guest.call("i16", List.of(1)));
    outOfBounds(() -> guest.call("far", List.of(0)));
    outOfBounds(() -> guest.call("far", List.of(8)));
    outOfBounds(() -> guest.call("fill", List.of(100, Integer.MAX_VALUE)));
    outOfBounds(() -> guest.call("fill", List.of(100, -1)));
    outOfBounds(() -> guest.call("fill", List.of(65_537, 0)));
    outOfBounds(() -> guest.call("copy", List.of(0, 65_530, 7)));
    outOfBounds(() -> guest.call("copy", List.of(0, 0, -1)));
  }

  @Test
  void fillAndCopy_writeExactlyWhatTheyShould() {
    Guest guest =
        start(
            load(
                text(
                    """
                    (module
                      (memory (export "m") 2)
                      (func (export "fill") (param i32 i32 i32)
                        (memory.fill (local.get 0) (local.get 1) (local.get 2)))
                      (func (export "copy") (param i32 i32 i32)
                        (memory.copy (local.get 0) (local.get 1) (local.get 2))))
                    """)));
    byte[] expected = new byte[2 * 65_536];
    Random random = new Random(3);
    for (int i = 0; i < 300; i++) {
      int length = random.nextInt(i % 3 == 0 ? 100 : 40_000);
      int to = random.nextInt(expected.length - length + 1);
      int from = random.nextInt(expected.length - length + 1);
      if (i % 2 == 0) {
        Arrays.fill(expected, to, to + length, (byte) i);
        guest.call("fill", List.of(to, i, length));
      } else {
        System.arraycopy(expected, from, expected, to, length);
        guest.call("copy", List.of(to, from, length));
      }
      assertArrayEquals(expected, guest.read("m", 0, expected.length));
    }
  }

  private static void outOfBounds(org.junit.jupiter.api.function.Executable code) {
    Failing.with(Failure.TRAP, "wasm trap: out of bounds memory access", code);
  }

  @Test
  void trapInsideACallback_leavesTheWaitingCallItsValues() {
    CompiledModule module =
        load(
            text(
                """
                (module
                  (import "env" "back" (func $back (result i32)))
                  (func (export "trap") (result i32)
                    (i32.const 1) (i32.const 2) (i32.const 3) (unreachable))
                  (func (export "outer") (result i32)
                    (i32.sub (i32.const 100) (call $back))))
                """));
    List<ImportSpec> imports = List.of(new ImportSpec("env", "back", GIVES_I32, "back"));
    Guest guest =
        Guest.start(
            Guest.Plan.of(module, "guest").withImports(imports),
            (called, caller, args) -> {
              Failing.with(Failure.TRAP, () -> caller.call("trap", List.of()));
              return List.of(1);
            });
    assertEquals(List.of(99), guest.call("outer", List.of()));
  }

  @Test
  void interrupt_isForOneCallAlone() {
    Guest guest = start(load(Guests.text("loops")));
    Thread.currentThread().interrupt();
    Failing.with(Failure.CANCELLED, () -> guest.call("br", List.of()));
    assertFalse(Thread.currentThread().isInterrupted());
    assertEquals(List.of(2), guest.call("two", List.of()));
  }

  @Test
  void tailCalls_thatNeverEnd_canBeInterrupted() {
    Guest guest = start(load(text("(module (func $f (export \"f\") (return_call $f)))")));
    Thread.currentThread().interrupt();
    Failing.with(Failure.CANCELLED, () -> guest.call("f", List.of()));
  }

  @Test
  void tailCalls_ofAnyDepth_needNoStack() {
    Guest guest =
        start(
            load(
                text(
                    """
                    (module
                      (type $count (func (param i32) (result i32)))
                      (table funcref (elem $indirect))
                      (func $direct (export "direct") (param i32) (result i32)
                        (if (i32.eqz (local.get 0)) (then (return (i32.const 7))))
                        (return_call $direct (i32.sub (local.get 0) (i32.const 1))))
                      (func $indirect (export "indirect") (param i32) (result i32)
                        (if (i32.eqz (local.get 0)) (then (return (i32.const 8))))
                        (return_call_indirect (type $count)
                          (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))
                    """)));
    assertEquals(List.of(7), guest.call("direct", List.of(1_000_000)));
    assertEquals(List.of(8), guest.call("indirect", List.of(1_000_000)));
  }

  @Test
  void manyTraps_leaveNothingBehind() {
    Guest guest = start(load(Guests.text("multi")));
    for (int i = 0; i < 2000; i++) {
      Failing.with(Failure.TRAP, () -> guest.call("outer", List.of()));
    }
    assertEquals(List.of(6765), guest.call("fib", List.of(20)));
  }

  @Test
  void exceptions_nobodyCatches_areATrap() {
    Guest guest =
        start(
            load(
                text(
                    """
                    (module
                      (tag $e (param i32))
                      (func (export "throw") (throw $e (i32.const 1))))
                    """)));
    assertEquals(
        "uncaught exception",
        Failing.with(Failure.TRAP, () -> guest.call("throw", List.of())).trap());
  }

  @Test
  void functions_areTheOnlyThingsThatExist() {
    Guest guest = start(load(Guests.text("multi")));
    assertTrue(guest.exists("fib"));
    assertFalse(guest.exists("table"));
    assertFalse(guest.exists(""));
  }
}
