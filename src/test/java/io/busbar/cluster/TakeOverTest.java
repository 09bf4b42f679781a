package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three nodes, one of which drops out. */
class TakeOverTest {
  private TestCluster cluster;
  private final Queue<JsonObject> events = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void start() {
    cluster = TestCluster.of(3);
    cluster
        .vertx(0)
        .eventBus()
        .<JsonObject>consumer("wasm.events", event -> events.add(event.body()))
        .completion()
        .await();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private void start(String id, Home home) {
    InstanceSpec spec = TestNode.inline("globals").withId(id).withHome(home);
    cluster.client(0).start(spec).await();
  }

  /** As told by those that are left. */
  private JsonObject event(String name, String id) {
    return events.stream()
        .filter(e -> name.equals(e.getString("event")) && id.equals(e.getString("id")))
        .filter(e -> !e.getString("node").equals("n1"))
        .findFirst()
        .orElse(null);
  }

  @Test
  void lostNode_itsInstancesBeginAnewElsewhere_whereTheirSpecsAllow() {
    Home odd = Home.ANYWHERE.withLabel("odd", "yes");
    Home last = Home.ANYWHERE.withLabel("node", "n1");
    List.of("a", "b", "c", "d").forEach(id -> start(id, odd.withStaysDown(false)));
    start("down", last.withStaysDown(true));
    start("nowhere", last);
    List<String> moving = List.of("a", "b", "c", "d").stream().filter(this::isOnOne).toList();
    assertFalse(moving.isEmpty());
    moving.forEach(id -> cluster.client(0).instance(id).setGlobal("count_32", 7).await());

    cluster.cut(1);
    for (String id : moving) {
      Until.isTrue(() -> event("instance.moved", id) != null);
      assertTrue(event("instance.moved", id).getBoolean("fresh"));
      assertEquals(2, event("instance.moved", id).getInteger("epoch"));
      Message<JsonObject> first = ask(id);
      assertEquals("2", first.headers().get("epoch"));
      assertEquals(-32, first.body().getInteger("value"));
      assertNull(ask(id).headers().get("epoch"));
      JsonObject about = cluster.client(2).instance(id).describe().await();
      assertEquals("n2", about.getString("node"));
      assertTrue(about.getBoolean("fresh"));
    }
    Until.isTrue(() -> event("instance.stopped", "down") != null);
    assertEquals("its node `n1` was lost", event("instance.stopped", "down").getString("reason"));
    Failing.with(
        Failure.NO_SUCH_INSTANCE,
        () -> cluster.client(2).instance("down").global("count_32").await());
    Failing.with(
        Failure.UNAVAILABLE,
        "instance `nowhere` has not been started on a node yet",
        () ->
            cluster
                .client(2)
                .instance("nowhere")
                .withTimeout(Duration.ofMillis(300))
                .global("count_32")
                .await());
    cluster.client(0).instance("nowhere").stop().await();
    Failing.with(
        Failure.NO_SUCH_INSTANCE,
        () -> cluster.client(2).instance("nowhere").global("count_32").await());
  }

  private boolean isOnOne(String id) {
    return cluster.client(0).instance(id).describe().await().getString("node").equals("n1");
  }

  /** The first node, for Vert.x may still choose the one that was cut, which says that it was. */
  private Message<JsonObject> ask(String id) {
    DeliveryOptions options =
        new DeliveryOptions()
            .setLocalOnly(true)
            .addHeader("action", "get-global")
            .addHeader("instance", id);
    return cluster
        .vertx(0)
        .eventBus()
        .<JsonObject>request("wasm.instances", new JsonObject().put("global", "count_32"), options)
        .await();
  }
}
