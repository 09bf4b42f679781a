package io.busbar.chaos;

/** What each call of a trial asks, and its right answer. */
final class Question {
  private Question() {}

  static long answer(long id) {
    return 3 * id + 1;
  }
}
