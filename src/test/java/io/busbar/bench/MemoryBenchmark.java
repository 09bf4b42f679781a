package io.busbar.bench;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ByteArrayMemory;
import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Loops over memory: a guest's flat one, and the engine's, a table of pages. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MemoryBenchmark {
  private static final int MIB = 1 << 20;

  /** Whose memory it is. */
  public enum Memory {
    /** Ours. */
    FLAT,
    /** Chicory's {@code ByteArrayMemory}. */
    PAGED
  }

  @Param public Memory memory;

  private IntUnaryOperator sieve;
  private IntUnaryOperator ints;
  private IntUnaryOperator longs;
  private IntUnaryOperator bulk;

  @Setup
  public void start() {
    if (memory == Memory.FLAT) {
      Guest guest = Guests.start(Guests.load("kernels", Compiler.Mode.COMPILED));
      sieve = kernel(guest, "sieve");
      ints = kernel(guest, "ints");
      longs = kernel(guest, "longs");
      bulk = kernel(guest, "bulk");
    } else {
      Instance instance = paged();
      sieve = kernel(instance, "sieve");
      ints = kernel(instance, "ints");
      longs = kernel(instance, "longs");
      bulk = kernel(instance, "bulk");
    }
    for (int i = 0; i < 300; i++) {
      if (sieve.applyAsInt(MIB) != 82_025) {
        throw new IllegalStateException("the sieve is wrong");
      }
    }
  }

  private static Instance paged() {
    WasmModule module = Parser.parse(Guests.binary("kernels"));
    return Instance.builder(module)
        .withMachineFactory(MachineFactoryCompiler.compile(module))
        .withMemoryFactory(ByteArrayMemory::new)
        .build();
  }

  private static IntUnaryOperator kernel(Guest guest, String name) {
    return size -> (int) guest.call(name, List.of(size)).get(0);
  }

  private static IntUnaryOperator kernel(Instance instance, String name) {
    ExportFunction function = instance.export(name);
    return size -> (int) function.apply(size)[0];
  }

  /** Primes below 2²⁰: loads and stores of bytes. */
  @Benchmark
  public int sieve() {
    return sieve.applyAsInt(MIB);
  }

  /** The sum of 4 MiB of i32. */
  @Benchmark
  public int ints() {
    return ints.applyAsInt(4 * MIB);
  }

  /** Loads and stores of f64 and i64, over 4 MiB. */
  @Benchmark
  public int longs() {
    return longs.applyAsInt(4 * MIB);
  }

  /** memory.fill and memory.copy, 1 KiB each, over 4 MiB; the sieve has filled more before. */
  @Benchmark
  public int bulk() {
    return bulk.applyAsInt(4 * MIB);
  }
}
