package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import io.busbar.OnGuestThread;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What random modules pay: the same on both machines, and as much as the instructions cost that the
 * bare interpreter runs, where no trap cuts a stretch off.
 *
 * <p>{@code -Dfuel.seed=n} starts elsewhere, {@code -Dfuel.modules=n} sets how many modules the
 * slow test runs of each kind.
 */
class FuelOracleTest {
  private static final int PER_BUILD = 50;
  private static final int MORE = 200;
  private static final long SEED = Long.getLong("fuel.seed", 20_261_123);
  private static final long FUEL = 1_000_000_000;

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
  private static final Set<OpCode> CALLS =
      EnumSet.of(OpCode.CALL, OpCode.CALL_INDIRECT, OpCode.CALL_REF);

  private int compiled; // modules; the engine cannot compile each

  /** What one call has used, and whether it returned. */
  private record Paid(boolean returned, long fuel) {}

  @Test
  void flows_costEachInstructionOnce() {
    flows(SEED, PER_BUILD);
  }

  @Test
  void modules_costEachInstructionOnce() {
    int counted = modules(SEED, PER_BUILD);
    assertTrue(counted > PER_BUILD / 4, "hardly a call was counted: " + counted);
  }

  @Tag("slow")
  @Test
  void more_costEachInstructionOnce() {
    flows(SEED, MORE);
    modules(SEED, MORE);
  }

  @Tag("nightly")
  @Test
  void manyMore_costEachInstructionOnce() {
    int modules = Integer.getInteger("fuel.modules", 2_000);
    flows(SEED + 1_000_000, modules);
    modules(SEED + 1_000_000, modules);
  }

  private void flows(long seed, int modules) {
    long most = 0;
    for (int i = 0; i < modules; i++) {
      byte[] wasm = new RandomFlow(seed + i).bytes();
      Bare bare = new Bare(wasm);
      List<List<Paid>> paid = both(wasm, seed + i, true);
      for (int call = 0; call < RandomFlow.FUNCTIONS; call++) {
        String which = "seed " + (seed + i) + " call " + call;
        long counted = bare.counted("run", call * 1_000_003);
        assertEquals(new Paid(true, counted), paid.get(0).get(call), which);
        assertEquals(new Paid(true, counted), paid.get(1).get(call), which);
        most = Math.max(most, counted);
      }
    }
    assertTrue(most > 5_000, "all were short: " + most);
    assertTrue(compiled > modules / 2, "hardly one was compiled: " + compiled);
  }

  /** How many calls were counted. */
  private int modules(long seed, int modules) {
    int counted = 0;
    for (int i = 0; i < modules; i++) {
      byte[] wasm = new RandomModule(seed + i).bytes();
      Bare bare = new Bare(wasm);
      List<List<Paid>> paid = both(wasm, seed + i, false);
      assertEquals(paid.get(0), paid.get(1), "seed " + (seed + i));
      for (int call = 0; call < RandomModule.EXPORTED; call++) {
        Paid one = paid.get(0).get(call);
        if (!one.returned) {
          break; // the bare interpreter may differ in what a trap leaves
        }
        bare.instance.exports().global("fuel").setValue(50);
        assertEquals(
            one.fuel,
            bare.counted("f" + call, Values.lowerParams(SIGNATURE, params(seed + i, call))),
            "seed " + (seed + i) + " call " + call);
        counted++;
      }
    }
    return counted;
  }

  private static final List<ValueType> SIGNATURE =
      List.of(ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64);

  private static List<Object> params(long seed, int call) {
    Random random = new Random(seed * 31 + call);
    return List.of(
        RandomModule.i32(random),
        RandomModule.i64(random),
        RandomModule.f32(random),
        RandomModule.f64(random));
  }

  /** What each call pays, compiled and interpreted. */
  private List<List<Paid>> both(byte[] wasm, long seed, boolean flow) {
    List<List<Paid>> both = new ArrayList<>();
    for (Compiler.Mode mode : List.of(Compiler.Mode.COMPILED, Compiler.Mode.INTERPRETED)) {
      try (Compiler compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode))) {
        CompiledModule module = compiler.load(wasm, true);
        compiled += module.isCompiled() ? 1 : 0;
        both.add(OnGuestThread.run(() -> paid(module, seed, flow)));
      }
    }
    return both;
  }

  private static List<Paid> paid(CompiledModule module, long seed, boolean flow) {
    Limits limits =
        Limits.STANDARD
            .with(Limit.MEMORY_BYTES, 4 << 16)
            .with(Limit.TABLE_ELEMENTS, 40)
            .with(Limit.FUEL, FUEL);
    List<Paid> paid = new ArrayList<>();
    try (Guest guest = Guest.start(Guest.Plan.of(module, "guest").withLimits(limits), null)) {
      for (int call = 0; call < RandomModule.EXPORTED; call++) {
        paid.add(flow ? pay(guest, "run", List.of(call * 1_000_003)) : module(guest, seed, call));
      }
    }
    return paid;
  }

  private static Paid module(Guest guest, long seed, int call) {
    guest.setGlobal("fuel", 50);
    return pay(guest, "f" + call, params(seed, call));
  }

  private static Paid pay(Guest guest, String function, List<Object> params) {
    long before = guest.fuelUsed();
    try {
      guest.call(function, params);
      return new Paid(true, guest.fuelUsed() - before);
    } catch (WasmException e) {
      return new Paid(false, guest.fuelUsed() - before);
    }
  }

  /** The engine's own interpreter, with what it is known to get wrong put right. */
  private static final class Bare {
    private final Instance instance;
    private long cost;

    Bare(byte[] wasm) {
      instance =
          Instance.builder(FunctionEnds.mend(Parser.parse(wasm)))
              .withUnsafeExecutionListener(this::count)
              .build();
    }

    long counted(String function, long... params) {
      cost = 1; // the function that is called
      try {
        instance.export(function).apply(params);
      } catch (ChicoryException e) {
        throw new AssertionError(function + " trapped in the bare interpreter alone", e);
      }
      return cost;
    }

    private void count(Instruction instruction, MStack stack) {
      OpCode code = instruction.opcode();
      cost += (FREE.contains(code) ? 0 : 1) + (CALLS.contains(code) ? 1 : 0);
      Corrections.onStack(instruction, stack);
      if (code == OpCode.I32_MUL) {
        int product = (int) (stack.pop() * stack.pop());
        stack.push(product);
        stack.push(1);
      }
    }
  }
}
