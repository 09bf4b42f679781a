package io.busbar.bench;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.model.InstanceSpec;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;

/** 10,000 instances on three nodes, one of which is killed: how long until all answer again. */
public final class ClusterFleet {
  private static final int INSTANCES = 10_000;
  private static final int IN_FLIGHT = 64;
  private static final int NODES = 3;
  private static final long AGAIN_MILLIS = 20;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final WasmHost here; // n0
  private final WasmClient client;
  private final LongAdder failures = new LongAdder();

  private ClusterFleet(WasmHost here) {
    this.here = here;
    this.client = here.client();
  }

  /** Prints what a module without memory gives, and one with a page. */
  public static void main(String[] args) throws Exception {
    for (String module : args.length > 0 ? args : new String[] {"sum", "page"}) {
      List<JsonObject> configs = Member.configs(NODES);
      List<Member> others = new ArrayList<>();
      for (JsonObject config : configs.subList(1, NODES)) {
        others.add(Member.start(config));
      }
      WasmHost here = Member.here(configs.get(0));
      Member.answer(here).await();
      new ClusterFleet(here).measure(module, others.get(0));
      others.forEach(Member::kill);
      here.close().await();
    }
  }

  /** The victim is {@code n1}. */
  private void measure(String module, Member victim) {
    client.put(Guests.binary(module), module).await();
    start(module, "warm", 600);
    stop("warm", 600);
    long[] before = heaps();
    Duration started = start(module, "i", INSTANCES);
    System.out.printf(
        "%,d instances of `%s` on %d nodes, %d starts in flight%n",
        INSTANCES, module, NODES, IN_FLIGHT);
    row("started in", started);
    System.out.printf(
        "  %-44s %,d%n", "starts a second", INSTANCES * 1_000_000_000L / started.toNanos());
    row("then until all nodes list the same owners", agreed());
    heap(before);
    recover(victim, ofNode("n1"));
  }

  private static void row(String what, Duration time) {
    System.out.printf("  %-44s %,d ms%n", what, time.toMillis());
  }

  private Duration start(String module, String prefix, int instances) {
    return each(
        instances,
        i -> client.start(InstanceSpec.of(module).withId(prefix + i).withAddress(false)));
  }

  private void stop(String prefix, int instances) {
    each(instances, i -> client.instance(prefix + i).stop());
  }

  /** Asks for each instance, some at a time, and waits for all. */
  private static Duration each(int instances, IntFunction<Future<?>> question) {
    long start = System.nanoTime();
    List<Future<?>> chains = new ArrayList<>();
    for (int i = 0; i < IN_FLIGHT; i++) {
      chains.add(chain(i, instances, question));
    }
    Future.all(chains).await();
    return since(start);
  }

  private static Future<?> chain(int i, int instances, IntFunction<Future<?>> question) {
    Future<?> asked = question.apply(i);
    return i + IN_FLIGHT < instances
        ? asked.compose(answer -> chain(i + IN_FLIGHT, instances, question))
        : asked;
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private JsonObject ask(int node, String question) {
    return here.vertx()
        .eventBus()
        .<JsonObject>request(Member.address("n" + node, question), new JsonObject())
        .await()
        .body();
  }

  /** Until each node lists all instances, and all nodes the same owners. */
  private Duration agreed() {
    long start = System.nanoTime();
    while (since(start).compareTo(PATIENCE) < 0) {
      JsonObject first = ask(0, "owners");
      if (first.getInteger("instances") == INSTANCES
          && first.equals(ask(1, "owners"))
          && first.equals(ask(2, "owners"))) {
        return since(start);
      }
    }
    throw new IllegalStateException("the nodes do not agree");
  }

  private long[] heaps() {
    long[] heaps = new long[NODES];
    for (int node = 0; node < NODES; node++) {
      heaps[node] = ask(node, "heap").getLong("bytes");
    }
    return heaps;
  }

  private void heap(long[] before) {
    long[] now = heaps();
    for (int node = 0; node < NODES; node++) {
      int instances = ofNode("n" + node).size();
      System.out.printf(
          "  %-44s %,d bytes for each of %,d%n",
          "heap of n" + node + ", after garbage collection",
          (now[node] - before[node]) / instances,
          instances);
    }
  }

  private List<String> ofNode(String node) {
    return client.instances().await().stream()
        .filter(instance -> node.equals(instance.getString("node")))
        .map(instance -> instance.getString("id"))
        .toList();
  }

  /**
   * Calls the instances of the killed node, some at a time, each again and again until it has
   * answered once.
   */
  private void recover(Member victim, List<String> ids) {
    victim.kill();
    long killed = System.nanoTime();
    long[] answered = new long[ids.size()]; // nanoseconds after the kill
    each(
        answered.length,
        i -> {
          Promise<Void> done = Promise.promise();
          call(client.instance(ids.get(i)), killed, done);
          return done.future().onSuccess(v -> answered[i] = System.nanoTime() - killed);
        });
    Arrays.sort(answered);
    System.out.printf("  %,d of them on n1, which is killed:%n", answered.length);
    for (int percent : new int[] {1, 50, 99, 100}) {
      Duration time = Duration.ofNanos(answered[(answered.length - 1) * percent / 100]);
      row("  " + percent + " % have answered after", time);
    }
    System.out.printf("  %-44s %,d%n", "calls that failed until then", failures.sum());
  }

  private void call(InstanceRef instance, long killed, Promise<Void> done) {
    instance
        .call("sum", 20, 22)
        .onSuccess(sum -> done.complete())
        .onFailure(
            e -> {
              failures.increment();
              if (since(killed).compareTo(PATIENCE) > 0) {
                done.fail(e);
              } else {
                here.vertx()
                    .timer(AGAIN_MILLIS, TimeUnit.MILLISECONDS)
                    .onSuccess(again -> call(instance, killed, done));
              }
            });
  }
}
