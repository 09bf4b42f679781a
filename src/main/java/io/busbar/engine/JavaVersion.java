package io.busbar.engine;

import java.util.concurrent.atomic.AtomicBoolean;

/** Whether this JVM compiles what guests compare as unsigned the way it is written. */
public final class JavaVersion {
  /** The mistake of HotSpot's in {@code Integer.compareUnsigned} shows up to the one before. */
  private static final int FIRST_RIGHT = 18;

  private static final System.Logger LOG = System.getLogger(JavaVersion.class.getName());

  private static final AtomicBoolean CHECKED = new AtomicBoolean();

  private JavaVersion() {}

  /** Says so in the log where it does not: the first time. */
  public static void check() {
    if (CHECKED.compareAndSet(false, true)) {
      check(Runtime.version(), LOG);
    }
  }

  static void check(Runtime.Version version, System.Logger log) {
    if (version.feature() < FIRST_RIGHT) {
      log.log(
          System.Logger.Level.WARNING,
          "Java {0} can get unsigned comparisons in large compiled functions wrong, seldom and"
              + " silently: run nodes on Java 21 or 25",
          version.toString());
    }
  }
}
