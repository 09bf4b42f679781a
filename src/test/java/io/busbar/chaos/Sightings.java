package io.busbar.chaos;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What all callers and all workers of a trial have seen, compared as sets of ids. */
final class Sightings {
  /** The clock is one, but who is told and who writes it down are two. */
  private static final long SLACK_MILLIS = 50;

  private final boolean settled;
  private final List<Call> calls;
  private final List<Execution> executions;

  Sightings(boolean settled, List<Call> calls, List<Execution> executions) {
    this.settled = settled;
    this.calls = calls;
    this.executions = executions.stream().filter(Execution::isCounted).toList();
  }

  /** Whether in the end everything answered. */
  boolean isSettled() {
    return settled;
  }

  List<Call> calls() {
    return calls;
  }

  Stream<Call> failures() {
    return calls.stream().filter(call -> !call.isOk());
  }

  /** How many calls failed, counted by one of their fields. */
  Map<String, Long> failures(Function<Call, String> by) {
    return failures().collect(groupingBy(by, TreeMap::new, counting()));
  }

  /** One call of each outcome that is not {@code ok}. */
  List<Call> examples() {
    return List.copyOf(
        failures()
            .collect(toMap(Call::outcome, call -> call, (first, next) -> first, TreeMap::new))
            .values());
  }

  private long count(String outcome) {
    return calls.stream().filter(call -> call.outcome().equals(outcome)).count();
  }

  /** Answered, but not as the guest computes. */
  long wrong() {
    return count(Call.WRONG);
  }

  /** Calls that have not exactly one outcome. */
  long unaccounted() {
    long ids = calls.stream().mapToLong(Call::id).distinct().count();
    return count(Call.NONE) + count(Call.AGAIN) + (calls.size() - ids);
  }

  /** Calls of which two executions are logged. */
  Set<Long> ranTwice() {
    Set<Long> seen = new HashSet<>();
    return executions.stream().map(Execution::id).filter(id -> !seen.add(id)).collect(toSet());
  }

  /** Calls that were answered, and no worker has run them. */
  Set<Long> neverRan() {
    Set<Long> ran = ran();
    return ids(call -> call.isOk() && !ran.contains(call.id()));
  }

  /** Calls that failed, and a worker has run them before or after. */
  Set<Long> ranThoughFailed() {
    Set<Long> ran = ran();
    return ids(call -> !call.isOk() && ran.contains(call.id()));
  }

  /** Calls that a worker has run when their caller had been told. */
  Set<Long> ranAfterTold() {
    Map<Long, Long> told =
        calls.stream()
            .filter(call -> call.told() >= 0)
            .collect(toMap(Call::id, Call::told, Math::min));
    return executions.stream()
        .filter(
            e -> e.at() > told.getOrDefault(e.id(), Long.MAX_VALUE - SLACK_MILLIS) + SLACK_MILLIS)
        .map(Execution::id)
        .collect(toSet());
  }

  private Set<Long> ran() {
    return executions.stream().map(Execution::id).collect(toSet());
  }

  private Set<Long> ids(Predicate<Call> which) {
    return calls.stream().filter(which).map(Call::id).collect(toSet());
  }

  /** Each figure that knows of no fault, with its name, as a table shows it. */
  Map<String, String> rows() {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("calls", Integer.toString(calls.size()));
    rows.put("everything answers in the end", settled ? "yes" : "no");
    rows.put("wrong answers", Long.toString(wrong()));
    rows.put("executed twice", Integer.toString(ranTwice().size()));
    rows.put("executed after the caller was told", Integer.toString(ranAfterTold().size()));
    rows.put("answered, but never executed", Integer.toString(neverRan().size()));
    rows.put("without exactly one outcome", Long.toString(unaccounted()));
    rows.put("failed", failures().count() + counts(Call::outcome));
    rows.put("... by entrance", counts(Call::entrance).strip());
    rows.put("... but executed", Integer.toString(ranThoughFailed().size()));
    return rows;
  }

  private String counts(Function<Call, String> by) {
    Map<String, Long> counts = failures(by);
    return counts.isEmpty() ? "" : " " + counts.toString().replace('{', '(').replace('}', ')');
  }

  /** Failures of calls that were sent in this time; milliseconds since the epoch. */
  long failed(long from, long until) {
    return failures().filter(call -> call.sent() >= from && call.sent() < until).count();
  }

  /** When the last of the calls was sent that failed. */
  OptionalLong lastFailureSent() {
    return failures().mapToLong(Call::sent).max();
  }

  /** When a caller was last told of a failure. */
  OptionalLong lastFailureTold() {
    return failures().mapToLong(Call::told).max();
  }

  /** How long the caller of a failure waited for it, from the fault on. */
  OptionalLong longestWait(long fault) {
    return failures().mapToLong(call -> call.told() - Math.max(call.sent(), fault)).max();
  }

  /** The longest that a right answer took, of the calls sent in this time. */
  OptionalLong slowestOk(long from, long until) {
    return calls.stream()
        .filter(call -> call.isOk() && call.sent() >= from && call.sent() < until)
        .mapToLong(Call::millis)
        .max();
  }

  /** What a worker ran last before a moment: one id for each instance it had. */
  Set<String> instancesOf(String worker, long before) {
    Map<Long, String> instances =
        calls.stream().collect(toMap(Call::id, Call::instance, (a, b) -> a));
    Map<String, String> last = new TreeMap<>(); // instance to worker
    executions.stream()
        .filter(e -> e.at() < before)
        .sorted(Comparator.comparingLong(Execution::at))
        .forEach(e -> last.put(instances.get(e.id()), e.worker()));
    return last.entrySet().stream()
        .filter(entry -> entry.getValue().equals(worker))
        .map(Map.Entry::getKey)
        .collect(toSet());
  }

  /**
   * When the last of these instances had answered a call sent after a moment; -1 if one never did.
   */
  OptionalLong lastFirstAnswer(Set<String> instances, long after) {
    List<OptionalLong> first = instances.stream().map(i -> firstAnswer(i, after)).toList();
    return first.contains(OptionalLong.empty())
        ? OptionalLong.of(-1)
        : first.stream().mapToLong(OptionalLong::getAsLong).max();
  }

  private OptionalLong firstAnswer(String instance, long after) {
    return calls.stream()
        .filter(call -> call.instance().equals(instance))
        .filter(call -> call.isOk() && call.sent() >= after)
        .mapToLong(Call::told)
        .min();
  }
}
