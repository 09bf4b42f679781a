package io.busbar.model;

import java.util.regex.Pattern;

/** The rule for names that become part of addresses: instance ids, module names, versions. */
public final class Names {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final int SHOWN = 80;

  private Names() {}

  /** The name itself if it follows the rule; else fails with {@code BAD_REQUEST}, naming it. */
  public static String check(String what, String name) {
    if (!NAME.matcher(name).matches()) {
      throw Failure.BAD_REQUEST.because(
          "bad %s `%s`: 1 to 128 letters, digits, `.`, `_` or `-`, the first a letter or digit",
          what, shown(name));
    }
    return name;
  }

  /** A caller's text as an error may repeat it: one line, of bounded length. */
  public static String shown(String text) {
    String cut = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    return cut.replaceAll("\\p{Cntrl}", "?");
  }
}
