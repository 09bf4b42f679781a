package io.busbar;

import io.busbar.model.Names;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code busbar drain}: moves every instance of a node to others, before it is stopped. */
@Command(
    name = "drain",
    description = "Has a node take no more instances and moves those it has to the others.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit codes: 0 done, 1 no node answers, 2 usage, 3 refused: no such node, or instances whose",
      "memory would be lost, 6 time is over; what was moved by then stays where it is."
    })
final class DrainCommand implements Callable<Integer> {
  @Mixin private ApiOptions options;

  @Option(
      names = "--fresh",
      description = "Also those whose memory is lost by that: they start anew elsewhere.")
  private boolean fresh;

  @Parameters(paramLabel = "NODE", description = "Its name, as `busbar nodes` prints it.")
  private String node;

  @Override
  public Integer call() throws InterruptedException {
    Names.check("node", node);
    Api api = options.api(ApiOptions.LONG);
    JsonObject body = new JsonObject().put("fresh", fresh);
    return options.print(api.post(body, "nodes", node, "drain"), this::print);
  }

  private void print(Api.Answer answer, PrintWriter out) {
    JsonArray moved = answer.list("moved");
    JsonArray anew = answer.list("fresh");
    out.printf(
        "%s is drained: %d instances moved, %d of them fresh%n", node, moved.size(), anew.size());
  }
}
