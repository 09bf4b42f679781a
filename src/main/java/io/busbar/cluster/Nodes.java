package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Answers for the nodes: what each says of itself, and that one is to be drained. */
final class Nodes {
  private static final long NODE_MILLIS = 1000;

  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Bus bus;

  Nodes(Members members, Directory directory, Pulse pulse, Bus bus) {
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.bus = bus;
  }

  Future<Body> handle(Ask ask) {
    return switch (ask.action()) {
      case "list" -> list();
      case "drain" -> drain(ask, Names.check("node", ask.body().string("node")));
      default -> throw ask.unknownAction();
    };
  }

  private Future<Body> drain(Ask ask, String node) {
    if (!members.names().contains(node)) {
      throw Failure.BAD_REQUEST.because("node `%s` is not in the cluster", node);
    }
    DeliveryOptions options = ask.onward().setSendTimeout(Bus.patience(ask.remaining()).toMillis());
    return bus.askNode(node, ask.body(), options).map(ask::answeredBy);
  }

  private Future<Body> list() {
    List<Future<Map<String, Object>>> nodes =
        members.nodes().entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(node -> about(node.getKey(), node.getValue()))
            .toList();
    return Future.all(nodes)
        .map(all -> Body.of("nodes", nodes.stream().<Object>map(Future::result).toList()));
  }

  private Future<Map<String, Object>> about(String node, Map<String, String> labels) {
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "node")
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .setSendTimeout(NODE_MILLIS);
    return bus.askNode(node, Body.EMPTY, options)
        .map(reply -> new LinkedHashMap<>(Failures.answer(reply).fields()))
        .otherwise(e -> silent(node))
        .map(fields -> seen(fields, node, labels));
  }

  private static LinkedHashMap<String, Object> silent(String node) {
    LinkedHashMap<String, Object> fields = new LinkedHashMap<>();
    fields.put("node", node);
    fields.put("silent", true);
    return fields;
  }

  /** And what this node knows of it. */
  private Map<String, Object> seen(
      Map<String, Object> fields, String node, Map<String, String> labels) {
    String state = directory.stateOf(node).orElse("joining");
    fields.put("state", pulse.isSuspected(node) ? "silent" : state);
    fields.put("open", state.equals(Directory.OPEN));
    fields.put("labels", labels);
    return fields;
  }
}
