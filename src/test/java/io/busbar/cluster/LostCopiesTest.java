package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Codec;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three nodes with a copy each, one of which drops out. */
class LostCopiesTest {
  private TestCluster cluster;

  @BeforeEach
  void start() {
    cluster = TestCluster.of(3);
  }

  @AfterEach
  void stop() {
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
  void copyOfALostNode_isStartedElsewhere_andStopEndsThemAll() {
    start(3, "wasm_test");
    cluster.cut(1);
    Until.isTrue(
        () -> nodes().equals(Set.of("n0", "n2")) && describe().encode().contains("\"epoch\":2"));
    for (int i = 0; i < 20; i++) {
      assertEquals("{\"results\":[42]}", ask(2).encode());
    }
    cluster.client(2).instance("calc").stop().await();
    Failing.with(
        Failure.NO_SUCH_INSTANCE,
        () -> cluster.client(0).instance("calc").call("sum", 1, 2).await());
    Until.isTrue(() -> cluster.client(0).instances().await().isEmpty());
  }

  @Test
  void copyThatCannotStart_leavesTheAddressToTheOthers() {
    start(3, "wasm_test");
    cluster.cut(1);
    Until.isTrue(() -> nodes().equals(Set.of("n0", "n2")));
    for (int round = 0; round < 3; round++) { // one of its id is there already: it fails
      JsonObject again =
          Codec.body(
                  TestNode.inline("wasm_test")
                      .withId("calc")
                      .withHome(Home.ANYWHERE.withReplicas(3)))
              .toJson();
      DeliveryOptions options =
          new DeliveryOptions()
              .addHeader("action", "start")
              .addHeader("copy", "7")
              .addHeader("epoch", "1");
      assertThrows(
          ReplyException.class,
          () -> cluster.vertx(2).eventBus().request("wasm.node.n2", again, options).await());
    }
    assertEquals("{\"results\":[42]}", ask(2).encode());
  }
}
