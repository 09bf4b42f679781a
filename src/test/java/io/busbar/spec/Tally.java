package io.busbar.spec;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How many commands of the suite ended how, and each that failed by file and line. */
final class Tally {
  private final Map<Verdict.Kind, Map<String, Integer>> counts = new TreeMap<>();
  private final List<String> failures = new ArrayList<>();

  /** One command more; what passed is counted by what it was, the rest by its reason. */
  synchronized void count(String place, String what, Verdict verdict) {
    boolean passed = verdict.passed() || verdict.kind() == Verdict.Kind.FAILED;
    counts
        .computeIfAbsent(verdict.kind(), key -> new TreeMap<>())
        .merge(passed ? what : verdict.reason(), 1, Integer::sum);
    if (verdict.kind() == Verdict.Kind.FAILED) {
      failures.add(place + " " + what + ": " + verdict.reason());
    }
  }

  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  /** One line for each count. */
  synchronized String table() {
    StringBuilder table = new StringBuilder();
    counts.forEach(
        (kind, reasons) -> {
          table.append(String.format("%-60s %6d\n", kind, sum(reasons)));
          reasons.forEach(
              (reason, count) -> table.append(String.format("  %-58s %6d\n", reason, count)));
        });
    return table.toString();
  }

  private static int sum(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }
}
