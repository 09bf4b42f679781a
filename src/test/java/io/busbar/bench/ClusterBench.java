package io.busbar.bench;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Addresses;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** What a call of an instance on another node costs, beside the bare event bus between them. */
public final class ClusterBench {
  private static final int ROUNDS = 11; // of which the median counts
  private static final int WARM_UP = 4; // rounds before
  private static final JsonObject SUM =
      new JsonObject().put("function", "sum").put("params", new JsonArray().add(20).add(22));

  private ClusterBench() {}

  /** One way to ask, and what came of it in each round. */
  private static final class Way {
    private final String name;
    private final Asker asker;
    private final long[] nanos; // of each question of this round; only on the asker's event loop
    private final double[] rates = new double[ROUNDS];
    private final double[] medians = new double[ROUNDS];
    private int asked;

    Way(String name, int calls, Context context, Supplier<Future<?>> question) {
      this.name = name;
      this.nanos = new long[calls];
      this.asker = new Asker(context, () -> timed(question));
    }

    private Future<?> timed(Supplier<Future<?>> question) {
      long start = System.nanoTime();
      return question.get().onComplete(done -> nanos[asked++] = System.nanoTime() - start);
    }

    void run(int round, int inFlight) {
      asked = 0;
      long start = System.nanoTime();
      asker.ask(nanos.length, inFlight);
      long took = System.nanoTime() - start;
      if (round >= 0) {
        Arrays.sort(nanos);
        rates[round] = nanos.length * 1e9 / took;
        medians[round] = nanos[nanos.length / 2] / 1e3;
      }
    }

    /** How much longer one question took than that way's, in the median of the rounds. */
    double ratio(Way to) {
      return median(IntStream.range(0, ROUNDS).mapToDouble(i -> to.rates[i] / rates[i]).toArray());
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** In turns, so that whatever else the machine does happens to all of them. */
  private static void measure(String what, int inFlight, List<Way> ways) {
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      for (int i = 0; i < ways.size(); i++) {
        ways.get(Math.floorMod(i + round, ways.size())).run(round, inFlight);
      }
    }
    System.out.printf("%s, %d in flight, medians of %d rounds%n", what, inFlight, ROUNDS);
    Way first = ways.get(0);
    Way second = ways.get(1);
    for (Way way : ways) {
      System.out.printf(
          "  %-38s %,9.0f/s  p50 %,8.1f us  %5.2f of the first  %5.2f of the second%n",
          way.name, median(way.rates), median(way.medians), way.ratio(first), way.ratio(second));
    }
  }

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
    measure(
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
    measure(
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
