package io.busbar.bench;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Addresses;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;

/** What a call of an instance on another node costs, beside the bare event bus between them. */
public final class ClusterBench {
  private static final JsonObject SUM =
      new JsonObject().put("function", "sum").put("params", new JsonArray().add(20).add(22));

  private ClusterBench() {}

  /** Prints a table for calls between two processes, and one for calls inside of one. */
  public static void main(String[] args) throws Exception {
    List<JsonObject> configs = Member.configs(2);
    Member there = Member.start(configs.get(1));
    WasmHost here = Member.here(configs.get(0));
    here.client().put(Guests.binary("sum"), "sum").await();
    for (int inFlight : new int[] {1, 64}) {
      between(here, inFlight);
    }
    for (int inFlight : new int[] {1, 64}) {
      inside(here, inFlight);
    }
    there.kill();
    here.close().await();
  }

  private static InstanceRef start(WasmHost here, String node) {
    Home home = Home.ANYWHERE.withLabel("node", node);
    return here.client().start(InstanceSpec.of("sum").withHome(home)).await();
  }

  /** On the event loop of everything else there: a hop more or less is not to be measured. */
  private static InstanceRef startBeside(WasmHost here, EventBus bus) {
    String loop = thread(bus, Member.address("n1", "echo"));
    while (true) {
      InstanceRef sum = start(here, "n1");
      String address = Addresses.STANDARD.instance(sum.id());
      bus.request(address, SUM, Member.action("call")).await();
      if (thread(bus, address).equals(loop)) {
        return sum;
      }
      sum.stop().await();
    }
  }

  private static String thread(EventBus bus, String address) {
    bus.request(Member.address("n1", "echo"), SUM).await();
    return bus.<JsonObject>request(
            Member.address("n1", "thread"), new JsonObject().put("address", address))
        .await()
        .body()
        .getString("thread");
  }

  private static void between(WasmHost here, int inFlight) {
    EventBus bus = here.vertx().eventBus();
    Context context = context(here.vertx());
    InstanceRef sum = startBeside(here, bus);
    String address = Addresses.STANDARD.instance(sum.id());
    DeliveryOptions call = Member.action("call");
    int calls = inFlight == 1 ? 3_000 : 20_000;
    Way.measure(
        "between two processes",
        inFlight,
        List.of(
            new Way(
                "bare event bus",
                calls,
                context,
                () -> bus.request(Member.address("n1", "echo"), SUM)),
            new Way(
                "bare event bus and executeBlocking",
                calls,
                context,
                () -> bus.request(Member.address("n1", "blocking"), SUM)),
            new Way("Java client", calls, context, () -> sum.call("sum", 20, 22)),
            new Way("JSON on the bus", calls, context, () -> bus.request(address, SUM, call))));
    sum.stop().await();
  }

  private static void inside(WasmHost here, int inFlight) {
    Vertx alone = Vertx.vertx();
    WasmHost other = WasmHost.start(alone).await();
    other.client().put(Guests.binary("sum"), "sum").await();
    InstanceRef unclustered = other.client().start(InstanceSpec.of("sum")).await();
    InstanceRef clustered = start(here, "n0");
    int calls = inFlight == 1 ? 5_000 : 50_000;
    Way.measure(
        "inside one process, Java client",
        inFlight,
        List.of(
            new Way(
                "node without a cluster",
                calls,
                context(alone),
                () -> unclustered.call("sum", 20, 22)),
            new Way(
                "node of a cluster",
                calls,
                context(here.vertx()),
                () -> clustered.call("sum", 20, 22))));
    clustered.stop().await();
    alone.close().await();
  }

  private static Context context(Vertx vertx) {
    return ((VertxInternal) vertx).createEventLoopContext();
  }
}
