package io.busbar.spec.text;

import java.util.List;

/** A piece of wasm text: a word, a string or a parenthesis, and the bytes it was read from. */
public sealed interface Term {
  /** The first byte of it in the source. */
  int start();

  /** The byte after its last one. */
  int end();

  /** A keyword, name or number. */
  record Word(String text, int start, int end) implements Term {}

  /** What stands between quotation marks, without its escapes. */
  record Quoted(byte[] bytes, int start, int end) implements Term {}

  /** What stands between parentheses. */
  record Group(List<Term> items, int start, int end) implements Term {
    /** The word it starts with; empty if it does not start with one. */
    public String head() {
      return !items.isEmpty() && items.get(0) instanceof Word word ? word.text() : "";
    }
  }

  /** Whether it is this word. */
  default boolean is(String text) {
    return this instanceof Word word && word.text().equals(text);
  }

  /** Whether it is a parenthesis that starts with this word. */
  default boolean starts(String head) {
    return this instanceof Group group && group.head().equals(head);
  }

  /** Whether it is a name such as {@code $f}. */
  default boolean isName() {
    return this instanceof Word word && word.text().startsWith("$");
  }
}
