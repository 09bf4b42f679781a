package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.OpCode;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.Guests;
import io.busbar.OnGuestThread;
import io.busbar.model.Caller;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What guests pay, in both machines. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class FuelTest {
  private static final Set<OpCode> FREE =
      EnumSet.of(
          OpCode.NOP,
          OpCode.DROP,
          OpCode.BLOCK,
          OpCode.LOOP,
          OpCode.UNREACHABLE,
          OpCode.RETURN,
          OpCode.ELSE,
          OpCode.END);

  @Parameter Compiler.Mode mode;

  private Compiler compiler;
  private Caller caller;

  @AfterEach
  void close() {
    compiler.close();
  }

  private Guest start(long fuel) {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
    CompiledModule module = compiler.load(Compiler.toBinary(Guests.text("fuel")), true);
    Guest.Plan plan =
        Guest.Plan.of(module, "fuel")
            .withLimits(Limits.STANDARD.with(Limit.FUEL, fuel))
            .withImports(
                List.of(
                    new ImportSpec(
                        "env", "left", Signature.of(List.of(), List.of(ValueType.I64)), "left"),
                    new ImportSpec("env", "refuel", Signature.of(List.of(), List.of()), "refuel")));
    return on(() -> Guest.start(plan, this::answer));
  }

  private List<?> answer(ImportSpec called, Caller caller, List<Object> args) {
    if (called.address().equals("left")) {
      return List.of(caller.fuel());
    }
    caller.setFuel(1000);
    return List.of();
  }

  private static <T> T on(Supplier<T> work) {
    return OnGuestThread.run(work::get);
  }

  private static List<Object> call(Guest guest, String function, Object... params) {
    return on(() -> guest.call(function, List.of(params)));
  }

  private static WasmException fails(Guest guest, String function, Object... params) {
    return on(() -> assertThrows(WasmException.class, () -> guest.call(function, List.of(params))));
  }

  private long cost(String function, Object... params) {
    try (Guest guest = start(1_000_000)) {
      call(guest, function, params);
      assertEquals(1_000_000 - guest.fuel(), guest.fuelUsed());
      return guest.fuelUsed();
    }
  }

  @Test
  void functions_costWhatTheModelSays() {
    assertEquals(1, cost("nothing"));
    assertEquals(4, cost("sum", 50, -8));
    assertEquals(2, cost("free"));
    assertEquals(4, cost("choose", 1));
    assertEquals(6, cost("choose", 0));
    assertEquals(5, cost("fill"));
  }

  @Test
  void fuel_ofTwo_isEnoughForOneEmptyCall() {
    Guest guest = start(2);
    call(guest, "nothing");
    assertEquals(1, guest.fuel());
    WasmException out = fails(guest, "nothing");
    assertSame(Failure.OUT_OF_FUEL, out.failure());
    assertEquals("wasm trap: all fuel consumed by WebAssembly", out.getMessage());
    assertEquals(List.of("fuel!nothing"), out.frames());
    assertEquals(0, guest.fuel());
    guest.setFuel(5);
    assertEquals(List.of(42), call(guest, "sum", 50, -8));
    assertEquals(1, guest.fuel());
  }

  @Test
  void callback_seesWhatIsLeft_andMayRefuel() {
    Guest guest = start(10_000);
    assertEquals(List.of(9_998L), call(guest, "left"));
    assertEquals(List.of(999L), call(guest, "refuel"));
    assertEquals(999, guest.fuel());
    assertEquals(2 + 3, guest.fuelUsed());
  }

  @Test
  void callback_thatRefuelsForEver_staysWithinWhatTheCallMayUse() {
    Guest guest = start(10_000);
    guest.allowFuel(500);
    assertSame(Failure.OUT_OF_FUEL, fails(guest, "forever-refuel").failure());
    assertTrue(guest.fuelUsed() >= 499 && guest.fuelUsed() <= 502, () -> "" + guest.fuelUsed());
  }

  @Test
  void call_withinAnAllowance_leavesTheRest() {
    Guest guest = start(10_000);
    guest.allowFuel(100);
    assertSame(Failure.OUT_OF_FUEL, fails(guest, "count", 1000).failure());
    assertEquals(9_900, guest.fuel());
    guest.allowFuel(Long.MAX_VALUE);
    assertEquals(List.of(1000), call(guest, "count", 1000));
  }

  @Test
  void endlessCode_runsOut() {
    for (String function : List.of("forever", "forever-if")) {
      Guest guest = start(100_000);
      assertSame(Failure.OUT_OF_FUEL, fails(guest, function).failure());
      assertEquals(0, guest.fuel());
      compiler.close();
    }
    Guest guest = start(1_000);
    assertSame(Failure.OUT_OF_FUEL, fails(guest, "down").failure());
  }

  @Test
  void trap_paysTheStretchItIsIn() {
    Guest guest = start(1_000);
    assertEquals("integer divide by zero", fails(guest, "trap", 0).trap());
    assertEquals(6, guest.fuelUsed());
  }

  /** Against each instruction that the bare interpreter runs, counted one by one. */
  @Test
  void programs_costEachInstructionOnce() {
    for (int n = 0; n < 40; n++) {
      assertEquals(counted("twist", n + 1), cost("twist", n + 1), "twist " + n);
      compiler.close();
    }
    assertEquals(counted("count", 1000), cost("count", 1000));
    compiler.close();
    assertEquals(counted("fib", 15), cost("fib", 15));
  }

  private static long counted(String function, long... params) {
    long[] cost = {1}; // the function that is called
    var wasm = Parser.parse(Compiler.toBinary(Guests.text("fuel")));
    HostFunction left =
        new HostFunction(
            "env", "left", FunctionType.of(List.of(), List.of(ValType.I64)), (i, a) -> a);
    HostFunction refuel =
        new HostFunction("env", "refuel", FunctionType.of(List.of(), List.of()), (i, a) -> null);
    Instance.builder(wasm)
        .withImportValues(ImportValues.builder().addFunction(left, refuel).build())
        .withUnsafeExecutionListener(
            (instruction, stack) -> {
              OpCode code = instruction.opcode();
              boolean enters = code == OpCode.CALL || code == OpCode.CALL_INDIRECT;
              cost[0] += (FREE.contains(code) ? 0 : 1) + (enters ? 1 : 0);
            })
        .build()
        .export(function)
        .apply(params);
    return cost[0];
  }
}
