package io.busbar.chaos;

import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The figures of one trial.
 *
 * @param longestWait how long the caller of a failure waited for it, from the fault on; like all
 *     that may not have happened, none then
 * @param back when each instance of the worker that was struck had answered a new call, from the
 *     fault on; -1: never
 */
record Findings(
    Sightings seen,
    Times times,
    OptionalLong longestWait,
    OptionalLong lastSent,
    OptionalLong lastTold,
    OptionalLong back) {

  static Findings of(Sightings seen, Times times, String struck) {
    Set<String> instances = seen.instancesOf(struck, times.fault());
    return new Findings(
        seen,
        times,
        seen.longestWait(times.fault()),
        since(times.fault(), seen.lastFailureSent()),
        since(times.fault(), seen.lastFailureTold()),
        since(times.fault(), seen.lastFirstAnswer(instances, times.fault())));
  }

  private static OptionalLong since(long start, OptionalLong at) {
    return at.isPresent() ? OptionalLong.of(at.getAsLong() - start) : at;
  }

  /** Failures of calls that were sent when the fault was over. */
  long failedLater() {
    return seen.failed(times.over(), Long.MAX_VALUE);
  }

  long failed() {
    return seen.failures().count();
  }

  /** Each figure with its name, as a table shows it. */
  Map<String, String> rows() {
    Map<String, String> rows = seen.rows();
    rows.put("... sent before the fault", Long.toString(seen.failed(0, times.fault())));
    rows.put("... sent after its end", Long.toString(failedLater()));
    rows.put("the fault lasted", seconds(OptionalLong.of(times.over() - times.fault())));
    rows.put("last failing call sent, after the fault", seconds(lastSent));
    rows.put("last failure told, after the fault", seconds(lastTold));
    rows.put("longest wait for a failure", seconds(longestWait));
    rows.put("new calls to what was there answered after", seconds(back));
    rows.put("slowest right answer before", seconds(seen.slowestOk(0, times.fault())));
    rows.put("slowest right answer since", seconds(seen.slowestOk(times.fault(), Long.MAX_VALUE)));
    return rows;
  }

  private static String seconds(OptionalLong millis) {
    if (millis.isEmpty()) {
      return "-";
    }
    return millis.getAsLong() < 0 ? "never" : String.format("%.2f s", millis.getAsLong() / 1000.0);
  }
}
