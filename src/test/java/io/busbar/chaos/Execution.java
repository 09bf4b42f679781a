package io.busbar.chaos;

/**
 * One call as the worker that ran it saw it.
 *
 * @param at milliseconds since the epoch
 */
record Execution(String worker, long id, long at) {
  static Execution parse(String worker, String line) {
    String[] fields = line.split(" ");
    return new Execution(worker, Long.parseLong(fields[0]), Long.parseLong(fields[1]));
  }

  /** Whether it is of the load, not of what a driver asks before and after. */
  boolean isCounted() {
    return id > 0;
  }
}
