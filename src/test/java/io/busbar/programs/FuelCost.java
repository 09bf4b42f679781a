package io.busbar.programs;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import io.busbar.engine.GuestThread;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What fuel costs: small loops and real programs, each compiled with and without it, run in turns
 * on one thread; the ratio of the medians, and the geometric mean of all.
 */
public final class FuelCost {
  /** Others may be at work on the machine: what this thread used is counted. */
  private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

  private static final int ROUNDS = 31;
  private static final long WARM_UP = Duration.ofSeconds(3).toNanos();
  private static final NpmPackage HASHES = new NpmPackage("hash-wasm", "4.13.0");
  private static final NpmPackage GOFMT = new NpmPackage("@wasm-fmt/gofmt", "0.7.3");
  private static final NpmPackage BOY = new NpmPackage("wasmboy", "0.7.1");

  /** A program: its module, how it begins, and what is timed. */
  private record Work(String name, byte[] wasm, Step prepare, Step run) {}

  private interface Step {
    void on(Guest guest);
  }

  private FuelCost() {}

  /** Prints a line for each program. */
  public static void main(String[] args) throws Exception {
    Thread thread = new GuestThread(FuelCost::measureAll, "bench", 8192);
    thread.start();
    thread.join();
  }

  private static void measureAll() {
    double logs = 0;
    List<Work> all = works();
    all.removeIf(work -> !work.name.matches(System.getProperty("only", ".*")));
    for (Work work : all) {
      logs += Math.log(ratio(work));
    }
    System.out.printf("geometric mean of %d: %.2f%n", all.size(), Math.exp(logs / all.size()));
  }

  private static List<Work> works() {
    byte[] loops = Compiler.toBinary(resource("/bench/loops.wat"));
    List<Work> works = new ArrayList<>();
    works.add(loop(loops, "sieve", 2_000_000));
    works.add(loop(loops, "matmul", 200));
    works.add(loop(loops, "fib", 30));
    works.add(loop(loops, "indirect", 2_000_000));
    works.add(loop(loops, "sort", 200_000));
    JavaScript hashes =
        new JavaScript(
            HASHES.file(
                "dist/index.umd.min.js",
                "b43a59e36eafcb2f744eb23badd590ca23c7dad54fb0395522cec6fb85a6582c"));
    works.add(hash(hashes, "sha256", 256));
    works.add(hash(hashes, "md5"));
    works.add(hash(hashes, "blake3", 0));
    works.add(hash(hashes, "sha3", 256));
    works.add(gofmt());
    works.add(boy());
    return works;
  }

  private static byte[] resource(String name) {
    try (InputStream in = FuelCost.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Work loop(byte[] wasm, String name, int size) {
    return new Work(name, wasm, guest -> {}, guest -> guest.call(name, List.of(size)));
  }

  private static Work hash(JavaScript all, String name, Object... init) {
    return new Work(
        name,
        all.moduleAfter("name:\"" + name + "\",data:"),
        guest -> guest.call("Hash_Init", List.of(init)),
        guest -> {
          for (int i = 0; i < 64; i++) {
            guest.call("Hash_Update", List.of(16384));
          }
        });
  }

  private static Work gofmt() {
    StringBuilder source = new StringBuilder("package main\n");
    for (int i = 0; i < 200; i++) {
      source
          .append("func f")
          .append(i)
          .append("(a,b int)int{x:=a*b;if x>3{return x};return a+b}\n");
    }
    byte[] text = source.toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    return new Work(
        "gofmt",
        GOFMT.file(
            "gofmt.wasm", "24da2e1b76c0ed5e4e3652aab25525ddce2fad95853a519b1e7750df45911c86"),
        guest -> guest.call("_initialize", List.of()),
        guest -> {
          long address = ((Number) guest.call("alloc", List.of(text.length)).get(0)).longValue();
          guest.write(null, address, text);
          guest.call("format", List.of());
        });
  }

  private static Work boy() {
    return new Work(
        "wasmboy",
        BOY.file(
            "dist/core/core.untouched.wasm",
            "f2d6a734ce5c3e752c98173b194128fd72f688d0cff226a3e5f61d9930de83a8"),
        guest -> guest.call("config", List.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
        guest -> guest.call("executeFrame", List.of()));
  }

  private static double ratio(Work work) {
    Guest off = start(work, false);
    Guest on = start(work, true);
    long before = System.nanoTime();
    while (System.nanoTime() - before < WARM_UP) {
      time(work, off);
      time(work, on);
    }
    long[] without = new long[ROUNDS];
    long[] with = new long[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      without[i] = time(work, off);
      on.setFuel(Limit.FUEL.highest());
      with[i] = time(work, on);
    }
    Arrays.sort(without);
    Arrays.sort(with);
    double ratio = (double) with[ROUNDS / 2] / without[ROUNDS / 2];
    System.out.printf(
        "%-10s %8.3f ms without, %8.3f ms with: %.2f%n",
        work.name, without[ROUNDS / 2] / 1e6, with[ROUNDS / 2] / 1e6, ratio);
    return ratio;
  }

  private static long time(Work work, Guest guest) {
    long start = CPU.getCurrentThreadCpuTime();
    work.run.on(guest);
    return CPU.getCurrentThreadCpuTime() - start;
  }

  private static Guest start(Work work, boolean metered) {
    try (Compiler compiler =
        new Compiler(Compiler.Options.STANDARD.withMode(Compiler.Mode.COMPILED))) {
      CompiledModule module = compiler.load(work.wasm, metered);
      List<io.busbar.model.ImportSpec> imports = new ArrayList<>();
      for (var wanted : module.info().imports()) {
        if (wanted.type() instanceof io.busbar.model.ExternType.Function function) {
          imports.add(
              new io.busbar.model.ImportSpec(
                  wanted.module(), wanted.name(), function.signature(), "stub"));
        }
      }
      Guest guest =
          Guest.start(
              Guest.Plan.of(module, work.name)
                  .withImports(imports)
                  .withLimits(Limits.STANDARD.with(Limit.FUEL, Limit.FUEL.highest())),
              (spec, caller, arguments) -> List.of());
      work.prepare.on(guest);
      return guest;
    }
  }
}
