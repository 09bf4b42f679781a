package io.busbar;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Words in rows, printed in columns as wide as their widest word. */
final class Table {
  static final String NOTHING = "-";

  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();

  Table(String... heads) {
    row(heads);
  }

  /** A value of an answer as a word; {@code -} where it is missing or more than a word. */
  static String word(Object value) {
    return value instanceof String || value instanceof Number
        ? Printable.word(value.toString())
        : NOTHING;
  }

  /** As many words as there are heads. */
  Table row(String... words) {
    rows.add(List.of(words));
    return this;
  }

  void print(PrintWriter out) {
    int[] widths = IntStream.range(0, rows.get(0).size()).map(this::width).toArray();
    rows.forEach(row -> out.println(line(row, widths)));
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> length(row.get(column))).max().orElse(0);
  }

  private static int length(String word) {
    return word.codePointCount(0, word.length());
  }

  private static String line(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.size(); i++) {
      line.append(row.get(i)).append(" ".repeat(widths[i] - length(row.get(i)))).append(GAP);
    }
    return line.toString().stripTrailing();
  }
}
