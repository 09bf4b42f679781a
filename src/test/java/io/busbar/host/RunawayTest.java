package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.model.WasiSpec;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a guest does, it is stopped at its deadline, on both machines, and what comes next on
 * its instance and on its thread works.
 */
@Timeout(120)
class RunawayTest {
  private static final Duration DEADLINE = Duration.ofMillis(200);
  private static final Duration MARGIN = Duration.ofSeconds(2);
  private static final Duration PATIENT = Duration.ofMinutes(1);
  private static final Signature NOTHING = Signature.of(List.of(), List.of());
  private static final Map<Compiler.Mode, TestNode> NODES = new EnumMap<>(Compiler.Mode.class);
  private static final Map<String, String> WAYS = ways();
  private static final Map<String, byte[]> MODULES = new HashMap<>();
  private static final Semaphore ENTERED = new Semaphore(0);

  /** Each exports {@code run}, which never ends. */
  private static Map<String, String> ways() {
    Map<String, String> ways = new LinkedHashMap<>();
    ways.put("br", "(func (export \"run\") (loop (br 0)))");
    ways.put("br_if", "(func (export \"run\") (loop (br_if 0 (i32.const 1))))");
    ways.put("br_table", "(func (export \"run\") (loop (br_table 0 0 (i32.const 0))))");
    ways.put(
        "counting",
        """
        (func (export "run") (local i64)
          (loop
            (local.set 0 (i64.add (local.get 0) (i64.const 1)))
            (br_if 0 (i64.lt_u (local.get 0) (i64.const 1000000000000000)))))
        """);
    ways.put("calls", "(func $f) (func (export \"run\") (loop (call $f) (br_if 0 (i32.const 1))))");
    ways.put(
        "call_indirect",
        """
        (table 1 funcref) (elem (i32.const 0) $f) (func $f)
        (func (export "run") (loop (call_indirect (i32.const 0)) (br_if 0 (i32.const 1))))
        """);
    ways.put("return_call", "(func $f (export \"run\") (return_call $f))");
    ways.put(
        "return_call between two",
        "(func $f (export \"run\") (return_call $g)) (func $g (return_call $f))");
    ways.put(
        "return_call_indirect",
        """
        (table 1 funcref) (elem (i32.const 0) $f)
        (func $f (export "run") (return_call_indirect (i32.const 0)))
        """);
    ways.put("recursion", recursion(""));
    ways.put("recursion with heavy frames", recursion("(local" + " i64".repeat(2000) + ")"));
    ways.put(
        "memory.fill",
        "(memory 1000) (func (export \"run\")"
            + "(memory.fill (i32.const 0) (i32.const 7) (i32.const 65536000))".repeat(1500)
            + ")");
    ways.put(
        "memory.copy",
        "(memory 1000) (func (export \"run\")"
            + "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65535000))".repeat(1500)
            + ")");
    ways.put(
        "memory.init",
        "(memory 16) (data $d \""
            + "x".repeat(1 << 20)
            + "\") (func (export \"run\")"
            + "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 1048576))".repeat(3000)
            + "(loop (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1048576))"
            + "(br_if 0 (i32.const 1))))");
    ways.put(
        "table.fill",
        "(table $t 1000000 funcref) (func (export \"run\")"
            + "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000))".repeat(4000)
            + ")");
    ways.put(
        "table.copy",
        "(table $t 1000000 funcref) (func (export \"run\")"
            + "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 999999))".repeat(4000)
            + ")");
    ways.put(
        "table.grow",
        """
        (table $t 1 funcref)
        (func (export "run")
          (loop (drop (table.grow $t (ref.null func) (i32.const 100))) (br_if 0 (i32.const 1))))
        """);
    ways.put(
        "memory.grow",
        """
        (memory 1)
        (func (export "run")
          (loop (drop (memory.grow (i32.const 1))) (br_if 0 (i32.const 1))))
        """);
    ways.put(
        "atomic wait",
        """
        (memory 1 1 shared)
        (func (export "run")
          (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
        """);
    ways.put("beyond 64 KiB of JVM code", large("(loop (br_if 0 (i32.const 1)))"));
    ways.put(
        "beyond 64 KiB of JVM code, by br_table", large("(loop (br_table 0 0 (i32.const 0)))"));
    ways.put(
        "beyond 64 KiB of JVM code, straight on",
        "(memory 1000)"
            + large("(memory.fill (i32.const 0) (i32.const 7) (i32.const 65536000))".repeat(1500)));
    return ways;
  }

  /** Never deep, but twice as long with each level. */
  private static String recursion(String locals) {
    return String.format(
        """
        (func $f (param i32) %s
          (if (local.get 0)
            (then
              (call $f (i32.sub (local.get 0) (i32.const 1)))
              (call $f (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (call $f (i32.const 60)))
        """,
        locals);
  }

  private static String large(String body) {
    String filling = "(drop (i32.add (i32.const 123456789) (i32.const 987654321)))".repeat(10_000);
    return "(func (export \"run\")" + body + filling + ")";
  }

  private static Stream<Compiler.Mode> machines() {
    return Stream.of(Compiler.Mode.COMPILED, Compiler.Mode.INTERPRETED);
  }

  private static Stream<Arguments> everyWay() {
    return machines().flatMap(m -> WAYS.keySet().stream().map(way -> Arguments.of(m, way)));
  }

  @BeforeAll
  static void start() {
    machines().forEach(mode -> NODES.put(mode, node(mode, 2)));
  }

  /** A node whose calls run on so many threads, one at a time. */
  private static TestNode node(Compiler.Mode mode, int threads) {
    JsonObject settings =
        new JsonObject()
            .put("workers", new JsonObject().put("rights", 1).put("threads", threads))
            .put("limits", new JsonObject().put("tableElements", 1_000_000))
            .put("modules", new JsonObject().put("tableElements", 1_000_000))
            .put("engine", new JsonObject().put("machine", mode.name().toLowerCase(Locale.ROOT)));
    TestNode node = TestNode.start(Config.from(settings));
    node.host()
        .function(
            "my.block",
            (caller, args) -> {
              ENTERED.release();
              new CountDownLatch(1).await();
              return List.of();
            })
        .function(
            "my.enter",
            (caller, args) -> {
              ENTERED.release();
              return List.of();
            })
        .function("my.slow", (caller, args) -> slow())
        .asyncFunction("my.later", (caller, args) -> Promise.<List<Object>>promise().future());
    node.client()
        .serve("my.bus", NOTHING, (caller, args) -> Promise.<List<Object>>promise().future())
        .await();
    return node;
  }

  @AfterAll
  static void stop() {
    NODES.values().forEach(TestNode::close);
  }

  private static byte[] module(String way) {
    return MODULES.computeIfAbsent(way, RunawayTest::binary);
  }

  private static byte[] binary(String way) {
    String text = "(module " + way + " (func (export \"two\") (result i32) (i32.const 2)))";
    return Compiler.toBinary(text.getBytes(StandardCharsets.UTF_8));
  }

  private static InstanceSpec spec(String way) {
    return InstanceSpec.of(new ModuleRef.Inline(module(way)));
  }

  private interface Asking {
    Future<?> ask(InstanceRef hurried);
  }

  /** By its deadline, and once more by who asked. */
  private static void assertStopped(TestNode node, InstanceRef guest, Asking asking) {
    assertLate(guest, asking);
    assertCancelled(guest, asking);
    assertNothingLost(node, guest);
  }

  /** It is told of its deadline, by the time of it, and what comes next works. */
  private static void assertLate(InstanceRef guest, Asking asking) {
    long asked = System.nanoTime();
    WasmException late =
        Failing.with(Failure.DEADLINE, () -> asking.ask(guest.withTimeout(DEADLINE)).await());
    assertTold(asked, DEADLINE);
    assertEquals("interrupted", late.details().get("ran"));
    assertEquals(List.of(2), guest.withTimeout(MARGIN).call("two").await());
  }

  private static void assertTold(long since, Duration meant) {
    Duration took = Duration.ofNanos(System.nanoTime() - since);
    assertTrue(took.compareTo(meant.plus(MARGIN)) < 0, () -> "answered after " + took);
  }

  /** The same way at once, and what comes next works. */
  private static void assertCancelled(InstanceRef guest, Asking asking) {
    Future<?> call = asking.ask(guest.withOperationId("r").withTimeout(PATIENT));
    Until.isTrue(() -> guest.describe().await().getBoolean("running"));
    long cancelled = System.nanoTime();
    assertTrue(guest.cancel("r").await());
    Failing.with(Failure.CANCELLED, call::await);
    assertTold(cancelled, Duration.ZERO);
    assertEquals(List.of(2), guest.withTimeout(MARGIN).call("two").await());
  }

  private static void assertNothingLost(TestNode node, InstanceRef guest) {
    guest.stop().await();
    assertEquals(0, node.client().nodes().await().get(0).getInteger("lost"));
  }

  @ParameterizedTest
  @MethodSource("everyWay")
  void guest_thatNeverEnds_isStopped(Compiler.Mode mode, String way) {
    assertStopped(NODES.get(mode), spec(WAYS.get(way)));
  }

  /** Metered code looks for an interrupt in another way, whatever the interrupt is for. */
  @ParameterizedTest
  @MethodSource("everyWay")
  void meteredGuest_thatNeverEnds_isStopped(Compiler.Mode mode, String way) {
    TestNode node = NODES.get(mode);
    InstanceRef guest = node.start(spec(WAYS.get(way)).withLimit(Limit.FUEL, Limit.FUEL.highest()));
    for (int i = 0; i < 2; i++) {
      assertCancelled(guest, hurried -> hurried.call("run"));
    }
    assertNothingLost(node, guest);
  }

  private static void assertStopped(TestNode node, InstanceSpec spec) {
    InstanceRef guest = node.start(spec);
    assertStopped(node, guest, hurried -> hurried.call("run"));
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void link_thatNeverEnds_isStopped(Compiler.Mode mode) {
    String user = "(import \"m\" \"run\" (func $run)) (func (export \"run\") (call $run))";
    LinkSpec link = new LinkSpec(new ModuleRef.Inline(module(WAYS.get("br_if"))), Map.of());
    TestNode node = NODES.get(mode);
    InstanceRef guest = node.start(spec(user).withLink("m", link));
    assertStopped(node, guest, hurried -> hurried.call("run"));
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void start_thatNeverEnds_isStopped(Compiler.Mode mode) {
    TestNode node = NODES.get(mode);
    for (String way : List.of("br", "br_if", "br_table", "beyond 64 KiB of JVM code")) {
      String section = WAYS.get(way).replace("(func (export", "(func $s (export") + "(start $s)";
      ModuleId module = node.client().put(module(section)).await(); // which takes its own time
      InstanceSpec spec =
          InstanceSpec.of(module.toString()).withId("s").withLimit(Limit.DEADLINE, 500);
      WasmException late = Failing.with(Failure.DEADLINE, () -> node.start(spec));
      assertEquals("interrupted", late.details().get("ran"), way);
    }
    assertEquals(0, node.client().nodes().await().get(0).getInteger("lost"));
    assertEquals(List.of(2), node.start(spec("")).call("two").await());
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void invoke_thatNeverEnds_isStopped(Compiler.Mode mode) {
    TestNode node = NODES.get(mode);
    String endless = "(loop (br_if 0 (i32.const 1)))";
    for (int at = 0; at < 3; at++) {
      String body =
          String.format(
              """
              (memory (export "memory") 1)
              (func (export "alloc") (param i32) (result i32) %s (i32.const 8))
              (func (export "dealloc") (param i32 i32) %s)
              (func (export "run") (param i32 i32) (result i64) %s (i64.const 0))
              """,
              at == 0 ? endless : "", at == 1 ? endless : "", at == 2 ? endless : "");
      InstanceRef guest = node.start(spec(body));
      assertStopped(node, guest, hurried -> hurried.invokeText("run", "abc"));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void wasiWait_isStopped(Compiler.Mode mode) {
    String sleeper =
        """
        (import "wasi_snapshot_preview1" "poll_oneoff"
          (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read"
          (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "sleep") (result i32)
          (i32.store (i32.const 16) (i32.const 1))
          (i64.store (i32.const 24) (i64.const 3600000000000))
          (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)))
        (func (export "read") (result i32)
          (i32.store (i32.const 4) (i32.const 10))
          (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 200)))
        """;
    TestNode node = NODES.get(mode);
    InstanceSpec spec = spec(sleeper).withWasi(WasiSpec.ISOLATED.withStdinOpen(true));
    for (String function : List.of("sleep", "read")) {
      assertStopped(node, node.start(spec), hurried -> hurried.call(function));
    }
  }

  private static final String ASKS =
      """
      (import "env" "ask" (func $ask))
      (import "env" "enter" (func $enter))
      (memory 1000)
      (func (export "run") (call $ask))
      (func (export "loop") (call $enter) (loop (br_if 0 (i32.const 1))))
      (func (export "fill")
        (call $enter)
        (loop
          (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536000))
          (br_if 0 (i32.const 1))))
      """;

  private static InstanceSpec asking(String address) {
    return spec(ASKS)
        .withImport("env", "ask", NOTHING, address)
        .withImport("env", "enter", NOTHING, "my.enter");
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void callback_thatNeverAnswers_isStopped(Compiler.Mode mode) {
    TestNode node = NODES.get(mode);
    for (String address : List.of("my.block", "my.later", "my.bus")) {
      assertStopped(node, node.start(asking(address)), hurried -> hurried.call("run"));
    }
  }

  /** Each call is short, and deaf to interrupts. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void javaFunction_calledForEver_isStopped(Compiler.Mode mode) {
    TestNode node = NODES.get(mode);
    InstanceSpec spec =
        spec("""
                (import "env" "slow" (func $slow))
                (func (export "run") (loop (call $slow) (br_if 0 (i32.const 1))))
                """)
            .withImport("env", "slow", NOTHING, "my.slow");
    assertStopped(node, node.start(spec), hurried -> hurried.call("run"));
    InstanceSpec metered = spec.withLimit(Limit.FUEL, Limit.FUEL.highest());
    assertStopped(node, node.start(metered), hurried -> hurried.call("run"));
  }

  private static List<Object> slow() {
    long end = System.nanoTime() + Duration.ofMillis(1).toNanos();
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    return List.of();
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void interrupt_neverReachesTheNextCallOnItsThread(Compiler.Mode mode) throws Exception {
    interrupt(mode, 250);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  @Tag("slow")
  void interrupt_neverReachesOneOfManyCallsOnItsThread(Compiler.Mode mode) throws Exception {
    interrupt(mode, 2000);
  }

  /** The one thread of a node goes from a call that was interrupted right to another instance's. */
  private static void interrupt(Compiler.Mode mode, int times) throws Exception {
    try (TestNode node = node(mode, 1)) {
      InstanceRef runaway = node.start(asking("my.block"));
      InstanceRef honest = node.start("multi");
      ENTERED.drainPermits();
      for (int i = 1; i <= times; i++) {
        String function = List.of("loop", "fill", "run").get(i % 3);
        Future<List<Object>> call = runaway.withOperationId("r").call(function);
        assertTrue(ENTERED.tryAcquire(20, TimeUnit.SECONDS));
        Future<List<Object>> next = honest.call("next");
        assertTrue(runaway.cancel("r").await());
        Failing.with(Failure.CANCELLED, call::await);
        assertEquals(List.of(i), next.await());
      }
    }
  }
}
