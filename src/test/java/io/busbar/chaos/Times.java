package io.busbar.chaos;

/**
 * When a fault began and when it was over, in milliseconds since the epoch; at once for a process
 * that is killed.
 */
record Times(long fault, long over) {
  static Times since(long fault) {
    return new Times(fault, System.currentTimeMillis());
  }
}
