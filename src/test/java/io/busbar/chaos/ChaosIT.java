package io.busbar.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The short form of the fault tests: what holds however busy the machine is. */
class ChaosIT {
  private static final int RATE = 100;
  private static final Duration QUIET = Duration.ofSeconds(2);

  /** So that it is the fault that strikes a node, not the machine. */
  private static final Tuning PATIENT = Tuning.STANDARD.withSuspectMillis(3000);

  /** Long enough to be suspected, and too short for Hazelcast to give the member up. */
  private static final Duration FROZEN = Duration.ofMillis(4500);

  @Test
  void workersLeaveFreezeAndDie_eachCallHasOneOutcomeAndRunsOnce() {
    Path folder = Path.of("target", "chaos", "short");
    try (Trial trial = Trial.of(Trial.Kind.BUSBAR, new Loopback(), PATIENT, folder)) {
      trial.load(RATE);
      trial.during(QUIET);
      boolean wasCalm = trial.suspected().isEmpty();
      trial.terminate(1);
      trial.during(QUIET);
      boolean isCalm = wasCalm && Set.of("n1").containsAll(trial.suspected());
      long planned = System.currentTimeMillis();
      trial.during(QUIET); // so that what was sent until then is answered before the next fault
      trial.freeze(2);
      trial.during(FROZEN);
      trial.thaw(2);
      trial.during(QUIET);
      assertTrue(trial.settles(), "after the worker was resumed");
      trial.kill(3);
      trial.during(QUIET);
      Sightings seen = trial.stop();
      publish(seen);
      assertSound(seen);
      if (isCalm) {
        assertEquals(0, seen.failed(0, planned), "failures by a planned end");
      }
    }
  }

  private static void publish(Sightings seen) {
    Table table = new Table("three workers: one leaves, one freezes, one dies");
    table.add("Busbar", seen.rows(), seen.examples());
    Table.publish(List.of(table));
  }

  static void assertSound(Sightings seen) {
    assertTrue(seen.calls().size() > 0);
    assertTrue(seen.isSettled(), "each instance answers in the end");
    assertEquals(0, seen.wrong(), "wrong answers");
    assertEquals(0, seen.unaccounted(), "calls without exactly one outcome");
    assertEquals(Set.of(), seen.ranTwice(), "double executions");
    assertEquals(Set.of(), seen.neverRan(), "answers of calls that never ran");
    assertEquals(Set.of(), seen.ranAfterTold(), "executions after the caller was told");
  }
}
