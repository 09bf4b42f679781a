package io.busbar.chaos;

/**
 * One call as its caller saw it.
 *
 * @param id another for each call of a trial
 * @param entrance by which way it was asked
 * @param instance what was asked
 * @param sent milliseconds since the epoch, like {@code told}
 * @param told when the caller knew the outcome; -1: never
 * @param outcome {@code ok}, {@code wrong}, {@code none}, {@code again} or the name of a failure
 * @param why what a failure said
 */
record Call(
    long id, String entrance, String instance, long sent, long told, String outcome, String why) {
  static final String OK = "ok";
  static final String WRONG = "wrong";
  static final String NONE = "none";

  /** The caller was told a second outcome. */
  static final String AGAIN = "again";

  private static final int FIELDS = 7;

  static Call parse(String line) {
    String[] f = line.split("\t", FIELDS);
    return new Call(
        Long.parseLong(f[0]), f[1], f[2], Long.parseLong(f[3]), Long.parseLong(f[4]), f[5], f[6]);
  }

  String line() {
    String flat = why.replace('\n', ' ').replace('\t', ' ');
    return String.join(
        "\t",
        Long.toString(id),
        entrance,
        instance,
        Long.toString(sent),
        Long.toString(told),
        outcome,
        flat);
  }

  Call told(long at, String outcome, String why) {
    return new Call(id, entrance, instance, sent, at, outcome, why);
  }

  boolean isOk() {
    return outcome.equals(OK);
  }

  /** How long the caller waited. */
  long millis() {
    return told - sent;
  }
}
