package io.busbar.cluster;

import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.model.State;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.util.UUID;

/** Instances of a cluster that start on the node they are wanted on, and may go to another. */
final class Movables {
  private final TestCluster cluster;

  Movables(TestCluster cluster) {
    this.cluster = cluster;
  }

  InstanceRef start(int node, State state) {
    Home home = Home.ANYWHERE.withLabel("odd", node > 0 ? "yes" : "no").withState(state);
    InstanceSpec spec = TestNode.inline("wasm_test").withHome(home).withId("m" + UUID.randomUUID());
    InstanceRef started = cluster.client(0).start(spec).await();
    if (!node(started).equals("n" + node)) {
      move(started.id(), node, false);
    }
    return started;
  }

  static String node(InstanceRef instance) {
    return instance.describe().await().getString("node");
  }

  JsonObject move(String id, int node, boolean fresh) {
    JsonObject body = new JsonObject().put("id", id).put("node", "n" + node).put("fresh", fresh);
    return ask("wasm.instances", "move", body);
  }

  JsonObject ask(String address, String action, JsonObject body) {
    DeliveryOptions options =
        new DeliveryOptions().addHeader("action", action).addHeader("timeout", "20000");
    return cluster.vertx(0).eventBus().<JsonObject>request(address, body, options).await().body();
  }
}
