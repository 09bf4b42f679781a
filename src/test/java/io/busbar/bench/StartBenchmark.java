package io.busbar.bench;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import io.busbar.model.InstanceSpec;
import io.vertx.core.Vertx;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What one more instance of a compiled module costs. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StartBenchmark {
  /** Three modules in memory. */
  @State(Scope.Benchmark)
  public static class Modules {
    private CompiledModule none;
    private CompiledModule one;
    private CompiledModule seventeen;

    @Setup
    public void load() {
      none = Guests.load("sum", Compiler.Mode.COMPILED);
      one = Guests.load("page", Compiler.Mode.COMPILED);
      seventeen = Guests.load("pages17", Compiler.Mode.COMPILED);
    }
  }

  /** A node that has the module {@code page}. */
  @State(Scope.Benchmark)
  public static class Node {
    private Vertx vertx;
    private WasmClient client;

    @Setup
    public void start() {
      vertx = Vertx.vertx();
      client = WasmHost.start(vertx).await().client();
      client.put(Guests.binary("page"), "page").await();
    }

    @TearDown
    public void stop() {
      vertx.close().await();
    }
  }

  @Benchmark
  public Guest guestWithoutMemory(Modules modules) {
    return Guests.start(modules.none);
  }

  @Benchmark
  public Guest guestOnePage(Modules modules) {
    return Guests.start(modules.one);
  }

  @Benchmark
  public Guest guestSeventeenPages(Modules modules) {
    return Guests.start(modules.seventeen);
  }

  /** One page, started and stopped through the client, one at a time. */
  @Benchmark
  public void clientOnePage(Node node) {
    node.client.start(InstanceSpec.of("page")).compose(InstanceRef::stop).await();
  }
}
