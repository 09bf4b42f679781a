package io.busbar.spec.text;

import java.util.ArrayList;
import java.util.List;

/**
 * What an element segment holds.
 *
 * @param type of its expressions; null where they are indices of functions
 */
record Elements(Binary type, List<Binary> items) {
  int size() {
    return items.size();
  }

  /** What stands in a table after {@code elem}: functions, or expressions of the table's type. */
  static Elements inline(Spaces spaces, Binary type, Cursor cursor) {
    List<Binary> items = new ArrayList<>();
    while (cursor.nextIsIndex()) {
      items.add(new Binary().add(0xd2).add(function(spaces, cursor)).add(0x0b));
    }
    items.addAll(expressions(spaces, cursor));
    return new Elements(type, items);
  }

  private static Binary function(Spaces spaces, Cursor cursor) {
    return new Binary().count(spaces.functions().index(cursor.word()));
  }

  private static List<Binary> expressions(Spaces spaces, Cursor cursor) {
    List<Binary> expressions = new ArrayList<>();
    while (cursor.hasMore()) {
      expressions.add(offset(spaces, cursor.next()));
    }
    return expressions;
  }

  /** {@code (offset …)}, {@code (item …)}, or a single folded instruction. */
  static Binary offset(Spaces spaces, Term term) {
    boolean wrapped = term.starts("offset") || term.starts("item");
    return Code.constant(spaces, wrapped ? Cursor.inside(term) : new Cursor(List.of(term)));
  }

  /** From the start of a table, as a table's own elements are. */
  Binary active(int table, boolean wide) {
    return encoded(2, table, new Binary().add(wide ? 0x42 : 0x41, 0, 0x0b));
  }

  static Binary segment(Spaces spaces, Cursor cursor) {
    if (cursor.take("declare")) {
      return list(spaces, cursor).encoded(3, 0, new Binary());
    }
    int table = 0;
    boolean named = cursor.nextStarts("table");
    if (named) {
      table = spaces.tables().index(Cursor.inside(cursor.next()).word());
    } else if (cursor.nextIsIndex()) {
      table = spaces.tables().index(cursor.word()); // a short form of old
      named = true;
    }
    boolean active = named || cursor.nextIsGroup() && !cursor.nextStarts("ref");
    if (!active) {
      return list(spaces, cursor).encoded(1, 0, new Binary());
    }
    Binary offset = offset(spaces, cursor.next());
    return list(spaces, cursor).encoded(2, table, offset);
  }

  private static Elements list(Spaces spaces, Cursor cursor) {
    if (cursor.take("func") || cursor.nextIsIndex() || !cursor.hasMore()) {
      List<Binary> functions = new ArrayList<>();
      while (cursor.hasMore()) {
        functions.add(function(spaces, cursor));
      }
      return new Elements(null, functions);
    }
    Binary type = spaces.types().value(cursor.next());
    return new Elements(type, expressions(spaces, cursor));
  }

  private Binary encoded(int flags, int table, Binary offset) {
    Binary segment = new Binary().add(type == null ? flags : flags | 4);
    if ((flags & 1) == 0) {
      segment.count(table).add(offset);
    }
    return segment.add(type == null ? new Binary().add(0) : type).list(items);
  }
}
