package io.busbar.spec.text;

import java.util.ArrayList;
import java.util.List;

/** What is left of a list of terms. */
final class Cursor {
  private final List<Term> terms;
  private int at;

  Cursor(List<Term> terms) {
    this.terms = terms;
  }

  /** What comes after the first word of a parenthesis. */
  static Cursor inside(Term group) {
    List<Term> items = ((Term.Group) group).items();
    return new Cursor(items.subList(1, items.size()));
  }

  boolean hasMore() {
    return at < terms.size();
  }

  Term next() {
    if (!hasMore()) {
      throw new IllegalArgumentException("the text ends too early");
    }
    return terms.get(at++);
  }

  boolean nextIs(String word) {
    return hasMore() && terms.get(at).is(word);
  }

  /** Takes the next word if it is this one. */
  boolean take(String word) {
    boolean taken = nextIs(word);
    at += taken ? 1 : 0;
    return taken;
  }

  boolean nextStarts(String head) {
    return hasMore() && terms.get(at).starts(head);
  }

  boolean nextIsGroup() {
    return hasMore() && terms.get(at) instanceof Term.Group;
  }

  boolean nextIsQuoted() {
    return hasMore() && terms.get(at) instanceof Term.Quoted;
  }

  /** Whether a name or a number comes next. */
  boolean nextIsIndex() {
    return hasMore()
        && (terms.get(at).isName()
            || terms.get(at) instanceof Term.Word word && word.text().matches("[0-9].*"));
  }

  /** The next word if it starts so; else null, and it stays. */
  String takeWord(String prefix) {
    if (hasMore() && terms.get(at) instanceof Term.Word word && word.text().startsWith(prefix)) {
      at++;
      return word.text();
    }
    return null;
  }

  /** The name that comes next; null if none does. */
  String takeName() {
    return takeWord("$");
  }

  /** All the parentheses that start so and come next. */
  List<Term> takeGroups(String head) {
    List<Term> groups = new ArrayList<>();
    while (nextStarts(head)) {
      groups.add(next());
    }
    return groups;
  }

  String word() {
    if (next() instanceof Term.Word word) {
      return word.text();
    }
    throw new IllegalArgumentException("a word is missing");
  }

  byte[] quoted() {
    if (next() instanceof Term.Quoted quoted) {
      return quoted.bytes();
    }
    throw new IllegalArgumentException("a string is missing");
  }
}
