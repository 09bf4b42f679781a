package io.busbar.model;

/** The rule for names that become part of addresses: instance ids, module names, versions. */
public final class Names {
  private static final int LONGEST = 128;
  private static final int SHOWN = 80;

  private Names() {}

  /** The name itself if it follows the rule; else fails with {@code BAD_REQUEST}, naming it. */
  public static String check(String what, String name) {
    if (!isName(name)) {
      throw Failure.BAD_REQUEST.because(
          "bad %s `%s`: 1 to 128 letters, digits, `.`, `_` or `-`, the first a letter or digit",
          what, shown(name));
    }
    return name;
  }

  private static boolean isName(String text) {
    if (text.isEmpty() || text.length() > LONGEST || !isLetterOrDigit(text.charAt(0))) {
      return false;
    }
    for (int i = 1; i < text.length(); i++) { // for each call: a pattern would take longer
      char c = text.charAt(i);
      if (!isLetterOrDigit(c) && c != '.' && c != '_' && c != '-') {
        return false;
      }
    }
    return true;
  }

  private static boolean isLetterOrDigit(char c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
  }

  /** A caller's text as an error may repeat it: one line, of bounded length. */
  public static String shown(String text) {
    String cut = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    return cut.replaceAll("\\p{Cntrl}", "?");
  }
}
