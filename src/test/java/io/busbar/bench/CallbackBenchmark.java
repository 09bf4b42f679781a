package io.busbar.bench;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import io.busbar.engine.HostCall;
import io.busbar.model.Caller;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One call of an import, out of a loop in the guest: by whom it is answered. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class CallbackBenchmark {
  private static final int CALLS = 1_000_000;
  private static final int BUS_CALLS = 10_000;
  private static final Signature I32_TO_I32 =
      Signature.of(List.of(ValueType.I32), List.of(ValueType.I32));

  /** The guest on the thread that asks. */
  @State(Scope.Thread)
  public static class Direct {
    private ExportFunction bare;
    private Guest guest;

    @Setup
    public void start() {
      WasmModule module = Parser.parse(Guests.binary("callbacks"));
      FunctionType type = FunctionType.of(List.of(ValType.I32), List.of(ValType.I32));
      HostFunction next =
          new HostFunction("env", "next", type, (instance, args) -> new long[] {args[0] + 1});
      bare =
          Instance.builder(module)
              .withMachineFactory(MachineFactoryCompiler.compile(module))
              .withImportValues(ImportValues.builder().addFunction(next).build())
              .build()
              .export("run");
      ImportSpec spec = new ImportSpec("env", "next", I32_TO_I32, "next");
      guest =
          Guest.start(
              Guest.Plan.of(Guests.load("callbacks", Compiler.Mode.COMPILED), "bench")
                  .withImports(List.of(spec)),
              new Next());
    }

    private static final class Next implements HostCall {
      @Override
      public List<?> answer(ImportSpec called, Caller caller, List<Object> args) {
        return List.of((int) args.get(0) + 1);
      }

      @Override
      public int headroom(ImportSpec called) {
        return 0;
      }
    }
  }

  /** Instances on a node. */
  @State(Scope.Benchmark)
  public static class Node {
    private Vertx vertx;
    private InstanceRef function;
    private InstanceRef safe;
    private InstanceRef served;

    @Setup
    public void start() {
      vertx = Vertx.vertx();
      WasmHost host = WasmHost.start(vertx).await();
      host.client().put(Guests.binary("callbacks"), "callbacks").await();
      io.busbar.model.HostFunction next = (caller, args) -> List.of((int) args.get(0) + 1);
      host.function("here", io.busbar.model.HostFunction.small(next));
      host.function("safe", next);
      host.client()
          .serve(
              "there",
              I32_TO_I32,
              (caller, args) -> Future.succeededFuture(List.of((int) args.get(0) + 1)))
          .await();
      function = start(host, "here");
      safe = start(host, "safe");
      served = start(host, "there");
    }

    private static InstanceRef start(WasmHost host, String address) {
      InstanceSpec spec =
          InstanceSpec.of("callbacks").withImport("env", "next", I32_TO_I32, address);
      return host.client().start(spec).await().withTimeout(Duration.ofMinutes(1));
    }

    @TearDown
    public void stop() {
      vertx.close().await();
    }
  }

  /** Chicory's own host function: slots in, slots out. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public long[] bare(Direct direct) {
    return direct.bare.apply(CALLS);
  }

  /** A Java function that gets its caller and values, and whose results are checked. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public List<Object> guest(Direct direct) {
    return direct.guest.call("run", List.of(CALLS));
  }

  /**
   * The same, each call looking first whether stack is left: what a function is unless it is small.
   */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public List<Object> safe(Node node) {
    return node.safe.call("run", CALLS).await();
  }

  /** The same function, of a node; the guest called through the client. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public List<Object> function(Node node) {
    return node.function.call("run", CALLS).await();
  }

  /** A function that is asked over the bus, while the guest's thread waits. */
  @Benchmark
  @OperationsPerInvocation(BUS_CALLS)
  public List<Object> served(Node node) {
    return node.served.call("run", BUS_CALLS).await();
  }
}
