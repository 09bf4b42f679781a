package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.State;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Instances move between three nodes while they are called, and no call fails. */
class MoveTest {
  private static TestCluster cluster;
  private static Movables movables;

  @BeforeAll
  static void start() {
    cluster = TestCluster.of(3, node -> node.getJsonObject("cluster").put("lingerMillis", 3000));
    movables = new Movables(cluster);
  }

  @AfterEach
  void renew() {
    cluster.renew();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static void assertRefused(Failure failure, String text, Runnable operation) {
    try {
      operation.run();
    } catch (ReplyException e) {
      assertEquals(failure.code() + " " + text, e.failureCode() + " " + e.getMessage());
      return;
    }
    throw new AssertionError("it was not refused");
  }

  @Test
  void move_whileItIsCalled_failsNoCall() {
    InstanceRef calc = movables.start(1, State.NONE);
    AtomicBoolean moving = new AtomicBoolean(true);
    AtomicInteger calls = new AtomicInteger();
    List<Future<Void>> callers = new ArrayList<>();
    for (int node = 0; node < 3; node++) {
      InstanceRef known = cluster.client(node).instance(calc.id());
      InstanceRef stranger = cluster.stranger(node).instance(calc.id());
      callers.add(callAgain(known, moving, calls));
      callers.add(callAgain(stranger, moving, calls));
      callers.add(askAgain(node, calc.id(), moving, calls));
    }
    for (int round = 0; round < 6; round++) {
      int before = calls.get();
      Until.isTrue(() -> calls.get() > before + 30);
      int target = 2 - round % 2;
      JsonObject moved = movables.move(calc.id(), target, false);
      assertEquals("n" + target, moved.getString("node"));
      assertFalse(moved.getBoolean("fresh"));
      assertEquals("n" + target, Movables.node(calc));
    }
    moving.set(false);
    Future.all(callers).await();
  }

  private Future<Void> callAgain(InstanceRef calc, AtomicBoolean going, AtomicInteger calls) {
    int n = calls.incrementAndGet();
    return calc.call("sum", n, 1)
        .compose(
            results -> {
              assertEquals(List.of(n + 1), results);
              return going.get() ? callAgain(calc, going, calls) : Future.succeededFuture();
            });
  }

  /** At the instance's own address, without our client. */
  private Future<Void> askAgain(int node, String id, AtomicBoolean going, AtomicInteger calls) {
    int n = calls.incrementAndGet();
    JsonObject body =
        new JsonObject().put("function", "sum").put("params", new JsonArray().add(n).add(1));
    return cluster
        .vertx(node)
        .eventBus()
        .<JsonObject>request(
            "wasm.instance." + id, body, new DeliveryOptions().addHeader("action", "call"))
        .compose(
            reply -> {
              assertEquals("{\"results\":[" + (n + 1) + "]}", reply.body().encode());
              return going.get() ? askAgain(node, id, going, calls) : Future.succeededFuture();
            });
  }

  @Test
  void volatileInstance_thatWasCalled_movesOnlyIfItMayLoseItsState() {
    InstanceRef counter =
        cluster
            .client(0)
            .start(
                TestNode.inline("globals")
                    .withId("counter")
                    .withHome(Home.ANYWHERE.withLabel("odd", "yes")))
            .await();
    int here = Integer.parseInt(Movables.node(counter).substring(1));
    int there = 3 - here;
    assertFalse(
        movables
            .move("counter", there, false)
            .getBoolean("fresh")); // never called: nothing is lost
    counter.setGlobal("count_32", 7).await();
    String lost =
        "1 instances have been called, and would lose their state: `counter`; they move only if"
            + " that is asked for (`fresh`)";
    assertRefused(Failure.CONFLICT, lost, () -> movables.move("counter", here, false));
    assertRefused(
        Failure.CONFLICT,
        lost,
        () -> movables.ask("wasm.nodes", "drain", new JsonObject().put("node", "n" + there)));
    assertEquals(7, counter.global("count_32").await());
    JsonObject moved = movables.move("counter", here, true);
    assertTrue(moved.getBoolean("fresh"));
    assertEquals(3, moved.getInteger("epoch"));
    assertEquals(-32, counter.global("count_32").await());
  }

  @Test
  void move_thatCannotBe_isRefused_andTheInstanceStays() {
    InstanceRef calc = movables.start(1, State.NONE);
    assertRefused(
        Failure.BAD_REQUEST,
        "node `n0` has not the labels {odd=yes}",
        () -> movables.move(calc.id(), 0, false));
    assertRefused(
        Failure.BAD_REQUEST,
        "node `n7` is not in the cluster",
        () -> movables.move(calc.id(), 7, false));
    assertRefused(
        Failure.NO_SUCH_INSTANCE,
        "instance `nope` not found",
        () -> movables.move("nope", 1, false));
    assertRefused(
        Failure.BAD_REQUEST,
        "node `n7` is not in the cluster",
        () -> movables.ask("wasm.nodes", "drain", new JsonObject().put("node", "n7")));
    movables.start(0, State.NONE);
    InstanceRef pinned =
        cluster
            .client(0)
            .start(
                TestNode.inline("wasm_test")
                    .withId("pinned")
                    .withHome(Home.ANYWHERE.withLabel("node", "n1").withState(State.NONE)))
            .await();
    assertRefused(
        Failure.CONFLICT,
        "1 instances fit no other node: `pinned`",
        () -> movables.ask("wasm.nodes", "drain", new JsonObject().put("node", "n1")));
    assertEquals("n1", Movables.node(calc));
    assertEquals("n1", Movables.node(pinned));
    assertEquals(List.of(3), calc.call("sum", 1, 2).await());
  }

  @Test
  void secondMove_whileTheFirstWaitsForACall_isRefused_andNothingRunsTwice() {
    InstanceRef busy =
        cluster
            .client(0)
            .start(
                TestNode.inlineText(
                        """
                        (module
                          (func (export "spin") (loop (br 0)))
                          (func (export "sum") (param i32 i32) (result i32)
                            (i32.add (local.get 0) (local.get 1))))
                        """)
                    .withId("busy")
                    .withHome(Home.ANYWHERE.withLabel("odd", "yes").withState(State.NONE)))
            .await();
    int here = Integer.parseInt(Movables.node(busy).substring(1));
    int there = 3 - here;
    Future<?> spinning =
        busy.withOperationId("spin").withTimeout(Duration.ofMinutes(1)).call("spin");
    Until.isTrue(() -> busy.describe().await().getBoolean("running"));
    Future<JsonObject> one = moving("busy", there);
    Future<JsonObject> other = moving("busy", there);
    Until.isTrue(() -> one.failed() || other.failed());
    assertEquals(
        "instance `busy` is being moved already",
        (one.failed() ? one : other).cause().getMessage());
    Future<JsonObject> first = one.failed() ? other : one;
    Future<List<Object>> waiting = busy.withTimeout(Duration.ofSeconds(20)).call("sum", 1, 2);
    assertTrue(cluster.client(there).instance("busy").cancel("spin").await());
    Failing.with(Failure.CANCELLED, spinning::await);
    assertEquals("n" + there, first.await().getString("node"));
    assertEquals(List.of(3), waiting.await());
    assertEquals("n" + there, Movables.node(busy));
  }

  private Future<JsonObject> moving(String id, int node) {
    JsonObject body = new JsonObject().put("id", id).put("node", "n" + node);
    DeliveryOptions options =
        new DeliveryOptions().addHeader("action", "move").addHeader("timeout", "20000");
    return cluster
        .vertx(0)
        .eventBus()
        .<JsonObject>request("wasm.instances", body, options)
        .map(reply -> reply.body());
  }

  @Test
  void whatNodesAskEachOther_isNotAskedOfAnInstance() {
    InstanceRef calc = movables.start(1, State.NONE);
    for (String action : List.of("drain", "prepare", "node", "ping")) {
      for (int node = 0; node < 3; node++) {
        int asked = node;
        DeliveryOptions options =
            new DeliveryOptions()
                .addHeader("action", action)
                .addHeader("instance", calc.id())
                .setLocalOnly(true);
        JsonObject body = new JsonObject().put("node", "n1").put("module", "m");
        assertRefused(
            Failure.BAD_REQUEST,
            "unknown action `" + action + "`",
            () -> cluster.vertx(asked).eventBus().request("wasm.instances", body, options).await());
      }
    }
    assertEquals("n1", Movables.node(calc));
  }
}
