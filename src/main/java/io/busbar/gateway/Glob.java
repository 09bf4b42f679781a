package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;

/** The names that a rule stands for: each {@code *} in it is any text, also none. */
final class Glob {
  private static final int LONGEST = 256;

  private final String text;

  private Glob(String text) {
    this.text = text;
  }

  /** Fails with {@code BAD_REQUEST} where it is empty or longer than 256 characters. */
  static Glob of(String what, String text) {
    if (text.isEmpty() || text.length() > LONGEST) {
      throw Failure.BAD_REQUEST.because(
          "`%s` must have patterns of 1 to %d characters. Given `%s`.",
          what, LONGEST, Names.shown(text));
    }
    return new Glob(text);
  }

  /** In time of at most the product of both lengths, whatever they are. */
  boolean matches(String name) {
    int at = 0; // in the text
    int star = -1; // the last one that was passed
    int after = 0; // what it stands for ends here
    for (int i = 0; i < name.length(); ) {
      if (at < text.length() && text.charAt(at) == '*') {
        star = at++;
        after = i;
      } else if (at < text.length() && text.charAt(at) == name.charAt(i)) {
        at++;
        i++;
      } else if (star >= 0) {
        at = star + 1;
        i = ++after;
      } else {
        return false;
      }
    }
    while (at < text.length() && text.charAt(at) == '*') {
      at++;
    }
    return at == text.length();
  }

  @Override
  public String toString() {
    return text;
  }
}
