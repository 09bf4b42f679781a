package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.engine.wasi.Stdio;
import io.busbar.engine.wasi.Wasi;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.WasiSpec;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Memories and tables grow to their quotas and not a byte further, and what they held comes back.
 */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class QuotaTest {
  private static final long PAGE = 65_536;
  private static final long ELEMENT = 12;

  private static final String GROWS =
      """
      (module
        (memory (export "memory") %s)
        (table %s funcref)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "size") (result i32) (memory.size))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "store") (param i32) (i32.store8 (local.get 0) (i32.const 7)))
        (func (export "grow_table") (param i32) (result i32)
          (table.grow 0 (ref.null func) (local.get 0)))
        (func (export "table_size") (result i32) (table.size 0)))
      """;

  @Parameter Compiler.Mode mode;

  private final List<Compiler> compilers = new ArrayList<>();

  @AfterEach
  void close() {
    compilers.forEach(Compiler::close);
  }

  private CompiledModule load(String wat) {
    Compiler compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
    compilers.add(compiler);
    return compiler.load(Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8)));
  }

  private Guest.Plan plan(String wat, Budget budget) {
    return Guest.Plan.of(load(wat), "guest").withBudget(budget);
  }

  private static Guest start(Guest.Plan plan) {
    return Guest.start(plan, null);
  }

  private static Limits limits(Limit limit, long value) {
    return Limits.STANDARD.with(limit, value);
  }

  private static int call(Guest guest, String function, Object... params) {
    return (Integer) guest.call(function, List.of(params)).get(0);
  }

  @Test
  void memory_growsExactlyToItsQuota() {
    Guest guest =
        start(
            plan(GROWS.formatted("1", "0"), Budget.unbounded())
                .withLimits(limits(Limit.MEMORY_BYTES, 5 * PAGE)));
    for (int tooMany : new int[] {5, 65_535, 65_536, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      assertEquals(-1, call(guest, "grow", tooMany));
    }
    assertEquals(1, call(guest, "grow", 3));
    assertEquals(-1, call(guest, "grow", 2));
    assertEquals(4, call(guest, "grow", 1));
    assertEquals(-1, call(guest, "grow", 1));
    assertEquals(5, call(guest, "grow", 0));
    guest.call("store", List.of((int) (5 * PAGE - 1)));
    Failing.with(
        Failure.TRAP,
        "wasm trap: out of bounds memory access",
        () -> guest.call("store", List.of((int) (5 * PAGE))));
    Failing.with(
        Failure.LIMIT,
        "Failed to grow the memory: failed to grow memory by `1`.",
        () -> guest.grow("memory", 1));
  }

  @Test
  void quotaThatIsNoWholePage_isCutToOne() {
    Guest.Plan plan = plan(GROWS.formatted("1", "0"), Budget.unbounded());
    Guest guest = start(plan.withLimits(limits(Limit.MEMORY_BYTES, 3 * PAGE - 1)));
    assertEquals(-1, call(guest, "grow", 2));
    assertEquals(1, call(guest, "grow", 1));
    assertEquals(-1, call(guest, "grow", 1));
    Failing.with(
        Failure.LIMIT,
        "memory minimum size of 1 pages exceeds memory limits",
        () -> start(plan.withLimits(limits(Limit.MEMORY_BYTES, PAGE - 1))));
  }

  @Test
  void emptyMemory_holdsNothing_andStaysEmpty() {
    Budget node = Budget.of("the node", PAGE);
    Guest guest = start(plan(GROWS.formatted("0 0", "0 0"), node));
    assertTrue(node.reserved() < PAGE / 4);
    assertEquals(0, call(guest, "grow", 0));
    assertEquals(-1, call(guest, "grow", 1));
    assertEquals(0, call(guest, "grow_table", 0));
    assertEquals(-1, call(guest, "grow_table", 1));
  }

  @Test
  void maximum_costsNothing() {
    Budget small = Budget.unbounded();
    Budget large = Budget.unbounded();
    start(plan(GROWS.formatted("1 1", "1 1"), small));
    start(plan(GROWS.formatted("1 65536", "1 10000000"), large));
    assertEquals(small.reserved(), large.reserved());
    assertTrue(small.reserved() > PAGE);
  }

  @Test
  void table_growsExactlyToItsQuota() {
    Guest guest =
        start(
            plan(GROWS.formatted("0", "2"), Budget.unbounded())
                .withLimits(limits(Limit.TABLE_ELEMENTS, 10)));
    for (int tooMany : new int[] {9, Integer.MAX_VALUE, -1, Integer.MIN_VALUE}) {
      assertEquals(-1, call(guest, "grow_table", tooMany));
    }
    assertEquals(2, call(guest, "grow_table", 7));
    assertEquals(9, call(guest, "grow_table", 1));
    assertEquals(-1, call(guest, "grow_table", 1));
    assertEquals(10, call(guest, "table_size"));
  }

  @Test
  void largeFirstTable_isRefusedBeforeItIsMade() {
    Budget node = Budget.of("the node", 1 << 20);
    String wat = GROWS.formatted("0", "100000");
    Failing.with(
        Failure.LIMIT,
        "table minimum size of 100000 elements exceeds table limits",
        () -> start(plan(wat, node).withLimits(limits(Limit.TABLE_ELEMENTS, 99_999))));
    String text = Failing.with(Failure.LIMIT, () -> start(plan(wat, node))).getMessage();
    assertTrue(text.startsWith("the node has no room for 1200000 bytes more: "), text);
    assertTrue(text.endsWith(" of 1048576 are reserved"), text);
    assertEquals(0, node.reserved());
  }

  @Test
  void memoryBeyondTheBudget_isRefusedAtStart() {
    Budget node = Budget.of("the node", 10 * PAGE);
    String text =
        Failing.with(Failure.LIMIT, () -> start(plan(GROWS.formatted("10", "0"), node)))
            .getMessage();
    assertTrue(text.startsWith("the node has no room for 655360 bytes more: "), text);
    assertEquals(0, node.reserved());
  }

  /** While an array is copied there are two: a budget for three pages more is enough for both. */
  @Test
  void growth_takesHeadroomOnlyWhereThereIsRoom() {
    Budget node = Budget.unbounded();
    Guest roomy = start(plan(GROWS.formatted("8", "0"), node));
    long before = node.reserved();
    assertEquals(8, call(roomy, "grow", 1));
    assertEquals(4 * PAGE, node.reserved() - before); // half as much again

    Budget tight = Budget.of("the node", before + 9 * PAGE);
    Guest guest = start(plan(GROWS.formatted("8", "0"), tight));
    assertEquals(-1, call(guest, "grow", 2));
    assertEquals(8, call(guest, "grow", 1));
    assertEquals(before + PAGE, tight.reserved());
    assertEquals(-1, call(guest, "grow", 1));
    assertEquals(9, call(guest, "size"));
    Failing.with(
        Failure.LIMIT,
        "Failed to grow the memory: failed to grow memory by `1`.",
        () -> guest.grow("memory", 1));
  }

  @Test
  void table_growsOnlyAsFarAsTheBudget() {
    Budget node = Budget.of("the node", 100_000);
    Guest guest = start(plan(GROWS.formatted("0", "10"), node));
    long before = node.reserved();
    assertEquals(-1, call(guest, "grow_table", 10_000));
    assertEquals(before, node.reserved());
    assertEquals(10, call(guest, "grow_table", 1_000));
    assertEquals(before + 1_000 * ELEMENT, node.reserved());
  }

  @Test
  void linkedMemory_isCountedOnce() {
    String owner = "(module (memory (export \"m\") 3) (table (export \"t\") 100 funcref))";
    String user =
        "(module (import \"a\" \"m\" (memory 1)) (import \"a\" \"t\" (table 1 funcref))"
            + " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))";
    Budget node = Budget.unbounded();
    Guest guest = start(plan(user, node).withLinks(List.of(new Link("a", load(owner), List.of()))));
    long most = 3 * PAGE + 100 * ELEMENT + 2 * 5_000;
    assertTrue(node.reserved() >= 3 * PAGE + 100 * ELEMENT && node.reserved() < most);
    assertEquals(3, call(guest, "grow", 1));
    guest.close();
    assertEquals(0, node.reserved());
  }

  @Test
  void severalMemories_areSummedUp() {
    Budget node = Budget.of("the node", 8 * PAGE);
    String wat = "(module" + " (memory 2)".repeat(4) + ")";
    Failing.with(Failure.LIMIT, () -> start(plan(wat, node)));
    assertEquals(0, node.reserved());
    start(plan("(module" + " (memory 2)".repeat(3) + ")", node)).close();
    assertEquals(0, node.reserved());
  }

  @Test
  void failedStarts_giveEverythingBack() {
    Budget node = Budget.unbounded();
    String memory = "(memory 3) (table 5 funcref)";
    Failing.with(Failure.LINK, () -> start(plan("(module (import \"a\" \"b\" (func)))", node)));
    Failing.with(
        Failure.TRAP,
        () -> start(plan("(module " + memory + "(func $s unreachable) (start $s))", node)));
    Failing.with(
        Failure.TRAP,
        () -> start(plan("(module " + memory + "(data (i32.const 200000) \"abc\"))", node)));
    String second = "(module (import \"a\" \"x\" (func)) " + memory + ")";
    Link link = new Link("a", load("(module " + memory + ")"), List.of());
    Failing.with(Failure.LINK, () -> start(plan(second, node).withLinks(List.of(link))));
    Link trapping =
        new Link("b", load("(module " + memory + "(func $s unreachable) (start $s))"), List.of());
    Failing.with(
        Failure.LINK, () -> start(plan("(module)", node).withLinks(List.of(link, trapping))));
    assertEquals(0, node.reserved());
  }

  @Test
  void anySequence_leavesNothing() {
    Random random = new Random(mode.ordinal());
    Budget node = Budget.of("the node", 64 * PAGE);
    Guest.Plan plan = plan(GROWS.formatted("1", "1"), node);
    List<Guest> guests = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      int dice = random.nextInt(10);
      try {
        if (guests.isEmpty() || dice < 2) {
          guests.add(start(plan));
        } else if (dice < 3) {
          guests.remove(random.nextInt(guests.size())).close();
        } else {
          Guest guest = guests.get(random.nextInt(guests.size()));
          call(guest, dice < 7 ? "grow" : "grow_table", random.nextInt(dice < 7 ? 4 : 2_000));
        }
      } catch (WasmException e) {
        assertEquals(Failure.LIMIT, e.failure());
      }
      assertTrue(node.reserved() <= node.most());
    }
    guests.forEach(Guest::close);
    guests.forEach(Guest::close);
    assertEquals(0, node.reserved());
  }

  @Test
  void filesOfWasi_areReservedAsTheyGrow() {
    Budget node = Budget.of("the node", 1 << 20);
    Map<String, byte[]> files = Map.of("a", new byte[100_000]);
    WasiSpec spec = WasiSpec.ISOLATED.withFiles("/", files);
    Stdio stdio = new Stdio(new byte[0], false, 1 << 20, node);
    Wasi.Plan wasi = new Wasi.Plan(spec, stdio, List.of(), 16 << 20);
    Guest guest = start(plan("(module)", node).withWasi(wasi));
    assertTrue(node.reserved() > 2 * 100_000); // the spec's and the file system's
    guest.close();
    assertEquals(0, node.reserved());
    WasiSpec large = WasiSpec.ISOLATED.withFiles("/", Map.of("a", new byte[1_000_000]));
    Wasi.Plan tooMuch = new Wasi.Plan(large, stdio, List.of(), 16 << 20);
    Failing.with(Failure.LIMIT, () -> start(plan("(module)", node).withWasi(tooMuch)));
    assertEquals(0, node.reserved());
  }
}
