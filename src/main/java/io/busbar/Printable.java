package io.busbar;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What others wrote, as a terminal may get it: no character in it moves the cursor, changes colours
 * or turns the direction of the text.
 */
final class Printable {
  /** Control and format characters, and what separates lines. */
  private static final Pattern UNSEEN = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]");

  /** The same but for the blanks between JSON's tokens. */
  private static final Pattern UNSEEN_IN_JSON =
      Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}&&[^\\n\\t]]");

  private static final int LONGEST = 4000;

  private Printable() {}

  /** On one line, of bounded length. */
  static String line(String text) {
    String cut = text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
    return word(cut.strip().replaceAll("\\s*\\R\\s*", " | "));
  }

  /** The same length, with a {@code ?} for each character that is not to be seen. */
  static String word(String text) {
    return UNSEEN.matcher(text).replaceAll("?");
  }

  /** The same JSON, with escapes for characters that are not to be seen. */
  static String json(String text) {
    return UNSEEN_IN_JSON
        .matcher(text.replace('\r', ' ')) // outside of strings, or it would not be JSON
        .replaceAll(found -> Matcher.quoteReplacement(escaped(found.group())));
  }

  private static String escaped(String character) {
    StringBuilder escapes = new StringBuilder();
    character.chars().forEach(unit -> escapes.append(String.format("\\u%04x", unit)));
    return escapes.toString();
  }
}
