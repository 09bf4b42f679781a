package io.busbar.bench;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import java.util.List;
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
import org.openjdk.jmh.annotations.Warmup;

/** One call of {@code sum} on the thread that asks: a guest's, and the engine's alone. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CallBenchmark {
  private final List<Object> params = List.of(20, 22);
  private long left = 20;
  private long right = 22;
  private Guest compiled;
  private Guest interpreted;
  private ExportFunction bare;

  @Setup
  public void start() {
    compiled = Guests.start(Guests.load("sum", Compiler.Mode.COMPILED));
    interpreted = Guests.start(Guests.load("sum", Compiler.Mode.INTERPRETED));
    WasmModule module = Parser.parse(Guests.binary("sum"));
    bare =
        Instance.builder(module)
            .withMachineFactory(MachineFactoryCompiler.compile(module))
            .build()
            .export("sum");
  }

  @Benchmark
  public List<Object> guest() {
    return compiled.call("sum", params);
  }

  @Benchmark
  public List<Object> guestInterpreted() {
    return interpreted.call("sum", params);
  }

  /** Chicory's compiled function, without names, checks or boxes. */
  @Benchmark
  public long[] engine() {
    return bare.apply(left, right);
  }
}
