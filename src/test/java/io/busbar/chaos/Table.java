package io.busbar.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The findings of trials of the same fault, side by side, as Markdown that is legible as it is. */
final class Table {
  private static final Path FILE = Path.of("target", "chaos.md");

  private final String title;
  private final Map<String, Map<String, String>> columns = new LinkedHashMap<>();
  private final List<String> examples = new ArrayList<>();

  Table(String title) {
    this.title = title;
  }

  /** One more column, and calls to tell below the table. */
  void add(String column, Map<String, String> rows, List<Call> calls) {
    columns.put(column, rows);
    for (Call call : calls) {
      examples.add(String.format("%s, %s: %s", column, call.outcome(), call));
    }
  }

  private String text() {
    Set<String> names = new LinkedHashSet<>();
    columns.values().forEach(rows -> names.addAll(rows.keySet()));
    List<List<String>> lines = new ArrayList<>();
    lines.add(line(title, new ArrayList<>(columns.keySet())));
    names.forEach(name -> lines.add(line(name, cells(name))));
    List<Integer> widths = widths(lines);
    StringBuilder text = new StringBuilder("\n");
    for (int i = 0; i < lines.size(); i++) {
      text.append(row(lines.get(i), widths));
      if (i == 0) {
        text.append(row(widths.stream().map("-"::repeat).toList(), widths));
      }
    }
    return text.append('\n').toString();
  }

  private static List<String> line(String name, List<String> cells) {
    List<String> line = new ArrayList<>(List.of(name));
    line.addAll(cells);
    return line;
  }

  private List<String> cells(String name) {
    return columns.values().stream().map(rows -> rows.getOrDefault(name, "")).toList();
  }

  private static List<Integer> widths(List<List<String>> lines) {
    List<Integer> widths = new ArrayList<>();
    for (int i = 0; i < lines.get(0).size(); i++) {
      int column = i;
      widths.add(lines.stream().mapToInt(line -> line.get(column).length()).max().orElse(0));
    }
    return widths;
  }

  private static String row(List<String> cells, List<Integer> widths) {
    StringBuilder row = new StringBuilder("|");
    for (int i = 0; i < cells.size(); i++) {
      row.append(String.format(" %-" + widths.get(i) + "s |", cells.get(i)));
    }
    return row.append('\n').toString();
  }

  /** Prints them all, and writes them to {@code target/chaos.md}. */
  static void publish(List<Table> tables) {
    StringBuilder all = new StringBuilder();
    for (Table table : tables) {
      all.append(table.text());
      table.examples.forEach(example -> all.append("* ").append(example).append('\n'));
    }
    System.out.println(all);
    try {
      Files.writeString(FILE, all);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
