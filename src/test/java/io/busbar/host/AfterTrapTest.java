package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.model.AfterTrap;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.model.WasiSpec;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of an instance whose guest was left in the middle of a call. */
@Timeout(60)
class AfterTrapTest {
  private static final Signature NOTHING = Signature.of(List.of(), List.of());
  private static final String UNREACHABLE = "wasm trap: wasm `unreachable` instruction executed";

  private final LinkedBlockingQueue<JsonObject> events = new LinkedBlockingQueue<>();
  private TestNode node;

  @BeforeEach
  void start() {
    open(TestNode.start());
    node.host()
        .function(
            "my.fail",
            (caller, args) -> {
              throw new IllegalStateException("no luck");
            });
  }

  private void open(TestNode opened) {
    node = opened;
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "wasm.events",
            message -> {
              if (message.body().getString("event").startsWith("instance.")) {
                events.add(message.body());
              }
            })
        .completion()
        .await();
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private JsonObject event() throws InterruptedException {
    JsonObject event = events.poll(20, TimeUnit.SECONDS);
    assertTrue(event != null, "no event");
    return event;
  }

  private void assertEvent(String name, String reason) throws InterruptedException {
    JsonObject event = event();
    assertEquals(name, event.getString("event"));
    assertEquals("a", event.getString("id"));
    assertEquals(reason, event.getString("reason"));
  }

  private static InstanceSpec fragile(AfterTrap then) {
    return TestNode.inline("fragile")
        .withId("a")
        .withImport("env", "ask", NOTHING, "my.fail")
        .withAfterTrap(then);
  }

  @Test
  void keep_goesOnFromWhereItStopped() {
    InstanceRef guest = node.start(fragile(AfterTrap.KEEP));
    Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    assertEquals(List.of(101), guest.call("next").await());
    assertEquals(1, guest.describe().await().getInteger("epoch"));
  }

  @Test
  void restart_isAFreshGuestAtTheSameAddress() throws Exception {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART));
    assertEvent("instance.started", null);
    guest.call("next").await();
    guest.memory().write(100, Buffer.buffer("x")).await();
    Failing.with(Failure.TRAP, UNREACHABLE, () -> guest.call("trap").await());
    assertEquals(List.of(1), guest.call("next").await());
    assertEquals(0, guest.memory().read(0, 1).await().getByte(0));
    assertEquals(0, guest.memory().read(100, 1).await().getByte(0));
    assertEquals(1, guest.memory().pages().await());
    JsonObject described = guest.describe().await();
    assertEquals(2, described.getInteger("epoch"));
    assertEquals(1, described.getJsonObject("counters").getInteger("restarts"));
    assertEquals(1, described.getJsonObject("counters").getInteger("traps"));
    assertEquals("restart", described.getJsonObject("spec").getString("afterTrap"));
    assertEvent("instance.restarted", UNREACHABLE);
    guest.stop().await();
    assertEvent("instance.stopped", null);
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void restart_queuedOperationsGoOnAgainstTheFreshGuest() {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    node.host()
        .function(
            "my.wait",
            (caller, args) -> {
              entered.countDown();
              opened.await();
              throw new IllegalStateException("at last");
            });
    InstanceRef guest =
        node.start(
            TestNode.inline("fragile")
                .withImport("env", "ask", NOTHING, "my.wait")
                .withAfterTrap(AfterTrap.RESTART)
                .withLimit(Limit.MAILBOX, 10));
    Future<List<Object>> first = guest.call("ask");
    awaitLatch(entered);
    List<Future<List<Object>>> queued = new ArrayList<>();
    for (int i = 0; i < 10; i++) { // the mailbox is full, and the restart finds room
      queued.add(guest.call("next"));
    }
    awaitQueue(guest, 10);
    opened.countDown();
    Failing.with(Failure.HOST_FUNCTION, "import `env.ask` failed: at last", () -> first.await());
    for (int i = 0; i < 10; i++) {
      assertEquals(List.of(i + 1), queued.get(i).await());
    }
  }

  private static void awaitQueue(InstanceRef guest, int length) {
    Until.isTrue(() -> guest.describe().await().getInteger("queue") == length);
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"trap", "recurse", "ask", "loop"})
  void restart_followsWhateverCutACall(String function) throws Exception {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART));
    event();
    Failure why =
        switch (function) {
          case "ask" -> Failure.HOST_FUNCTION;
          case "loop" -> Failure.DEADLINE;
          default -> Failure.TRAP;
        };
    String said =
        Failing.with(why, () -> guest.withTimeout(Duration.ofMillis(500)).call(function).await())
            .getMessage();
    assertEquals(List.of(1), guest.call("next").await());
    assertEvent("instance.restarted", said);
  }

  @Test
  void restart_followsACancelledCall() throws Exception {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART));
    event();
    Future<List<Object>> running =
        guest.withOperationId("l").withTimeout(Duration.ZERO).call("loop");
    Until.isTrue(() -> guest.describe().await().getBoolean("running"));
    assertTrue(guest.cancel("l").await());
    Failing.with(Failure.CANCELLED, () -> running.await());
    assertEquals(List.of(1), guest.call("next").await());
    assertEvent("instance.restarted", "operation `l` was cancelled");
  }

  @Test
  void restart_doesNotFollowWhatNeverTouchedTheGuest_norAnExit() {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART));
    guest.call("next").await();
    Failing.with(Failure.NO_SUCH_EXPORT, () -> guest.call("none").await());
    Failing.with(Failure.BAD_PARAMS, () -> guest.call("take", "x").await());
    Failing.with(Failure.OUT_OF_BOUNDS, () -> guest.memory().read(65_536, 1).await());
    Failing.with(Failure.LIMIT, () -> guest.memory().grow(60_000).await());
    Failing.with(Failure.NO_SUCH_GLOBAL, () -> guest.global("none").await());
    assertEquals(List.of(2), guest.call("next").await());
    InstanceRef program =
        node.start(
            TestNode.inline("wasi_program")
                .withWasi(WasiSpec.ISOLATED.withStdin("a".getBytes(StandardCharsets.UTF_8)))
                .withAfterTrap(AfterTrap.RESTART));
    Failing.with(Failure.EXIT, () -> program.call("echo_then_exit", 3).await());
    assertEquals(1, program.describe().await().getInteger("epoch"));
    assertEquals(1, guest.describe().await().getInteger("epoch"));
  }

  @Test
  void stop_endsTheInstance_andTellsWhy() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    node.host()
        .function(
            "my.wait",
            (caller, args) -> {
              entered.countDown();
              opened.await();
              throw new IllegalStateException("at last");
            });
    InstanceRef guest =
        node.start(
            TestNode.inline("fragile")
                .withId("a")
                .withImport("env", "ask", NOTHING, "my.wait")
                .withAfterTrap(AfterTrap.STOP));
    assertEvent("instance.started", null);
    Future<List<Object>> first = guest.call("ask");
    awaitLatch(entered);
    Future<List<Object>> queued = guest.call("next");
    awaitQueue(guest, 1);
    opened.countDown();
    String why = "import `env.ask` failed: at last";
    Failing.with(Failure.HOST_FUNCTION, why, () -> first.await());
    Failing.with(Failure.CANCELLED, "instance `a` was stopped: " + why, () -> queued.await());
    assertEvent("instance.stopped", why);
    Failing.with(Failure.NO_SUCH_INSTANCE, () -> guest.call("next").await());
    assertEquals(List.of(), node.client().instances().await());
    assertEquals(List.of(), node.client().modules().await());
    assertEquals(List.of(1), node.start(fragile(AfterTrap.STOP)).call("next").await());
  }

  @Test
  void fourthFailureWithinFiveSeconds_parks() throws Exception {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART));
    assertEvent("instance.started", null);
    for (int i = 0; i < 4; i++) {
      Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    }
    String reason = "it failed again after 3 restarts within 5 s: " + UNREACHABLE;
    assertParked(guest, reason);
    for (int i = 0; i < 3; i++) {
      assertEvent("instance.restarted", UNREACHABLE);
    }
    assertEvent("instance.parked", reason);
    JsonObject described = guest.describe().await();
    assertEquals(4, described.getInteger("epoch"));
    assertFalse(described.containsKey("memory"), "a parked guest holds none");
    guest.stop().await();
    assertEvent("instance.stopped", null);
    assertEquals(List.of(), node.client().modules().await());
    assertEquals(List.of(1), node.start(fragile(AfterTrap.KEEP)).call("next").await());
  }

  private void assertParked(InstanceRef guest, String reason) {
    String said = "instance `a` is parked: " + reason;
    Failing.with(Failure.UNAVAILABLE, said, () -> guest.call("next").await());
    Failing.with(Failure.UNAVAILABLE, said, () -> guest.exists("next").await());
    Failing.with(Failure.UNAVAILABLE, said, () -> guest.stdio().stdout().await());
    Failing.with(Failure.UNAVAILABLE, said, () -> guest.cancel("x").await());
    assertEquals(reason, guest.describe().await().getString("parked"));
    assertEquals(reason, node.client().instances().await().get(0).getString("parked"));
    Failing.with(
        Failure.CONFLICT, "instance `a` exists already", () -> node.start(fragile(AfterTrap.KEEP)));
  }

  @Test
  void restart_whoseStartSectionFails_isTriedUntilTheBudgetIsUsedUp() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    node.host()
        .function(
            "my.start",
            (caller, args) -> {
              if (starts.incrementAndGet() > 1) {
                throw new IllegalStateException("start " + starts);
              }
              return List.of();
            });
    InstanceRef guest = node.start(starting("my.start", Limit.DEADLINE, 60_000));
    Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    String reason =
        "it failed again after 3 restarts within 5 s: import `env.start` failed: start 4";
    Failing.with(
        Failure.UNAVAILABLE, "instance `a` is parked: " + reason, () -> guest.call("next").await());
    assertEquals(4, starts.get());
    assertEvent("instance.started", null);
    assertEvent("instance.parked", reason);
    assertEquals(1, guest.describe().await().getInteger("epoch"));
    assertNull(guest.describe().await().getJsonObject("memory"));
  }

  private static InstanceSpec starting(String address, Limit limit, long value) {
    return TestNode.inlineText(
            """
            (module
              (import "env" "start" (func $start))
              (memory (export "memory") 1)
              (start $start)
              (func (export "next") (result i32) (i32.const 7))
              (func (export "trap") unreachable))
            """)
        .withId("a")
        .withImport("env", "start", NOTHING, address)
        .withLimit(limit, value)
        .withAfterTrap(AfterTrap.RESTART);
  }

  @Test
  void restart_whoseStartSectionNeverEnds_isStoppedAtTheInstancesDeadline() {
    AtomicInteger starts = new AtomicInteger();
    node.host()
        .function(
            "my.start",
            (caller, args) -> {
              if (starts.incrementAndGet() == 2) {
                new CountDownLatch(1).await();
              }
              return List.of();
            });
    InstanceRef guest = node.start(starting("my.start", Limit.DEADLINE, 2000));
    Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    Until.isTrue(() -> guest.describe().await().getInteger("epoch") == 2);
    assertEquals(List.of(7), guest.call("next").await());
    assertEquals(3, starts.get());
  }

  @Test
  void wasi_startsAgainAsTheSpecSays_andPublishesOn() throws Exception {
    LinkedBlockingQueue<String> published = new LinkedBlockingQueue<>();
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "wasm.stdio.a", message -> published.add(new String(message.body().getBinary("bytes"))))
        .completion()
        .await();
    WasiSpec wasi =
        WasiSpec.ISOLATED
            .withStdin("in".getBytes(StandardCharsets.UTF_8))
            .withFiles("/d", Map.of("f", "first".getBytes(StandardCharsets.UTF_8)));
    InstanceRef guest =
        node.start(
            TestNode.inline("wasi_program")
                .withId("a")
                .withWasi(wasi.withPublish(true))
                .withAfterTrap(AfterTrap.RESTART));
    for (int i = 0; i < 3; i++) {
      assertEquals(List.of(), guest.call("_start").await());
      assertEquals("in", published.poll(20, TimeUnit.SECONDS));
      guest.memory().write(1000, Buffer.buffer("f")).await();
      guest.call("write_file", 1000, 1).await();
      assertEquals("Hello, updated world!", guest.stdio().file("/d/f", 0).await().toString());
      Failing.with(Failure.TRAP, () -> guest.call("trap").await());
      assertEquals("first", guest.stdio().file("/d/f", 0).await().toString());
    }
  }

  @Test
  void wasi_leavesNoFileOpen(@TempDir Path root) throws IOException {
    node.close();
    Path real = root.toRealPath();
    Path file = Files.writeString(real.resolve("f"), "text");
    open(
        TestNode.start(
            io.busbar.Config.from(
                new JsonObject()
                    .put("wasi", new JsonObject().put("roots", List.of(real.toString()))))));
    InstanceSpec spec =
        TestNode.inline("wasi_calls")
            .withId("a")
            .withWasi(WasiSpec.ISOLATED.withDirectory("/r", real.toString()))
            .withAfterTrap(AfterTrap.RESTART);
    InstanceRef guest = node.start(spec);
    guest.memory().write(1024, Buffer.buffer("f")).await();
    guest.call("path_open", 3, 0, 1024, 1, 0, WasiCalls.READ, 0L, 0, 64).await();
    assertEquals(1, opened(file));
    Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    guest.memory().pages().await();
    assertEquals(0, opened(file));
  }

  /** How often this process has a file open, as Linux tells. */
  private static long opened(Path file) throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.filter(link -> isLinkTo(link, file)).count();
    }
  }

  private static boolean isLinkTo(Path link, Path file) {
    try {
      return Files.readSymbolicLink(link).equals(file);
    } catch (IOException e) {
      return false; // closed meanwhile
    }
  }

  @Test
  void links_startAgainToo() {
    ModuleRef counter =
        new ModuleRef.Inline(
            """
            (module
              (global $n (mut i32) (i32.const 0))
              (func (export "next") (result i32)
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                (global.get $n)))
            """
                .getBytes(StandardCharsets.UTF_8));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "counter" "next" (func $next (result i32)))
                      (func (export "next") (result i32) (call $next))
                      (func (export "trap") unreachable))
                    """)
                .withLink("counter", new LinkSpec(counter, Map.of()))
                .withAfterTrap(AfterTrap.RESTART));
    for (int i = 0; i < 2; i++) {
      assertEquals(List.of(1), guest.call("next").await());
      assertEquals(List.of(2), guest.call("next").await());
      Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    }
    assertEquals(List.of(1), guest.call("next").await());
  }

  @Test
  void calls_inOneMessage_goOnAgainstTheFreshGuest() {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART));
    assertEquals(
        List.of("[1]", "[2]", "TRAP", "[1]", "NO_SUCH_EXPORT", "[2]", "TRAP"),
        calls("next", "next", "trap", "next", "none", "next", "trap"));
    assertEquals(List.of(1), guest.call("next").await());
    assertEquals(3, guest.describe().await().getInteger("epoch"));
    assertEquals(
        List.of("TRAP", "TRAP", "UNAVAILABLE", "UNAVAILABLE"),
        calls("trap", "trap", "next", "next"));
  }

  @Test
  void calls_inOneMessage_endWithTheInstance() throws Exception {
    node.start(fragile(AfterTrap.STOP));
    assertEvent("instance.started", null);
    assertEquals(
        List.of("[1]", "TRAP", "CANCELLED", "CANCELLED"), calls("next", "trap", "next", "next"));
    assertEvent("instance.stopped", UNREACHABLE);
  }

  /** Several calls in one message to {@code a}: their results, or the names of their failures. */
  private List<String> calls(String... functions) {
    List<JsonObject> calls =
        Stream.of(functions).map(name -> new JsonObject().put("function", name)).toList();
    return node
        .vertx()
        .eventBus()
        .<JsonObject>request(
            "wasm.instance.a",
            new JsonObject().put("calls", calls),
            new DeliveryOptions().addHeader("action", "calls"))
        .await()
        .body()
        .getJsonArray("answers")
        .stream()
        .map(JsonObject.class::cast)
        .map(
            answer ->
                answer.containsKey("error")
                    ? answer.getJsonObject("error").getString("name")
                    : answer.getJsonArray("results").encode())
        .toList();
  }

  @Test
  void trapsThatACallbackHandles_leaveTheGuestWhole() {
    node.host()
        .function(
            "my.try",
            (caller, args) -> {
              Failing.with(Failure.TRAP, () -> caller.call("trap", List.of()));
              return List.of();
            });
    InstanceRef guest =
        node.start(
            TestNode.inline("fragile")
                .withImport("env", "ask", NOTHING, "my.try")
                .withAfterTrap(AfterTrap.RESTART));
    assertEquals(List.of(), guest.call("ask").await());
    assertEquals(List.of(101), guest.call("next").await());
  }

  @Test
  void fuel_isThatOfTheSpecAgain_andWhatWasUsedStaysCounted() throws Exception {
    InstanceRef guest = node.start(fragile(AfterTrap.RESTART).withLimit(Limit.FUEL, 1000));
    assertEvent("instance.started", null);
    Failing.with(Failure.OUT_OF_FUEL, () -> guest.call("loop").await());
    assertEquals(1000, guest.fuel().await());
    assertEvent("instance.restarted", "wasm trap: all fuel consumed by WebAssembly");
    assertEquals(1000, guest.describe().await().getJsonObject("counters").getInteger("fuel"));
    Failing.with(Failure.OUT_OF_FUEL, () -> guest.withFuel(100).call("loop").await());
    assertEquals(List.of(1), guest.call("next").await());
    assertEquals(List.of("OUT_OF_FUEL", "[1]"), calls("loop", "next"));
  }
}
