package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.InterpreterMachine;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.MutabilityType;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.Failing;
import io.busbar.Until;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the bare engine gets wrong with calls, each time with what a guest does instead. */
@Timeout(60)
class BareCallsTest {
  private static final Signature TO_I32 = Signature.of(List.of(), List.of(ValueType.I32));

  private static final String VALUES =
      """
      (module
        (global $fixed (export "fixed") i32 (i32.const 5))
        (func (export "same") (param i32) (result i32) (local.get 0))
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "fixed_now") (result i32) (global.get $fixed)))
      """;

  /** ENGINE 1.5: too few arguments are zero or an exception, too many are nothing. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void arguments_areCounted(Compiler.Mode mode) {
    Instance bare = Bare.instance(mode, VALUES);
    assertEquals(
        mode == Compiler.Mode.COMPILED
            ? "ArrayIndexOutOfBoundsException: Index 1 out of bounds for length 1"
            : "[7]",
        Bare.said(bare, "add", 7));
    assertEquals("[10]", Bare.said(bare, "add", 7, 3, 9));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(VALUES);
      for (Object[] params : new Object[][] {{}, {7}, {7, 3, 9}}) {
        assertEquals(
            "BAD_PARAMS (4001): number of params does not match. expected 2, got " + params.length,
            Ours.said(guest, "add", params));
      }
      assertEquals("[10]", Ours.said(guest, "add", 7, 3));
    }
  }

  /** ENGINE 1.5: in the interpreter an i32 may come back as what it never was. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void i32_isThirtyTwoBits(Compiler.Mode mode) {
    assertEquals(
        mode == Compiler.Mode.COMPILED ? "[-1]" : "[4294967295]",
        Bare.said(Bare.instance(mode, VALUES), "same", 0xFFFF_FFFFL));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(VALUES);
      Failing.with(Failure.BAD_PARAMS, () -> guest.call("same", List.of(0xFFFF_FFFFL)));
      Failing.with(Failure.BAD_PARAMS, () -> guest.call("same", List.of(1.0)));
      Failing.with(Failure.BAD_PARAMS, () -> guest.call("same", List.of("1")));
      assertEquals(List.of(-1), guest.call("same", List.of(-1)));
    }
  }

  /** A product that is 0 in 32 bits and not in 64 is true to the interpreter. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void product_isThirtyTwoBits(Compiler.Mode mode) {
    String wat =
        """
        (module (func (export "f") (param i32 i32) (result i32)
          (if (result i32) (i32.mul (local.get 0) (local.get 1))
            (then (i32.const 1)) (else (i32.const 0)))))
        """;
    assertEquals(
        mode == Compiler.Mode.COMPILED ? "[0]" : "[1]",
        Bare.said(Bare.instance(mode, wat), "f", 65_536, 65_536));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(wat);
      assertEquals("[0]", Ours.said(guest, "f", 65_536, 65_536));
      assertEquals("[0]", Ours.said(guest, "f", Integer.MIN_VALUE, 4));
      assertEquals("[1]", Ours.said(guest, "f", -1, 3));
    }
  }

  /** ENGINE 1.5: the host may set what no guest may. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void immutableGlobal_staysAsItIs(Compiler.Mode mode) {
    Instance bare = Bare.instance(mode, VALUES);
    GlobalInstance fixed = bare.exports().global("fixed");
    assertEquals(MutabilityType.Const, fixed.getMutabilityType());
    fixed.setValue(9);
    assertEquals("[9]", Bare.said(bare, "fixed_now"));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(VALUES);
      Failing.with(Failure.IMMUTABLE_GLOBAL, () -> guest.setGlobal("fixed", 9));
      assertEquals("[5]", Ours.said(guest, "fixed_now"));
    }
  }

  private static final String ASKING =
      """
      (module (import "env" "f" (func $f (result i32)))
        (func (export "ask") (result i32) (call $f)))
      """;

  private static String bareAnswer(Compiler.Mode mode, long... answer) {
    HostFunction function =
        new HostFunction(
            "env",
            "f",
            FunctionType.of(List.of(), List.of(ValType.I32)),
            (instance, args) -> answer);
    ImportValues imports = ImportValues.builder().addFunction(function).build();
    return Bare.said(Bare.instance(mode, ASKING, imports), "ask");
  }

  /** ENGINE 1.3: none, too many, too large: the machines take something each. */
  @Test
  void answersOfImports_areTakenAsTheyAre() {
    assertTrue(bareAnswer(Compiler.Mode.COMPILED, (long[]) null).startsWith("NullPointer"));
    assertEquals("[0]", bareAnswer(Compiler.Mode.INTERPRETED, (long[]) null));
    assertEquals("[1]", bareAnswer(Compiler.Mode.COMPILED, 1, 2));
    assertEquals("[2]", bareAnswer(Compiler.Mode.INTERPRETED, 1, 2));
    assertEquals("[7]", bareAnswer(Compiler.Mode.COMPILED, 0x1_0000_0007L));
    assertEquals("[4294967303]", bareAnswer(Compiler.Mode.INTERPRETED, 0x1_0000_0007L));
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void answersOfImports_areCheckedByTheirTypes(Compiler.Mode mode) {
    try (Ours ours = new Ours(mode)) {
      ImportSpec spec = new ImportSpec("env", "f", TO_I32, "a");
      List<List<?>> wrong = new ArrayList<>();
      wrong.add(null);
      wrong.add(List.of());
      wrong.add(List.of(1, 2));
      wrong.add(List.of(0x1_0000_0007L));
      wrong.add(List.of(1.5));
      wrong.add(Arrays.asList((Object) null));
      for (List<?> answer : wrong) {
        Guest guest = ours.start(ASKING, spec, (called, caller, args) -> answer);
        Failing.with(Failure.HOST_FUNCTION, () -> guest.call("ask", List.of()));
      }
      Guest guest = ours.start(ASKING, spec, (called, caller, args) -> List.of(-7L));
      assertEquals("[-7]", Ours.said(guest, "ask"));
    }
  }

  /** Loops that look at a global, so that the bare ones can be ended at last. */
  private static String spinning(String loop) {
    return """
    (module
      (import "env" "begun" (func $begun))
      (type $v (func))
      (global $stop (export "stop") (mut i32) (i32.const 0))
      (global $turns (export "turns") (mut i32) (i32.const 0))
      (table funcref (elem $again))
      (func $again
        (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
        (if (i32.eqz (global.get $stop)) (then (return_call_indirect (type $v) (i32.const 0)))))
      (func (export "spin") (call $begun) %s))
    """
        .formatted(loop.replace("TURN", TURN));
  }

  private static final String TURN =
      "(global.set $turns (i32.add (global.get $turns) (i32.const 1)))";
  private static final String BR_IF = "(loop $l TURN (br_if $l (i32.eqz (global.get $stop))))";
  private static final String BR_TABLE =
      "(block $out (loop $l TURN (br_table $l $out (global.get $stop))))";
  private static final String TAIL_CALL = "(call $again)";

  /** Too large for one method of the JVM, so the compiler leaves it to the interpreter. */
  private static final String LARGE =
      BR_IF + "(drop (i32.add (global.get $stop) (i32.const 987654321)))\n".repeat(12_000);

  /**
   * ENGINE 3.1, 3.3: only {@code br} and calls look at the interrupt, in the interpreter and so in
   * what the compiler leaves to it.
   */
  @ParameterizedTest
  @CsvSource({
    "INTERPRETED,br_if",
    "INTERPRETED,br_table",
    "INTERPRETED,tail",
    "COMPILED,large",
  })
  void loopsThatGoBackOtherwise_canBeStopped(Compiler.Mode mode, String how) throws Exception {
    String wat =
        spinning(
            switch (how) {
              case "br_if" -> BR_IF;
              case "br_table" -> BR_TABLE;
              case "tail" -> TAIL_CALL;
              default -> LARGE;
            });
    HostFunction begun =
        new HostFunction("env", "begun", FunctionType.empty(), (instance, args) -> null);
    Instance bare = Bare.instance(mode, wat, ImportValues.builder().addFunction(begun).build());
    Thread thread = new Thread(() -> bare.export("spin").apply());
    thread.start();
    Until.isTrue(() -> bare.exports().global("turns").getValue() > 1);
    thread.interrupt();
    thread.join(200);
    assertTrue(thread.isAlive() && thread.isInterrupted(), "the bare engine can be stopped now");
    bare.exports().global("stop").setValue(1);
    thread.join(10_000);
    assertFalse(thread.isAlive());

    try (Ours ours = new Ours(mode)) {
      CountDownLatch ourBegun = new CountDownLatch(1);
      ImportSpec spec = new ImportSpec("env", "begun", Signature.of(List.of(), List.of()), "a");
      Guest guest =
          ours.start(
              wat,
              spec,
              (called, caller, args) -> {
                ourBegun.countDown();
                return List.of();
              });
      String[] said = {""};
      boolean[] flag = {true};
      Thread stopped =
          new Thread(
              () -> {
                said[0] = Ours.said(guest, "spin");
                flag[0] = Thread.currentThread().isInterrupted();
              });
      stopped.start();
      assertTrue(ourBegun.await(30, TimeUnit.SECONDS));
      stopped.interrupt();
      stopped.join(10_000);
      assertFalse(stopped.isAlive());
      assertEquals("CANCELLED (4990): interrupted", said[0]);
      assertFalse(flag[0]);
    }
  }

  private static final String LOOP =
      "(module (func (export \"spin\") (loop (br 0))) (func (export \"ok\")))";

  /** ENGINE 3.1: what stopped one call stays with the thread and stops the next. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void interrupt_isForOneCall(Compiler.Mode mode) {
    Instance bare = Bare.instance(mode, LOOP);
    Thread.currentThread().interrupt();
    assertThrows(ChicoryException.class, () -> bare.export("spin").apply());
    assertThrows(ChicoryException.class, () -> bare.export("spin").apply());
    assertTrue(Thread.interrupted());
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(LOOP);
      Thread.currentThread().interrupt();
      assertEquals("CANCELLED (4990): interrupted", Ours.said(guest, "spin"));
      assertFalse(Thread.currentThread().isInterrupted());
      assertEquals("[]", Ours.said(guest, "ok"));
    }
  }

  /** ENGINE 1.4: building runs the start section, without it {@code _start} too. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void startSection_canBeStopped_andStartIsNotRun(Compiler.Mode mode) {
    String wat =
        """
        (module
          (global $n (export "n") (mut i32) (i32.const 0))
          (func $s (global.set $n (i32.add (global.get $n) (i32.const 1))))
          (func (export "_start") (global.set $n (i32.add (global.get $n) (i32.const 10))))
          (func (export "_initialize") (global.set $n (i32.add (global.get $n) (i32.const 100))))
          (start $s))
        """;
    assertEquals(11, Bare.instance(mode, wat).exports().global("n").getValue());
    String endless = "(module (func $s (loop (br 0))) (start $s))";
    try (Ours ours = new Ours(mode)) {
      assertEquals(1, ours.start(wat).global("n"));
      Guest.Plan plan = Guest.Plan.of(ours.load(endless), "guest");
      Thread.currentThread().interrupt();
      Failing.with(Failure.CANCELLED, () -> Guest.start(plan, null));
      assertFalse(Thread.currentThread().isInterrupted());
    }
  }

  private static final String LEAVING =
      "(module (func (export \"trap\") "
          + "(i64.const 7) ".repeat(1_000)
          + "unreachable) (func (export \"ok\") (result i32) (i32.const 1)))";

  /** ENGINE 3.7: the interpreter keeps what was on its stack. */
  @Test
  void traps_leaveNothingOnTheStack() {
    Instance bare = Bare.instance(Compiler.Mode.INTERPRETED, LEAVING);
    for (int i = 0; i < 20; i++) {
      assertThrows(ChicoryException.class, () -> bare.export("trap").apply());
    }
    assertEquals(20_000, stack(bare.getMachine()).size());
    try (Ours ours = new Ours(Compiler.Mode.INTERPRETED)) {
      Guest guest = ours.start(LEAVING);
      for (int i = 0; i < 20_000; i++) {
        assertEquals("wasm `unreachable` instruction executed", Ours.said(guest, "trap"));
      }
      assertEquals(0, stack(machine(guest)).size());
      assertEquals("[1]", Ours.said(guest, "ok"));
      assertEquals(0, stack(machine(guest)).size());
    }
  }

  private static Object machine(Guest guest) {
    List<?> parts = (List<?>) Bare.field(guest, Guest.class, "parts");
    GuestMachine machine = ((Part) parts.get(0)).machine();
    return Bare.field(machine, GuestMachine.class, "current");
  }

  private static MStack stack(Object machine) {
    return (MStack) Bare.field(machine, InterpreterMachine.class, "stack");
  }

  /** ENGINE 1.6: what nobody catches is none of the engine's own exceptions. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void uncaughtExceptions_areTraps(Compiler.Mode mode) {
    String wat = "(module (tag $e (param i32)) (func (export \"f\") (throw $e (i32.const 1))))";
    Instance bare = Bare.instance(mode, wat);
    RuntimeException thrown = assertThrows(RuntimeException.class, () -> bare.export("f").apply());
    assertFalse(thrown instanceof ChicoryException);
    try (Ours ours = new Ours(mode)) {
      assertEquals("uncaught exception", Ours.said(ours.start(wat), "f"));
    }
  }

  /** A null reference came back as -1, and a function as the number it has in its module. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void references_areNotNumbers(Compiler.Mode mode) {
    String wat =
        """
        (module (func $f) (elem declare func $f)
          (func (export "null") (result externref) (ref.null extern))
          (func (export "mine") (result funcref) (ref.func $f))
          (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0))))
        """;
    Instance bare = Bare.instance(mode, wat);
    assertArrayEquals(new long[] {-1}, bare.export("null").apply());
    assertArrayEquals(new long[] {0}, bare.export("mine").apply());
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(wat);
      assertEquals("[null]", Ours.said(guest, "null"));
      Failing.with(Failure.BAD_RESULT, () -> guest.call("mine", List.of()));
      assertEquals(List.of(1), guest.call("is_null", Arrays.asList((Object) null)));
    }
  }
}
