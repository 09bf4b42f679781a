package io.busbar.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What becomes of an instance whose guest was left in the middle of a call. */
public enum AfterTrap {
  /** The guest goes on from the state it was left in. */
  KEEP,
  /** A fresh guest of the same spec and modules takes its place. */
  RESTART,
  /** The instance is stopped. */
  STOP;

  /** The word in a spec. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What this word stands for; fails with {@code BAD_REQUEST}. */
  public static AfterTrap parse(String text) {
    for (AfterTrap known : values()) {
      if (known.text().equals(text)) {
        return known;
      }
    }
    List<String> all = Arrays.stream(values()).map(AfterTrap::text).toList();
    throw Failure.BAD_REQUEST.because(
        "`afterTrap` must be one of %s in this version. Given `%s`.", all, Names.shown(text));
  }
}
