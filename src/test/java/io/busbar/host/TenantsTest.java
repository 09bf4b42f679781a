package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.Bus;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.model.WasiSpec;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What instances take together, of the node and of their users, and that all of it comes back. */
class TenantsTest {
  private static final int PAGE = 65_536;
  private static final Signature NOTHING = Signature.of(List.of(), List.of());
  private static final String GROWS =
      """
      (module
        (memory (export "memory") 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1))))
      """;

  private TestNode node;

  @BeforeEach
  void start() {
    node =
        TestNode.start(
            Config.from(
                new JsonObject(
                    """
                    {"memory":{"maxBytes":4000000},"instances":{"max":6},
                     "tenants":{"instances":3,"memoryBytes":1000000,
                      "of":{"small":{"instances":1},"large":{"memoryBytes":2000000}}}}
                    """)));
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private InstanceRef startAs(String user, InstanceSpec spec) {
    Bus bus = new Bus(node.vertx(), Addresses.STANDARD);
    Bus.Question question = Bus.Question.of("start", Codec.body(spec)).as(user);
    String id = bus.ask("wasm.instances", question).await().string("id");
    return node.client().instance(id);
  }

  private JsonObject about() {
    return node.client().nodes().await().get(0);
  }

  private long reserved() {
    return about().getJsonObject("memory").getLong("reserved");
  }

  @Test
  void nodeAndInstance_tellWhatIsReserved() {
    assertEquals(new JsonObject("{\"reserved\":0,\"limit\":4000000}"), about().getValue("memory"));
    InstanceRef instance = node.startText(GROWS);
    long held = instance.describe().await().getLong("reserved");
    assertTrue(held > PAGE && held < PAGE + 10_000);
    assertEquals(held, reserved());
    assertEquals(List.of(1), instance.call("grow", 1).await());
    assertEquals(held + PAGE, instance.describe().await().getLong("reserved"));
    instance.stop().await();
    assertEquals(0, reserved());
  }

  @Test
  void user_hasSoManyInstancesAndNoMore() {
    InstanceSpec spec = TestNode.inlineText("(module)");
    for (int i = 0; i < 2; i++) {
      startAs("ann", spec);
    }
    InstanceRef third = startAs("ann", spec);
    Failing.with(
        Failure.LIMIT,
        "user `ann` has 3 instances already, as many as one may have",
        () -> startAs("ann", spec));
    startAs("bob", spec);
    third.stop().await();
    startAs("ann", spec);
  }

  @Test
  void userWithAShareOfItsOwn_hasThat_andTheRestAsEveryOne() {
    InstanceSpec large = TestNode.inlineText("(module (memory 20))");
    startAs("large", large);
    Failing.with(Failure.LIMIT, () -> startAs("small", large));
    startAs("small", TestNode.inlineText("(module)"));
    Failing.with(
        Failure.LIMIT,
        "user `small` has 1 instances already, as many as one may have",
        () -> startAs("small", TestNode.inlineText("(module)")));
    startAs("large", TestNode.inlineText("(module)"));
    startAs("large", TestNode.inlineText("(module)"));
    Failing.with(
        Failure.LIMIT,
        "user `large` has 3 instances already, as many as one may have",
        () -> startAs("large", TestNode.inlineText("(module)")));
  }

  @Test
  void user_hasSoMuchMemoryAndNoMore_startsAndCallsTogether() {
    InstanceRef ann = startAs("ann", TestNode.inlineText(GROWS));
    assertEquals(List.of(-1), ann.call("grow", 14).await()); // both arrays while it is copied
    assertEquals(List.of(1), ann.call("grow", 9).await());
    String text =
        Failing.with(
                Failure.LIMIT, () -> startAs("ann", TestNode.inlineText("(module (memory 8))")))
            .getMessage();
    assertTrue(text.startsWith("user `ann` has no room for 524288 bytes more: "), text);
    assertTrue(text.endsWith(" of 1000000 are reserved"), text);
    startAs("bob", TestNode.inlineText("(module (memory 8))"));
    node.startText("(module (memory 20))"); // the operator's is bounded by the node's alone
  }

  @Test
  void node_takesSoManyInstancesAndNoMore() {
    for (int i = 0; i < 6; i++) {
      node.startText("(module)");
    }
    Failing.with(
        Failure.OVERLOADED,
        "the node has 6 instances already, as many as it takes",
        () -> node.startText("(module)"));
  }

  @Test
  void failedStarts_leaveNoSeatTaken() {
    InstanceSpec trap = TestNode.inlineText("(module (memory 1) (func $s unreachable) (start $s))");
    InstanceSpec bad = TestNode.inlineText("(module (memory 1) (bad))");
    InstanceSpec large = TestNode.inlineText("(module (memory 100))");
    InstanceSpec stdin =
        TestNode.inline("wasi_calls").withWasi(WasiSpec.ISOLATED.withStdin(new byte[999_999]));
    startAs("ann", TestNode.inlineText("(module)").withId("taken"));
    long before = reserved();
    for (int i = 0; i < 5; i++) {
      Failing.with(Failure.TRAP, () -> startAs("ann", trap));
      Failing.with(Failure.INVALID_MODULE, () -> startAs("ann", bad));
      Failing.with(Failure.LIMIT, () -> startAs("ann", large));
      Failing.with(Failure.LIMIT, () -> startAs("ann", stdin));
      Failing.with(Failure.CONFLICT, () -> startAs("ann", trap.withId("taken")));
    }
    assertEquals(before, reserved());
    assertEquals(1, about().getInteger("instances"));
    node.client().instance("taken").stop().await();
    assertEquals(0, reserved());
    assertEquals(List.of(), node.client().modules().await()); // inline ones go with their users
  }

  /** What a guest's callback starts is its owner's, whoever answered the callback. */
  @Test
  void instanceStartedByACallback_belongsToTheGuestsUser() {
    node.host()
        .asyncFunction(
            "starter",
            (caller, args) ->
                caller.start(TestNode.inlineText("(module)")).map(started -> List.of()));
    InstanceSpec spec =
        TestNode.inlineText(
                "(module (import \"env\" \"f\" (func $f)) (func (export \"go\") (call $f)))")
            .withImport("env", "f", NOTHING, "starter");
    InstanceRef ann = startAs("ann", spec);
    ann.call("go").await();
    ann.call("go").await();
    WasmException thrown = Failing.with(Failure.HOST_FUNCTION, () -> ann.call("go").await());
    assertTrue(
        thrown.getMessage().contains("user `ann` has 3 instances already"), thrown::getMessage);
  }

  /** Also while its own start is not over. */
  @Test
  void instanceStartedOutOfAStartSection_belongsToTheStartersUser() {
    node.host()
        .asyncFunction(
            "starter",
            (caller, args) ->
                Future.join(
                        IntStream.range(0, 3)
                            .mapToObj(i -> caller.start(TestNode.inlineText("(module)")))
                            .toList())
                    .map(started -> List.of()));
    InstanceSpec spec =
        TestNode.inlineText("(module (import \"env\" \"f\" (func $f)) (start $f))")
            .withImport("env", "f", NOTHING, "starter");
    WasmException thrown = Failing.with(Failure.HOST_FUNCTION, () -> startAs("ann", spec));
    assertTrue(
        thrown.getMessage().contains("user `ann` has 3 instances already"), thrown::getMessage);
  }

  /** Deaf until told otherwise: what stops it does not reach it. */
  private InstanceSpec deaf(String more, CountDownLatch entered, CountDownLatch opened) {
    node.host()
        .function(
            "deaf",
            (caller, args) -> {
              entered.countDown();
              while (opened.getCount() > 0) {
                try {
                  opened.await();
                } catch (InterruptedException e) {
                  // deaf
                }
              }
              return List.of();
            });
    return TestNode.inlineText(
            """
            (module
              (import "env" "d" (func $d))
              (memory 2)
              (func (export "go") (call $d))
              %s)
            """
                .formatted(more))
        .withImport("env", "d", NOTHING, "deaf");
  }

  @Test
  void guestThatDoesNotEnd_keepsItsReservationUntilItDoes() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    InstanceRef ann = startAs("ann", deaf("", entered, opened));
    ann.call("go");
    assertTrue(entered.await(10, TimeUnit.SECONDS));
    try {
      ann.stop().await(); // gives up waiting
      assertEquals(List.of(), node.client().instances().await());
      assertTrue(reserved() > 2 * PAGE);
    } finally {
      opened.countDown();
    }
    Until.isTrue(() -> reserved() == 0);
  }

  @Test
  void startThatDoesNotEnd_keepsItsReservationUntilItDoes() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch opened = new CountDownLatch(1);
    InstanceSpec spec = deaf("(start $d)", entered, opened).withLimit(Limit.DEADLINE, 3_000);
    try {
      Failing.with(Failure.DEADLINE, () -> startAs("ann", spec));
      assertTrue(entered.await(10, TimeUnit.SECONDS));
      assertTrue(reserved() > 2 * PAGE);
    } finally {
      opened.countDown();
    }
    Until.isTrue(() -> reserved() == 0);
    for (int i = 0; i < 3; i++) {
      startAs("ann", TestNode.inlineText("(module)"));
    }
  }

  @Test
  void filesAndStreams_growAsFarAsTheBudget() {
    WasiSpec wasi = WasiSpec.ISOLATED.withFiles("/", Map.of()).withStdinOpen(true);
    InstanceRef ann = startAs("ann", TestNode.inline("wasi_calls").withWasi(wasi));
    WasiCalls calls = new WasiCalls(ann);
    long before = ann.describe().await().getLong("reserved");
    int file = calls.open("a", 0, WasiCalls.CREATE, WasiCalls.READ | WasiCalls.WRITE);
    calls.slice(16_384, 100_000);
    int written = 0;
    while (calls.call("fd_write", file, 0, 1, 64) == 0) {
      written += 100_000;
    }
    assertEquals(-51, calls.call("fd_write", file, 0, 1, 64)); // no space left
    assertTrue(written >= 300_000 && written < 1_000_000, "wrote " + written);
    long full = ann.describe().await().getLong("reserved");
    assertTrue(full - before >= written && full <= 1_000_000);
    Failing.with(
        Failure.LIMIT,
        "there is no room for 1000000 bytes of stdin more",
        () -> ann.stdio().write(Buffer.buffer(new byte[1_000_000])).await());
    ann.stop().await();
    assertEquals(0, reserved());
  }

  @Test
  void manyStartsAndStops_leaveNothing() {
    for (int round = 0; round < 20; round++) {
      List<Future<InstanceRef>> starts =
          IntStream.range(0, 8)
              .mapToObj(i -> node.client().start(TestNode.inlineText(GROWS)))
              .toList();
      Future.join(starts).otherwiseEmpty().await();
      long live = starts.stream().filter(Future::succeeded).count();
      assertEquals(6, live);
      starts.stream()
          .filter(Future::succeeded)
          .forEach(started -> started.result().call("grow", 2));
      Future.join(starts.stream().filter(Future::succeeded).map(f -> f.result().stop()).toList())
          .await();
      assertEquals(0, reserved());
    }
    assertFalse(about().getInteger("instances") > 0);
  }
}
