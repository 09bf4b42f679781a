package io.busbar.chaos;

import java.time.Duration;
import java.util.function.Consumer;

/** What is done to the workers of a trial. */
enum Scenario {
  KILL("kill -9 of a worker", trial -> trial.kill(Scenario.VICTIM)),
  FREEZE("a worker frozen (SIGSTOP) for 10 s, then resumed", Scenario::freeze),
  CUT("a worker cut off for 15 s, then healed", Scenario::cut),
  DRAIN("planned end (SIGTERM) of a worker", trial -> trial.terminate(Scenario.VICTIM)),
  JOIN("a cold fourth worker joins", trial -> trial.start(Scenario.VICTIM + 1)),
  ROLL("rolling restart of all three workers", Scenario::roll);

  /** The worker that a fault strikes. */
  static final int VICTIM = 3;

  private static final Duration FROZEN = Duration.ofSeconds(10);

  /** Longer than Hazelcast, as Busbar sets it, takes to give a member up. */
  private static final Duration CUT_OFF = Duration.ofSeconds(15);

  private static final Duration BETWEEN = Duration.ofSeconds(5);

  private final String title;
  private final Consumer<Trial> strike;

  Scenario(String title, Consumer<Trial> strike) {
    this.title = title;
    this.strike = strike;
  }

  String title() {
    return title;
  }

  boolean needsNamespaces() {
    return this == CUT;
  }

  Tuning tuning() {
    return this == CUT ? Tuning.STANDARD.withSize(Trial.WORKERS + 1) : Tuning.STANDARD;
  }

  Times strike(Trial trial) {
    long fault = System.currentTimeMillis();
    strike.accept(trial);
    return Times.since(fault);
  }

  private static void freeze(Trial trial) {
    trial.freeze(VICTIM);
    trial.during(FROZEN);
    trial.thaw(VICTIM);
  }

  private static void cut(Trial trial) {
    trial.cut(VICTIM);
    trial.during(CUT_OFF);
    trial.heal(VICTIM);
  }

  private static void roll(Trial trial) {
    for (int worker = 1; worker <= Trial.WORKERS; worker++) {
      trial.terminate(worker);
      trial.start(worker);
      trial.during(BETWEEN);
    }
  }
}
