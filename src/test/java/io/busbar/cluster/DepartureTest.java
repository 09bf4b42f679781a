package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.State;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Nodes that leave a cluster of three, with what they have. */
class DepartureTest {
  private static TestCluster cluster;
  private static Movables movables;

  @BeforeAll
  static void start() {
    cluster = TestCluster.of(3, node -> node.getJsonObject("cluster").put("lingerMillis", 1000));
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

  @Test
  void nodesThatLeaveTogether_waitForNobody() {
    for (int i = 0; i < 9; i++) {
      movables.start(i % 3, State.VOLATILE).call("sum", 1, 2).await();
    }
    cluster.closeTogether();
  }

  @Test
  void instanceStoppedWhileItsNodeLeaves_staysStopped() {
    InstanceRef pinned =
        cluster
            .client(0)
            .start(
                TestNode.inline("wasm_test")
                    .withId("pinned")
                    .withHome(Home.ANYWHERE.withLabel("node", "n1")))
            .await();
    Future<Void> leaving = cluster.closing(1);
    pinned.stop().await();
    leaving.await();
    Failing.with(Failure.NO_SUCH_INSTANCE, () -> pinned.call("sum", 1, 2).await());
  }

  @Test
  void drain_emptiesANode_whichTakesNothingMore() {
    List<InstanceRef> instances = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      instances.add(movables.start(i % 2 == 0 ? 1 : 2, State.NONE));
    }
    JsonObject answer = movables.ask("wasm.nodes", "drain", new JsonObject().put("node", "n1"));
    assertEquals(3, answer.getJsonArray("moved").size());
    assertEquals(0, answer.getJsonArray("fresh").size());
    instances.forEach(instance -> assertEquals("n2", Movables.node(instance)));
    instances.forEach(i -> assertEquals(List.of(3), i.call("sum", 1, 2).await()));
    JsonObject drained =
        cluster.client(2).nodes().await().stream()
            .filter(node -> node.getString("node").equals("n1"))
            .findFirst()
            .orElseThrow();
    assertEquals("draining", drained.getString("state"));
    Failing.with(
        Failure.UNAVAILABLE,
        "no node has the labels {node=n1}",
        () ->
            cluster
                .client(0)
                .start(TestNode.inline("wasm_test").withHome(Home.ANYWHERE.withLabel("node", "n1")))
                .await());
    cluster.node(1).drained().await();
    cluster.close(1);
  }

  @Test
  void nodeThatCloses_movesWhatFitsElsewhere_andTheRestWaitsForItsReturn() {
    startNamed("here", Home.ANYWHERE.withLabel("node", "n1"));
    List<String> odd = List.of("a", "b", "c", "d");
    odd.forEach(id -> startNamed(id, Home.ANYWHERE.withLabel("odd", "yes")));
    List<String> moving = odd.stream().filter(DepartureTest::isOnOne).toList();
    assertFalse(moving.isEmpty());
    cluster.close(1);
    cluster.awaitNodes(2);
    for (String id : moving) {
      JsonObject about = cluster.client(0).instance(id).describe().await();
      assertEquals("n2", about.getString("node"));
      assertEquals(2, about.getInteger("epoch"));
    }
    Failing.with(
        Failure.UNAVAILABLE,
        "instance `here` has not been started on a node yet",
        () ->
            cluster
                .client(2)
                .instance("here")
                .withTimeout(Duration.ofMillis(300))
                .global("count_32")
                .await());
    cluster.client(2).instance("here").stop().await();
    startNamed("here", Home.ANYWHERE);
    assertEquals(1, cluster.client(2).instance("here").describe().await().getInteger("epoch"));
  }

  private static void startNamed(String id, Home home) {
    cluster.client(0).start(TestNode.inline("globals").withId(id).withHome(home)).await();
  }

  private static boolean isOnOne(String id) {
    return Movables.node(cluster.client(0).instance(id)).equals("n1");
  }
}
