package io.busbar;

import io.busbar.model.Names;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code busbar move}: moves one instance to another node. */
@Command(
    name = "move",
    description = "Moves an instance to another node.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit codes: 0 done, 1 no node answers, 2 usage, 3 refused: no such instance or node, or its",
      "memory would be lost, 6 time is over."
    })
final class MoveCommand implements Callable<Integer> {
  @Mixin private ApiOptions options;

  @Option(names = "--fresh", description = "Even if its memory is lost by that.")
  private boolean fresh;

  @Parameters(
      index = "0",
      paramLabel = "INSTANCE",
      description = "Its id, as `busbar ps` prints it.")
  private String instance;

  @Parameters(index = "1", paramLabel = "NODE", description = "Where it is to live.")
  private String node;

  @Override
  public Integer call() throws InterruptedException {
    Names.check("instance id", instance);
    Names.check("node", node);
    Api api = options.api(ApiOptions.LONG);
    JsonObject body = new JsonObject().put("node", node).put("fresh", fresh);
    return options.print(api.post(body, "instances", instance, "move"), MoveCommand::print);
  }

  private static void print(Api.Answer answer, PrintWriter out) {
    JsonObject moved = answer.fields();
    out.printf(
        "%s is on %s, epoch %s%s%n",
        Table.word(moved.getValue("id")),
        Table.word(moved.getValue("node")),
        Table.word(moved.getValue("epoch")),
        Boolean.TRUE.equals(moved.getValue("fresh")) ? ", fresh" : "");
  }
}
