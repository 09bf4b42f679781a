package io.busbar.chaos;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * The long form of the fault tests: a minute of each fault at 300 calls a second, beside the same
 * with plain Vert.x, and what Busbar promises of each.
 */
class ChaosLong {
  private static final int RATE = 300;
  private static final Duration BEFORE = Duration.ofSeconds(15);
  private static final Duration IN_ALL = Duration.ofSeconds(60);

  /** For what the end of a fault brings about, such as the merge of a cluster that was cut. */
  private static final Duration AFTER = Duration.ofSeconds(20);

  private static final List<Table> TABLES = new ArrayList<>();

  @AfterAll
  static void publish() {
    Table.publish(TABLES);
  }

  /** Both trials; what was found of ours. */
  private static Findings compare(Scenario scenario) {
    Table table = new Table(scenario.title());
    TABLES.add(table);
    Findings ours = run(scenario, Trial.Kind.BUSBAR);
    table.add("Busbar", ours.rows(), ours.seen().examples());
    Findings plain = run(scenario, Trial.Kind.PLAIN);
    table.add("plain Vert.x, Hazelcast's defaults", plain.rows(), plain.seen().examples());
    return ours;
  }

  private static Findings run(Scenario scenario, Trial.Kind kind) {
    String name = (scenario.name() + "-" + kind).toLowerCase(Locale.ROOT);
    try (Network network =
            scenario.needsNamespaces() ? Namespaces.of(Trial.PLACES) : new Loopback();
        Trial trial =
            Trial.of(kind, network, scenario.tuning(), Path.of("target", "chaos", name))) {
      trial.load(RATE);
      trial.during(BEFORE);
      Times times = scenario.strike(trial);
      Duration left = IN_ALL.minus(BEFORE).minusMillis(times.over() - times.fault());
      trial.during(left.compareTo(AFTER) > 0 ? left : AFTER);
      return Findings.of(trial.stop(), times, "n" + Scenario.VICTIM);
    }
  }

  private static void assertAtMost(Duration most, OptionalLong millis, String what) {
    assertTrue(
        millis.orElse(0) <= most.toMillis(), () -> what + " after " + millis + " ms, not " + most);
  }

  @Test
  void killedWorker_callersAreToldWithinASecond_newCallsSucceedWithinTwo() {
    Findings found = compare(Scenario.KILL);
    assertAll(
        () -> ChaosIT.assertSound(found.seen()),
        () -> assertAtMost(Duration.ofSeconds(1), found.longestWait(), "callers are told"),
        () -> assertAtMost(Duration.ofSeconds(2), found.lastSent(), "the last failing call"),
        () -> assertAtMost(Duration.ofSeconds(2), found.back(), "new calls succeed"));
  }

  @Test
  void frozenWorker_callsFailInTheFirstSecondAndAHalfOnly() {
    Findings found = compare(Scenario.FREEZE);
    assertAll(
        () -> ChaosIT.assertSound(found.seen()),
        () -> assertAtMost(Duration.ofMillis(1500), found.lastTold(), "the last failure"));
  }

  @Test
  void workerThatIsCutOff_failsNoCallWhenTheNetworkIsHealed() {
    boolean must = Boolean.getBoolean("busbar.require.netns");
    assumeTrue(must || Namespaces.arePossible(), "network namespaces need root and iproute2");
    Findings found = compare(Scenario.CUT);
    assertAll(
        () -> ChaosIT.assertSound(found.seen()),
        () -> assertEquals(0, found.failedLater(), "failures since the heal"));
  }

  @Test
  void workerThatEndsAsPlanned_failsNoCall() {
    assertNoneFails(compare(Scenario.DRAIN));
  }

  @Test
  void workerThatJoins_failsNoCall() {
    assertNoneFails(compare(Scenario.JOIN));
  }

  @Test
  void rollingRestart_failsNoCall() {
    assertNoneFails(compare(Scenario.ROLL));
  }

  private static void assertNoneFails(Findings found) {
    assertAll(
        () -> ChaosIT.assertSound(found.seen()),
        () -> assertTrue(found.seen().calls().size() >= 10_000),
        () -> assertEquals(0, found.failed(), "failures"));
  }
}
