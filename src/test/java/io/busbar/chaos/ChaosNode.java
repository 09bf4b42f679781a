package io.busbar.chaos;

import io.busbar.Config;
import io.busbar.WasmHost;
import io.busbar.model.HostFunction;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;

/** A process that is a worker of ours: its guests tell it each call, and it logs them. */
final class ChaosNode {
  static final String RAN = "chaos.ran";
  static final String ROLE = "role";
  static final String WORKER = "worker";

  private ChaosNode() {}

  public static void main(String[] args) {
    Place place = Place.parse(args[0]);
    Executions executions = Executions.to(place.log());
    HostFunction ran =
        HostFunction.small(
            (caller, params) -> {
              executions.ran((long) params.get(0));
              return List.of();
            });
    WasmHost host =
        WasmHost.clustered(
                new VertxOptions(), config(place, WORKER), node -> node.function(RAN, ran))
            .await();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> host.close().await()));
    Child.say("ready");
    Child.listen(word -> {});
  }

  static Config config(Place place, String role) {
    JsonObject cluster =
        new JsonObject()
            .put("enabled", true)
            .put("name", place.cluster())
            .put("host", place.host())
            .put("port", place.port())
            .put("join", new JsonArray(place.join()))
            .put("size", place.tuning().size())
            .put("suspectMillis", place.tuning().suspectMillis())
            .put("labels", new JsonObject().put(ROLE, role));
    return Config.from(new JsonObject().put("node", place.name()).put("cluster", cluster));
  }
}
