package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** One id and address, several copies on three nodes. */
class CopiesTest {
  private static TestCluster cluster;

  @BeforeAll
  static void start() {
    cluster = TestCluster.of(3);
  }

  @AfterEach
  void renew() {
    cluster.renew();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private InstanceRef start(int copies, String guest) {
    InstanceSpec spec =
        TestNode.inline(guest).withId("calc").withHome(Home.ANYWHERE.withReplicas(copies));
    return cluster.client(0).start(spec).await();
  }

  private Set<String> nodes() {
    return describe().getJsonArray("copies").stream()
        .map(copy -> ((JsonObject) copy).getString("node"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private JsonObject describe() {
    return cluster.client(0).instance("calc").describe().await();
  }

  private JsonObject ask(int node) {
    JsonObject body =
        new JsonObject().put("function", "sum").put("params", new JsonArray().add(20).add(22));
    return cluster
        .vertx(node)
        .eventBus()
        .<JsonObject>request(
            "wasm.instance.calc", body, new DeliveryOptions().addHeader("action", "call"))
        .await()
        .body();
  }

  @Test
  void copies_areSpread_andAnswerFromEachNode() {
    start(3, "wasm_test");
    assertEquals(Set.of("n0", "n1", "n2"), nodes());
    assertEquals("wasm.instance.calc", describe().getString("address"));
    for (int node = 0; node < 3; node++) {
      for (WasmClient client : List.of(cluster.client(node), cluster.stranger(node))) {
        assertEquals(List.of(42), client.instance("calc").call("sum", 50, -8).await());
      }
      assertEquals("{\"results\":[42]}", ask(node).encode());
    }
    Failing.with(Failure.CONFLICT, "instance `calc` exists already", () -> start(1, "wasm_test"));
    assertEquals(
        3,
        cluster.client(1).instances().await().stream()
            .filter(instance -> instance.getString("id").equals("calc"))
            .count());
  }

  @Test
  void callsAtTheSameTime_areSharedByTheCopies() {
    start(3, "globals");
    List<Future<?>> writes = new ArrayList<>();
    InstanceRef calc = cluster.client(0).instance("calc");
    for (int i = 0; i < 64; i++) {
      writes.add(calc.setGlobal("count_32", i));
    }
    Future.all(writes).await();
    Set<Object> seen = new HashSet<>();
    for (int node = 0; node < 3; node++) {
      seen.add(cluster.client(node).instance("calc").global("count_32").await());
    }
    assertEquals(3, seen.size(), "each node asks the copy it has, and each copy has its own state");
  }

  @Test
  void call_isCancelled_whicheverCopyHasIt() {
    InstanceSpec spec =
        TestNode.inlineText("(module (func (export \"spin\") (loop (br 0))))")
            .withId("calc")
            .withHome(Home.ANYWHERE.withReplicas(3));
    InstanceRef calc = cluster.client(0).start(spec).await();
    for (int i = 0; i < 3; i++) {
      Future<?> spinning =
          calc.withOperationId("spin" + i).withTimeout(Duration.ofMinutes(1)).call("spin");
      String named = "spin" + i;
      Until.isTrue(() -> calc.cancel(named).await());
      Failing.with(Failure.CANCELLED, spinning::await);
    }
  }

  @Test
  void moreCopiesThanNodes_shareThem_andOnesThatCannotStartLeaveNothing() {
    start(5, "wasm_test");
    assertEquals(Set.of("n0", "n1", "n2"), nodes());
    assertEquals("{\"results\":[42]}", ask(1).encode());
    InstanceSpec broken =
        TestNode.inlineText("(module (func $f unreachable) (start $f))")
            .withId("broken")
            .withHome(Home.ANYWHERE.withReplicas(3));
    Failing.with(Failure.TRAP, () -> cluster.client(1).start(broken).await());
    Until.isTrue(
        () ->
            cluster.client(0).instances().await().stream()
                .noneMatch(instance -> instance.getString("id").equals("broken")));
    assertTrue(cluster.client(0).instances().await().size() == 5);
  }

  @Test
  void replicas_areChecked() {
    for (int number : new int[] {0, -1, 1001}) {
      Failing.with(
          Failure.BAD_REQUEST,
          "`replicas` must be 1 to 1000, not " + number,
          () -> Home.ANYWHERE.withReplicas(number));
    }
    try (TestNode alone = TestNode.start()) {
      Failing.with(
          Failure.BAD_REQUEST,
          "`replicas` must be 1 on a node that is alone, not 2",
          () -> alone.start(TestNode.inline("wasm_test").withHome(Home.ANYWHERE.withReplicas(2))));
    }
  }
}
