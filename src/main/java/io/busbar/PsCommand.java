package io.busbar;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code busbar ps}: the instances of all nodes, and where they live. */
@Command(
    name = "ps",
    description = "Prints the instances of a running node and of those it knows.",
    mixinStandardHelpOptions = true)
final class PsCommand implements Callable<Integer> {
  @Mixin private ApiOptions options;

  @Override
  public Integer call() throws InterruptedException {
    return options.print(options.api(ApiOptions.SHORT).get("instances"), PsCommand::print);
  }

  private static void print(Api.Answer answer, PrintWriter out) {
    List<JsonObject> instances =
        answer.objects("instances").stream()
            .sorted(Comparator.comparing(instance -> Table.word(instance.getValue("id"))))
            .toList();
    Table table = new Table("INSTANCE", "NODE", "STATE", "MODULE");
    for (JsonObject instance : instances) {
      table.row(
          Table.word(instance.getValue("id")),
          Table.word(instance.getValue("node")),
          state(instance),
          Table.word(instance.getValue("module")));
    }
    table.print(out);
  }

  /** One that can be called says nothing of its state. */
  private static String state(JsonObject instance) {
    if (instance.containsKey("state")) {
      return Table.word(instance.getValue("state"));
    }
    return instance.containsKey("parked") ? "parked" : "live";
  }
}
