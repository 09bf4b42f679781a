package io.busbar.bench;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Addresses;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One call of {@code sum} through the client, over the bus of one JVM. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
public class ClientBenchmark {
  private static final int CALLS = 6400;

  @Param({"1", "64"})
  public int inFlight;

  @Param({"1", "64"})
  public int instances;

  private final List<InstanceRef> refs = new ArrayList<>();
  private Vertx vertx;
  private Asker asker;
  private int turn; // only on the asker's event loop

  @Setup
  public void start() {
    vertx = Vertx.vertx();
    WasmHost host = WasmHost.start(vertx).await();
    host.client().put(Guests.binary("sum"), "sum").await();
    for (int i = 0; i < instances; i++) {
      refs.add(host.client().start(InstanceSpec.of("sum")).await());
    }
    InstanceRef first = refs.get(0);
    String address = Addresses.STANDARD.instance(first.id());
    CompletableFuture<Thread> answerer = new CompletableFuture<>();
    vertx
        .eventBus()
        .addInboundInterceptor(
            delivery -> {
              if (delivery.message().address().equals(address)) {
                answerer.complete(Thread.currentThread());
              }
              delivery.next();
            });
    first.call("sum", 20, 22).await();
    asker = new Asker(vertx, answerer.join(), () -> nextInstance().call("sum", 20, 22));
  }

  private InstanceRef nextInstance() {
    turn = turn + 1 == instances ? 0 : turn + 1;
    return refs.get(turn);
  }

  @TearDown
  public void stop() {
    vertx.close().await();
  }

  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void call() {
    asker.ask(CALLS, inFlight);
  }
}
