package io.busbar.chaos;

/**
 * What nodes of ours are told beside who they are; the baseline knows neither.
 *
 * @param size how many members the cluster is to have, the driver included; 0: not said
 * @param suspectMillis for how long a node may be silent
 */
record Tuning(int size, int suspectMillis) {
  static final Tuning STANDARD = new Tuning(0, 750);

  /** A minority that is cut off knows it is one. */
  Tuning withSize(int size) {
    return new Tuning(size, suspectMillis);
  }

  /** A machine that is busy with other things makes nobody look dead. */
  Tuning withSuspectMillis(int suspectMillis) {
    return new Tuning(size, suspectMillis);
  }
}
