package io.busbar;

import static java.util.stream.Collectors.joining;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code busbar nodes}: the nodes of a cluster, and how they are. */
@Command(
    name = "nodes",
    description = "Prints the nodes that a running one knows, itself included.",
    mixinStandardHelpOptions = true)
final class NodesCommand implements Callable<Integer> {
  private static final long MIB = 1 << 20;

  @Mixin private ApiOptions options;

  @Override
  public Integer call() throws InterruptedException {
    return options.print(options.api(ApiOptions.SHORT).get("nodes"), NodesCommand::print);
  }

  private static void print(Api.Answer answer, PrintWriter out) {
    Table table = new Table("NODE", "STATE", "INSTANCES", "MEMORY", "LABELS");
    for (JsonObject node : answer.objects("nodes")) {
      table.row(
          Table.word(node.getValue("node")),
          state(node),
          Table.word(node.getValue("instances")),
          memory(node.getValue("memory")),
          labels(node.getValue("labels")));
    }
    table.print(out);
  }

  /** Whether it takes instances, and what is wrong with it. */
  private static String state(JsonObject node) {
    List<String> words = new ArrayList<>();
    words.add(open(node));
    for (String trouble : List.of("silent", "suspected")) {
      if (Boolean.TRUE.equals(node.getValue(trouble))) {
        words.add(trouble);
      }
    }
    if (Boolean.FALSE.equals(node.getValue("healthy"))) {
      words.add("unhealthy");
    }
    return String.join(",", words);
  }

  /** A node that is alone does not say that it is open. */
  private static String open(JsonObject node) {
    if (node.containsKey("state")) {
      return Table.word(node.getValue("state"));
    }
    return Boolean.FALSE.equals(node.getValue("open")) ? "closed" : "open";
  }

  private static String memory(Object memory) {
    return memory instanceof JsonObject bytes
            && bytes.getValue("reserved") instanceof Number reserved
            && bytes.getValue("limit") instanceof Number limit
        ? reserved.longValue() / MIB + " of " + limit.longValue() / MIB + " MiB"
        : Table.NOTHING;
  }

  /** But for its name, which is one of them. */
  private static String labels(Object labels) {
    if (!(labels instanceof JsonObject pairs)) {
      return Table.NOTHING;
    }
    String words =
        pairs.stream()
            .filter(pair -> !pair.getKey().equals("node"))
            .map(pair -> Printable.word(pair.getKey()) + "=" + Table.word(pair.getValue()))
            .sorted()
            .collect(joining(","));
    return words.isEmpty() ? Table.NOTHING : words;
  }
}
