package io.busbar.bench;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.model.InstanceSpec;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;

/** 10,000 live instances: the time to start them, the heap they keep, the time to call each. */
public final class Fleet {
  private static final int INSTANCES = 10_000;
  private static final int IN_FLIGHT = 64;

  private Fleet() {}

  /** Prints one line for a module without memory and one for a module with a page. */
  public static void main(String[] args) {
    Vertx vertx = Vertx.vertx();
    WasmClient client = WasmHost.start(vertx).await().client();
    measure(client, "sum", "without memory");
    measure(client, "page", "with one page");
    vertx.close().await();
  }

  private static void measure(WasmClient client, String module, String what) {
    client.put(Guests.binary(module), module).await();
    long before = heap();
    List<InstanceRef> refs = Collections.synchronizedList(new ArrayList<>());
    Duration start = each(i -> client.start(InstanceSpec.of(module)).onSuccess(refs::add));
    long bytes = (heap() - before) / INSTANCES;
    Duration first = each(i -> refs.get(i).call("sum", 20, 22));
    Duration second = each(i -> refs.get(i).call("sum", 20, 22));
    System.out.printf(
        "%,d instances %s: started in %,d ms, %,d bytes of heap each,"
            + " all called in %,d ms, again in %,d ms%n",
        INSTANCES, what, start.toMillis(), bytes, first.toMillis(), second.toMillis());
    each(i -> refs.get(i).stop());
  }

  /** Asks for each instance, some at a time, and waits for all. */
  private static Duration each(IntFunction<Future<?>> question) {
    long start = System.nanoTime();
    List<Future<?>> chains = new ArrayList<>();
    for (int i = 0; i < IN_FLIGHT; i++) {
      chains.add(chain(i, question));
    }
    Future.all(chains).await();
    return Duration.ofNanos(System.nanoTime() - start);
  }

  private static Future<?> chain(int i, IntFunction<Future<?>> question) {
    Future<?> asked = question.apply(i);
    return i + IN_FLIGHT < INSTANCES
        ? asked.compose(answer -> chain(i + IN_FLIGHT, question))
        : asked;
  }

  /** What the heap retains, in bytes. */
  private static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
