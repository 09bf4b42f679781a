package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.WasmException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random modules do the same on both machines: results, traps, and what is in memories, globals and
 * tables afterwards.
 *
 * <p>{@code -Ddifferential.seed=n} starts elsewhere, {@code -Ddifferential.modules=n} sets how many
 * modules the slow test runs.
 */
class DifferentialTest {
  private static final int PER_BUILD = 150;
  private static final long SEED = Long.getLong("differential.seed", 20_261_123);

  @Test
  void machines_agree() {
    int returned = run(SEED, PER_BUILD);
    assertTrue(returned > PER_BUILD / 2, "hardly a call has returned: " + returned);
  }

  @Tag("nightly")
  @Test
  void machines_agree_onManyMore() {
    int modules = Integer.getInteger("differential.modules", 2_000);
    assertTrue(run(SEED + 1_000_000, modules) > modules / 2);
  }

  /** How many calls returned. */
  private static int run(long seed, int modules) {
    int returned = 0;
    for (int i = 0; i < modules; i++) {
      try (Ours compiled = new Ours(Compiler.Mode.COMPILED);
          Ours interpreted = new Ours(Compiler.Mode.INTERPRETED)) {
        byte[] wasm = new RandomModule(seed + i).bytes();
        Guest one = start(compiled, wasm);
        Guest other = start(interpreted, wasm);
        assertTrue(one.isCompiled(), "seed " + (seed + i));
        for (int call = 0; call < RandomModule.EXPORTED; call++) {
          String seen = observed(one, call, seed + i);
          assertEquals(seen, observed(other, call, seed + i), "seed " + (seed + i));
          assertTrue(!seen.contains("INTERNAL"), seen);
          returned += seen.startsWith("[") ? 1 : 0;
        }
      }
    }
    return returned;
  }

  private static Guest start(Ours ours, byte[] wasm) {
    Limits limits =
        Limits.STANDARD.with(Limit.MEMORY_BYTES, 4 << 16).with(Limit.TABLE_ELEMENTS, 40);
    return Guest.start(Guest.Plan.of(ours.load(wasm), "guest").withLimits(limits), null);
  }

  private static String observed(Guest guest, int call, long seed) {
    Random random = new Random(seed * 31 + call);
    guest.setGlobal("fuel", 50);
    List<Object> params =
        List.of(
            RandomModule.i32(random),
            RandomModule.i64(random),
            RandomModule.f32(random),
            RandomModule.f64(random));
    return said(guest, "f" + call, params)
        + " memory "
        + Arrays.hashCode(guest.read("m", 0, 65_536L * guest.pages("m")))
        + " globals "
        + List.of(guest.global("g0"), guest.global("g1"), guest.global("g2"), guest.global("g3"))
        + " table "
        + said(guest, "table", List.of());
  }

  private static String said(Guest guest, String function, List<Object> params) {
    try {
      return guest.call(function, params).toString();
    } catch (WasmException e) {
      return e.trap() == null ? e.toString() : e.trap() + e.frames();
    }
  }
}
