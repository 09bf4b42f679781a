package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import java.util.Set;

/** The part of {@link Access} that is about nodes: who may list or drain them. */
record NodeAccess(Bus bus, Costs costs) {
  private static final Set<String> ACTIONS = Set.of("list", "drain");

  /** Fails at once where the client may not. */
  Future<Body> ask(Client client, Bus.Question question) {
    Checks.action(ACTIONS, question);
    Checks.any(client, Subject.NODES, question.action());
    costs.take(client, question);
    return question.action().equals("list") ? list(client, question) : drain(client, question);
  }

  private Future<Body> list(Client client, Bus.Question question) {
    return askAnyNode(question).map(body -> Shown.nodes(client, body));
  }

  private Future<Body> drain(Client client, Bus.Question question) {
    String node = question.body().string("node");
    if (!client.mayWithOperators(Subject.NODES, node, "drain")) {
      throw Checks.forbidden("drain", "node `" + Names.shown(node) + "`");
    }
    return askAnyNode(question);
  }

  private Future<Body> askAnyNode(Bus.Question question) {
    return bus.ask(bus.addresses().nodes(), Questions.patient(question));
  }
}
