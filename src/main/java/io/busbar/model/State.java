package io.busbar.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What a guest keeps between its calls that somebody would miss. */
public enum State {
  /** Nothing: it may be started anew anywhere between two calls. */
  NONE,
  /** What it has in memory: kept while its node lives, and never given up in silence. */
  VOLATILE;

  /** The word in a spec. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What this word stands for; fails with {@code BAD_REQUEST}. */
  public static State parse(String text) {
    for (State known : values()) {
      if (known.text().equals(text)) {
        return known;
      }
    }
    List<String> all = Arrays.stream(values()).map(State::text).toList();
    throw Failure.BAD_REQUEST.because(
        "`state` must be one of %s in this version. Given `%s`.", all, Names.shown(text));
  }
}
