package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** One instance runs one job at a time, in order, and nobody waits for a guest that never ends. */
class InstanceTest {
  private static final Signature NOTHING = Signature.of(List.of(), List.of());

  private TestNode node = TestNode.start();

  @AfterEach
  void stop() {
    node.close();
  }

  /** A guest whose {@code wait} blocks in Java until the latch opens, and {@code next} counts. */
  private InstanceRef waiting(String id, CountDownLatch entered, CountDownLatch opened) {
    node.host()
        .function(
            id + ".wait",
            (caller, args) -> {
              entered.countDown();
              opened.await();
              return List.of();
            });
    InstanceSpec spec =
        TestNode.inlineText(
                """
                (module
                  (import "env" "wait" (func $wait))
                  (global $n (mut i32) (i32.const 0))
                  (func (export "wait") (call $wait))
                  (func (export "next") (result i32)
                    (global.set $n (i32.add (global.get $n) (i32.const 1)))
                    (global.get $n)))
                """)
            .withId(id)
            .withLimit(Limit.MAILBOX, 10)
            .withImport("env", "wait", NOTHING, id + ".wait");
    return node.start(spec);
  }

  @Test
  void calls_runInOrderOfArrival() {
    InstanceRef guest = node.start("multi");
    List<Future<List<Object>>> calls = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      calls.add(guest.call("next"));
    }
    for (int i = 0; i < 1000; i++) {
      assertEquals(List.of(i + 1), calls.get(i).await());
    }
  }

  @Test
  void instances_ofOneModule_doNotSeeEachOther() {
    node.client().put(io.busbar.Guests.text("multi"), "multi").await();
    for (int i = 0; i < 3; i++) {
      InstanceRef guest = node.start(InstanceSpec.of("multi"));
      assertEquals(List.of(7), guest.call("grow_table").await());
      assertEquals(List.of(1), guest.call("next").await());
      assertEquals(List.of(1), guest.call("grow", 1).await());
    }
  }

  @Test
  void otherInstances_answerWhileSomeNeverEnd() {
    List<Future<List<Object>>> endless =
        IntStream.range(0, 8)
            .mapToObj(i -> node.start("loops").withTimeout(Duration.ofSeconds(30)).call("br"))
            .toList();
    InstanceRef guest = node.start("multi");
    for (int i = 1; i <= 20; i++) {
      assertEquals(List.of(i), guest.call("next").await());
    }
    endless.forEach(call -> assertFalse(call.isComplete()));
  }

  @Test
  void eventLoop_isFreeWhileGuestsCompute() {
    IntStream.range(0, 4)
        .forEach(i -> node.start("loops").withTimeout(Duration.ofSeconds(2)).call("br"));
    for (int i = 0; i < 50; i++) {
      CountDownLatch ran = new CountDownLatch(1);
      node.vertx().runOnContext(v -> ran.countDown());
      assertTrue(await(ran));
    }
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "COMPILED,br",
    "COMPILED,br_if",
    "COMPILED,br_table",
    "COMPILED,counting",
    "COMPILED,call_indirect",
    "COMPILED,fill",
    "INTERPRETED,br",
    "INTERPRETED,br_if",
    "INTERPRETED,br_table",
    "INTERPRETED,counting",
    "INTERPRETED,call_indirect",
    "INTERPRETED,fill",
  })
  void deadline_stopsEveryLoop_andTheNextCallWorks(Compiler.Mode mode, String loop) {
    node.close();
    node = TestNode.start(mode);
    InstanceRef guest = node.start("loops");
    WasmException late =
        Failing.with(
            Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(100)).call(loop).await());
    assertEquals("interrupted", late.details().get("ran"));
    assertEquals(List.of(2), guest.call("two").await());
  }

  @ParameterizedTest
  @EnumSource(
      names = {"COMPILED", "INTERPRETED"},
      value = Compiler.Mode.class)
  void deadline_stopsRecursion(Compiler.Mode mode) {
    node.close();
    node = TestNode.start(mode);
    InstanceRef guest = node.start("loops");
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(100)).call("fib", 90).await());
    assertEquals(List.of(21L), guest.call("fib", 8).await());
  }

  @Test
  void deadline_ofTheInstance_boundsWhateverTheAskerAllows() {
    node.client().put(io.busbar.Guests.text("loops"), "loops").await(); // its time is for calls
    InstanceRef guest = node.start(InstanceSpec.of("loops").withLimit(Limit.DEADLINE, 100));
    for (Duration asked : List.of(Duration.ZERO, Duration.ofHours(1))) {
      Failing.with(
          Failure.DEADLINE,
          "deadline of 100 ms exceeded (interrupted)",
          () -> guest.withTimeout(asked).call("br").await());
    }
  }

  @Test
  void call_whoseTimeIsOverInTheQueue_neverStarts() {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, opened);
    Future<List<Object>> first = guest.call("wait");
    assertTrue(await(entered));
    WasmException late =
        Failing.with(
            Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(50)).call("next").await());
    assertEquals("never", late.details().get("ran"));
    opened.countDown();
    assertEquals(List.of(), first.await());
    assertEquals(List.of(1), guest.call("next").await(), "the late call did not run");
  }

  @Test
  void mailbox_whenFull_refusesAtOnce() {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, opened);
    Future<List<Object>> first = guest.call("wait");
    assertTrue(await(entered));
    List<Future<List<Object>>> calls = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      calls.add(guest.call("next"));
    }
    for (Future<List<Object>> refused : calls.subList(10, 10_000)) {
      Failing.with(
          Failure.OVERLOADED,
          "the mailbox of instance `w` is full (10 operations)",
          () -> refused.await());
    }
    assertFalse(first.isComplete());
    opened.countDown();
    for (int i = 0; i < 10; i++) {
      assertEquals(List.of(i + 1), calls.get(i).await());
    }
    assertEquals(List.of(), first.await());
  }

  @Test
  void cancel_ofAQueuedCall_keepsItFromStarting() {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, opened);
    guest.call("wait");
    assertTrue(await(entered));
    Future<List<Object>> queued = guest.withOperationId("q-1").call("next");
    assertTrue(guest.cancel("q-1").await());
    Failing.with(Failure.CANCELLED, "operation `q-1` was cancelled", () -> queued.await());
    assertFalse(guest.cancel("q-1").await());
    opened.countDown();
    assertEquals(List.of(1), guest.call("next").await());
  }

  @Test
  void cancel_ofARunningCall_interruptsIt() {
    CountDownLatch entered = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, new CountDownLatch(1));
    Future<List<Object>> running = guest.withOperationId("r").call("wait");
    assertTrue(await(entered));
    assertTrue(guest.cancel("r").await());
    Failing.with(Failure.CANCELLED, () -> running.await());
    assertEquals(List.of(1), guest.call("next").await());
  }

  @Test
  void stop_answersEveryCall() {
    CountDownLatch entered = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, new CountDownLatch(1));
    List<Future<List<Object>>> calls = new ArrayList<>();
    calls.add(guest.call("wait"));
    assertTrue(await(entered));
    IntStream.range(0, 5).forEach(i -> calls.add(guest.call("next")));
    guest.stop().await();
    for (Future<List<Object>> call : calls) {
      Failing.with(Failure.CANCELLED, "instance `w` was stopped", () -> call.await());
    }
    Failing.with(
        Failure.NO_SUCH_INSTANCE, "instance `w` not found", () -> guest.call("next").await());
    Failing.with(Failure.NO_SUCH_INSTANCE, () -> guest.stop().await());
  }

  @Test
  void close_ofTheNode_answersEveryCall() {
    CountDownLatch entered = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, new CountDownLatch(1));
    Future<List<Object>> running = guest.call("wait");
    assertTrue(await(entered));
    Future<List<Object>> queued = guest.call("next");
    node.host().close().await();
    Failing.with(Failure.CANCELLED, () -> running.await());
    Failing.with(Failure.CANCELLED, () -> queued.await());
    node.host().close().await();
  }

  @Test
  void thousandCallsAtOnce_eachGetTheirOwnAnswer() {
    InstanceRef guest = node.start("wasm_test");
    List<Future<List<Object>>> calls =
        IntStream.range(0, 1000).mapToObj(i -> guest.call("sum", i, i)).toList();
    for (int i = 0; i < 1000; i++) {
      assertEquals(List.of(2 * i), calls.get(i).await());
    }
  }

  @Test
  void hundredCalls_trapAboveFifty_exactlyThoseFail() {
    InstanceRef guest = node.start("multi");
    List<Future<List<Object>>> calls =
        IntStream.rangeClosed(1, 100).mapToObj(i -> guest.call("trap_above_50", i)).toList();
    for (int i = 1; i <= 100; i++) {
      Future<List<Object>> call = calls.get(i - 1);
      if (i <= 50) {
        assertEquals(List.of(i), call.await());
      } else {
        Failing.with(Failure.TRAP, () -> call.await());
      }
    }
  }

  @Test
  void start_runsNoStartFunctionUnasked_butTheStartSection() {
    InstanceRef guest =
        node.startText(
            """
            (module
              (global $n (export "n") (mut i32) (i32.const 0))
              (func $add (param i32)
                (global.set $n (i32.add (global.get $n) (local.get 0))))
              (func $section (call $add (i32.const 1)))
              (func (export "_start") (call $add (i32.const 10)))
              (func (export "_initialize") (call $add (i32.const 100)))
              (start $section))
            """);
    assertEquals(1, guest.global("n").await());
    guest.call("_start").await();
    assertEquals(11, guest.global("n").await());
  }

  @Test
  void start_thatTraps_leavesNothing() {
    InstanceSpec spec =
        TestNode.inlineText("(module (func $s (unreachable)) (start $s))").withId("s");
    WasmException trap = Failing.with(Failure.TRAP, () -> node.start(spec));
    assertEquals("wasm `unreachable` instruction executed", trap.trap());
    assertNothingLeft();
  }

  private void assertNothingLeft() {
    assertEquals(List.of(), node.client().instances().await());
    assertEquals(List.of(), node.client().modules().await());
    node.start(TestNode.inline("multi").withId("s")).stop().await();
  }

  @Test
  void start_thatNeverEnds_isStoppedAtItsDeadline() {
    InstanceSpec spec =
        TestNode.inlineText("(module (func $s (loop (br 0))) (start $s))")
            .withId("s")
            .withLimit(Limit.DEADLINE, 100);
    Failing.with(Failure.DEADLINE, () -> node.start(spec));
    assertNothingLeft();
  }

  @Test
  void start_withSegmentsOutOfBounds_traps() {
    WasmException memory =
        Failing.with(
            Failure.TRAP,
            () -> node.startText("(module (memory 1) (data (i32.const 65535) \"ab\"))"));
    assertEquals("out of bounds memory access", memory.trap());
    WasmException table =
        Failing.with(
            Failure.TRAP,
            () -> node.startText("(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))"));
    assertEquals("undefined element: out of bounds table access", table.trap());
  }

  @Test
  void start_overItsLimits_isRefused() {
    Failing.with(
        Failure.LIMIT,
        "memory minimum size of 17 pages exceeds memory limits",
        () -> node.start(TestNode.inline("wasm_test").withLimit(Limit.MEMORY_BYTES, 1000)));
    Failing.with(
        Failure.LIMIT,
        "table minimum size of 2 elements exceeds table limits",
        () -> node.start(TestNode.inline("multi").withLimit(Limit.TABLE_ELEMENTS, 1)));
    Failing.with(
        Failure.LIMIT,
        "resource limit exceeded: memory count too high at 2",
        () -> node.start(TestNode.inline("multi").withLimit(Limit.MEMORIES, 1)));
    Failing.with(
        Failure.LIMIT,
        "limits.mailbox of 2000 is more than this node allows (1024)",
        () -> node.start(TestNode.inline("multi").withLimit(Limit.MAILBOX, 2000)));
    InstanceRef exact =
        node.start(TestNode.inline("wasm_test").withLimit(Limit.MEMORY_BYTES, 17 * 65_536));
    Failing.with(
        Failure.LIMIT,
        "Failed to grow the memory: failed to grow memory by `1`.",
        () -> exact.memory().grow(1).await());
  }

  @Test
  void start_withAnIdThatIsTaken_isAConflict() {
    node.start(TestNode.inline("multi").withId("a"));
    Failing.with(
        Failure.CONFLICT,
        "instance `a` exists already",
        () -> node.start(TestNode.inline("multi").withId("a")));
    assertEquals(List.of(1), node.client().instance("a").call("next").await());
  }

  @Test
  void start_withoutAnId_makesOne() {
    String first = node.start("multi").id();
    assertNotEquals(first, node.start("multi").id());
    assertEquals(2, node.client().instances().await().size());
  }

  @Test
  void start_withMissingOrWrongImports_saysMissingOnesFirst() {
    String wat =
        """
        (module
          (import "env" "a" (func (param i32)))
          (import "env" "b" (func (param i32))))
        """;
    Signature wrong = Signature.of(List.of(ValueType.I64), List.of());
    InstanceSpec spec = TestNode.inlineText(wat).withImport("env", "a", wrong, "nowhere");
    Failing.with(
        Failure.LINK, "unknown import: `env::b` has not been defined", () -> node.start(spec));
    Failing.with(
        Failure.LINK,
        "incompatible import type for `env::a`",
        () -> node.start(spec.withImport("env", "b", wrong, "nowhere")));
  }

  @Test
  void javaFunction_reachesItsCaller_untilItReturns() throws Exception {
    List<io.busbar.model.Caller> kept = new ArrayList<>();
    node.host()
        .function(
            "my.peek",
            (caller, args) -> {
              kept.add(caller);
              assertEquals(42, caller.read(0, 1)[0]);
              caller.write(0, new byte[] {23});
              assertEquals(1, caller.grow(1));
              assertTrue(caller.exists("three"));
              return List.of((Integer) caller.call("three", List.of()).get(0) + (int) args.get(0));
            });
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "peek" (func $peek (param i32) (result i32)))
                      (memory (export "memory") 1)
                      (data (i32.const 0) "\\2a")
                      (func (export "three") (result i32) (i32.const 3))
                      (func (export "go") (result i32) (call $peek (i32.const 4))))
                    """)
                .withImport(
                    "env",
                    "peek",
                    Signature.of(List.of(ValueType.I32), List.of(ValueType.I32)),
                    "my.peek"));
    assertEquals(List.of(7), guest.call("go").await());
    assertEquals(23, guest.memory().read(0, 1).await().getByte(0));
    assertEquals(2, guest.memory().pages().await());
    Failing.with(
        Failure.NO_SUCH_CALLER, "Caller is no longer valid", () -> kept.get(0).exists("three"));
  }

  @Test
  void javaFunction_thatFails_failsTheCallAndNotTheInstance() {
    node.host()
        .function(
            "my.bad",
            (caller, args) -> {
              throw new IllegalStateException("no luck");
            });
    node.host().function("my.wrong", (caller, args) -> List.of("text"));
    Signature gives = Signature.of(List.of(), List.of(ValueType.I32));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "bad" (func $bad (result i32)))
                      (import "env" "wrong" (func $wrong (result i32)))
                      (import "env" "missing" (func $missing (result i32)))
                      (func (export "bad") (result i32) (call $bad))
                      (func (export "wrong") (result i32) (call $wrong))
                      (func (export "missing") (result i32) (call $missing))
                      (func (export "fine") (result i32) (i32.const 1)))
                    """)
                .withImport("env", "bad", gives, "my.bad")
                .withImport("env", "wrong", gives, "my.wrong")
                .withImport("env", "missing", gives, "my.missing"));
    Failing.with(
        Failure.HOST_FUNCTION, "import `env.bad` failed: no luck", () -> guest.call("bad").await());
    Failing.with(
        Failure.HOST_FUNCTION,
        "import `env.wrong` failed: Cannot convert argument #1 to a WebAssembly i32 value."
            + " Given `String`.",
        () -> guest.call("wrong").await());
    Failing.with(Failure.HOST_FUNCTION, () -> guest.call("missing").await());
    assertEquals(List.of(1), guest.call("fine").await());
  }

  @Test
  void threads_areCleanAfterAnInterrupt() {
    InstanceRef looping = node.start("loops");
    InstanceRef honest = node.start("multi");
    for (int i = 1; i <= 20; i++) {
      Future<List<Object>> late =
          looping.withTimeout(Duration.ofMillis(20)).call(i % 2 == 0 ? "br" : "fill");
      Failing.with(Failure.DEADLINE, () -> late.await());
      assertEquals(List.of(i), honest.call("next").await());
    }
  }

  @Test
  void guests_runOnGuestThreadsOnly() {
    Set<String> names = ConcurrentHashMap.newKeySet();
    node.host()
        .function(
            "my.where",
            (caller, args) -> {
              names.add(Thread.currentThread().getName());
              return List.of();
            });
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "where" (func $where))
                      (func (export "go") (call $where))
                      (start $where))
                    """)
                .withImport("env", "where", NOTHING, "my.where"));
    guest.call("go").await();
    assertEquals(Set.of("busbar-guest"), new HashSet<>(names));
  }

  @Test
  void describe_answersWhileACallRuns() {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    InstanceRef guest = waiting("w", entered, opened);
    guest.call("wait");
    assertTrue(await(entered));
    guest.call("next");
    var described = guest.describe().await();
    assertTrue(described.getBoolean("running"));
    assertEquals(1, described.getInteger("queue"));
    opened.countDown();
  }
}
