package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Three pulses whose pings arrive or not, on one clock: what one node may run for another ends
 * before the other gives it up.
 */
class PulseTest {
  private static final Duration WINDOW = Duration.ofMillis(750);

  private long now = TimeUnit.SECONDS.toNanos(5);
  private final Map<String, Pulse> nodes = new HashMap<>();
  private final Map<String, Set<String>> members = new HashMap<>();
  private final Set<String> frozen = new TreeSet<>();
  private final Set<String> cut = new TreeSet<>(); // "a-b": nothing goes between them
  private final List<String> suspicions = new ArrayList<>();

  private void start(int size, String... names) {
    for (String name : names) {
      members.put(name, new TreeSet<>(List.of(names)));
      nodes.put(
          name,
          new Pulse(
              name,
              size,
              WINDOW,
              () -> now,
              node -> ping(name, node),
              node -> suspicions.add(name + " " + node)));
    }
    run(1000);
    nodes.values().forEach(pulse -> pulse.caughtUp(pulse.cuts()));
  }

  private void ping(String from, String to) {
    if (!frozen.contains(to) && !isCut(from, to)) {
      long sent = now;
      nodes.get(from).answered(to, sent, nodes.get(to).pinged(from));
    }
  }

  private boolean isCut(String from, String to) {
    return cut.contains(from + "-" + to) || cut.contains(to + "-" + from);
  }

  private void run(long millis) {
    long end = now + TimeUnit.MILLISECONDS.toNanos(millis);
    while (now - end < 0) {
      now += TimeUnit.MILLISECONDS.toNanos(10);
      nodes.forEach(
          (name, pulse) -> {
            if (!frozen.contains(name)) {
              pulse.tick(members.get(name));
            }
          });
    }
  }

  /** Whether b may run what a passes on to it, as a calls the time. */
  private boolean mayRun(String a, String b, long term) {
    return nodes.get(b).refusal(Optional.of(a), term).isEmpty();
  }

  private boolean mayRun(String a, String b) {
    return mayRun(a, b, nodes.get(a).term(b));
  }

  @Test
  void nodesThatAnswer_trustAndServeEachOther() {
    start(0, "a", "b", "c");
    for (String one : nodes.keySet()) {
      assertTrue(nodes.get(one).isWhole(members.get(one)));
      for (String other : nodes.keySet()) {
        assertTrue(nodes.get(one).isTrusted(other));
        assertTrue(mayRun(one, other) || one.equals(other));
      }
    }
    assertEquals(List.of(), suspicions);
  }

  @Test
  void nodeThatHasLeft_isNotTrusted_beforeTheNextTick() {
    start(0, "a", "b", "c");
    nodes.get("a").left("b");
    assertFalse(nodes.get("a").isTrusted("b"));
    assertTrue(nodes.get("a").isTrusted("c"));
  }

  @Test
  void frozenNode_isSuspectedWithinASecond_andRunsNothingFromBefore() {
    start(0, "a", "b");
    long term = nodes.get("a").term("b");
    frozen.add("b");
    run(450);
    assertEquals(List.of(), suspicions);
    run(550);
    assertEquals(List.of("a b"), suspicions);
    assertFalse(nodes.get("a").isTrusted("b"));
    frozen.clear(); // it wakes, and what waits before it is looked at before anything is told
    assertFalse(mayRun("a", "b", term));
    assertFalse(nodes.get("b").refusal(Optional.empty(), -1).isEmpty());
    run(1000);
    assertTrue(nodes.get("a").isTrusted("b"));
    assertFalse(mayRun("a", "b", term), "from before the suspicion");
    assertTrue(mayRun("a", "b"));
    assertTrue(nodes.get("b").refusal(Optional.empty(), -1).isEmpty());
  }

  @Test
  void leaseEndsBeforeTheSuspicion_whateverIsLost() {
    for (long cutAt = 0; cutAt < 300; cutAt += 30) {
      nodes.clear();
      suspicions.clear();
      cut.clear();
      start(0, "a", "b");
      run(cutAt);
      cut.add("a-b");
      while (!suspicions.contains("a b")) {
        run(10);
      }
      assertFalse(mayRun("a", "b", 1), "cut at " + cutAt);
    }
  }

  @Test
  void nodeThatStoodStillItself_suspectsNobodyForThat() {
    start(0, "a", "b");
    now += TimeUnit.SECONDS.toNanos(20); // both, as when the machine sleeps
    run(1000);
    assertEquals(List.of(), suspicions);
  }

  @Test
  void minority_decidesNothing_untilItHasCaughtUp() {
    start(3, "a", "b", "c");
    assertTrue(nodes.get("a").minority().isEmpty());
    cut.add("a-c");
    cut.add("b-c");
    run(1000);
    assertEquals(
        "node `c` is cut off: it reaches 1 of 3 nodes, and a majority are 2",
        nodes.get("c").minority().orElseThrow().getMessage());
    assertTrue(nodes.get("a").minority().isEmpty());
    run(2000);
    assertTrue(nodes.get("c").isCutOff());
    cut.clear();
    run(1000);
    Pulse back = nodes.get("c");
    assertFalse(back.isCutOff());
    assertTrue(back.minority().isPresent(), "it has not looked at what the others did");
    back.caughtUp(back.cuts());
    assertTrue(back.minority().isEmpty());
  }

  @Test
  void nodeThatOthersHaveDropped_getsNoLease() {
    start(3, "a", "b", "c");
    members.get("a").remove("c");
    members.get("b").remove("c");
    run(1000);
    assertTrue(nodes.get("c").minority().isPresent());
    assertFalse(mayRun("a", "c"));
    members.get("a").add("c");
    members.get("b").add("c");
    run(1000);
    assertTrue(mayRun("a", "c"));
  }
}
