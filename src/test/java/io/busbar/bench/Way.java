package io.busbar.bench;

import io.vertx.core.Context;
import io.vertx.core.Future;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** One way to ask, and what came of it in each round. */
final class Way {
  private static final int ROUNDS = 11; // of which the median counts
  private static final int WARM_UP = 4; // rounds before

  private final String name;
  private final Asker asker;
  private final long[] nanos; // of each question of this round; only on the asker's event loop
  private final double[] rates = new double[ROUNDS];
  private final double[] medians = new double[ROUNDS];
  private final double[] lates = new double[ROUNDS]; // 99 of 100 are sooner
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

  private void run(int round, int inFlight) {
    asked = 0;
    long start = System.nanoTime();
    asker.ask(nanos.length, inFlight);
    long took = System.nanoTime() - start;
    if (round >= 0) {
      Arrays.sort(nanos);
      rates[round] = nanos.length * 1e9 / took;
      medians[round] = nanos[nanos.length / 2] / 1e3;
      lates[round] = nanos[nanos.length * 99 / 100] / 1e3;
    }
  }

  /** How much longer one question took than that way's, in the median of the rounds. */
  private double ratio(Way to) {
    return median(IntStream.range(0, ROUNDS).mapToDouble(i -> to.rates[i] / rates[i]).toArray());
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** Until the code of both sides is compiled as a server's is that has run for a while. */
  static void warmUp(int inFlight, List<Way> ways) {
    for (int round = -WARM_UP; round < 0; round++) {
      ways.forEach(way -> way.run(-1, inFlight));
    }
  }

  /** In turns, so that whatever else the machine does happens to all of them; prints a table. */
  static void measure(String what, int inFlight, List<Way> ways) {
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
          "  %-36s %,9.0f/s  p50 %,8.1f us  p99 %,8.1f us  %5.2f of the first  %5.2f of the"
              + " second%n",
          way.name,
          median(way.rates),
          median(way.medians),
          median(way.lates),
          way.ratio(first),
          way.ratio(second));
    }
  }
}
