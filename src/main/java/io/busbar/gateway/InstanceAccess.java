package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** The part of {@link Access} that is about instances: by which name what may be done. */
final class InstanceAccess {
  private static final System.Logger LOG = System.getLogger(InstanceAccess.class.getName());

  private static final Set<String> ACTIONS = Set.of("start", "list");

  private static final Set<String> ON_ONE =
      Set.of(
          "call",
          "calls",
          "cancel",
          "close-stdin",
          "describe",
          "exists",
          "fork",
          "get-fuel",
          "get-global",
          "grow-memory",
          "invoke",
          "memory",
          "move",
          "read-file",
          "read-memory",
          "read-stdout",
          "restore",
          "set-fuel",
          "set-global",
          "snapshot",
          "stop",
          "update",
          "write-memory",
          "write-stdin");

  /** What changes where and whether an instance is, is asked at the common address. */
  private static final Set<String> BY_ID = Set.of("stop", "update", "move", "fork");

  private final Bus bus;
  private final Costs costs;
  private final Specs specs;

  InstanceAccess(Bus bus, Costs costs, Specs specs) {
    this.bus = bus;
    this.costs = costs;
    this.specs = specs;
  }

  /** Asks one instance; fails at once where the client may not. */
  Future<Body> ask(Client client, String id, Bus.Question question) {
    Names.check("instance id", id);
    Bus.Question asked = admitted(client, id, question);
    Future<Body> answer =
        BY_ID.contains(question.action())
            ? askAnyNode(naming(id, asked))
            : bus.askInstance(id, costs.metered(client, asked));
    return Shown.of(client, id, question, answer);
  }

  private static Bus.Question naming(String id, Bus.Question question) {
    Map<String, Object> fields = new LinkedHashMap<>(question.body().fields());
    fields.put("id", id);
    return question.withBody(Body.of(fields));
  }

  /** The same of the one that waits for an answer of this client. */
  Future<Body> askCaller(Client client, String id, Bus.Origin origin, Bus.Question question) {
    Bus.Question asked = admitted(client, id, question).from(Optional.of(origin));
    Future<Body> answer = bus.askCaller(origin.caller(), costs.metered(client, asked));
    return Shown.of(client, id, question, answer);
  }

  /** As it goes to an instance, where the client may ask it that. */
  private Bus.Question admitted(Client client, String id, Bus.Question question) {
    Checks.action(ON_ONE, question);
    Checks.instance(client, id, question.action());
    Bus.Question asked = Questions.as(client, id, question);
    costs.take(client, question);
    return asked;
  }

  /** Nobody waits for what a client has asked there any more; what runs already goes on. */
  void abandon(Client client, String id, String operation) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", operation);
    fields.put("queued", true);
    Bus.Question cancel = Bus.Question.of("cancel", Body.of(fields));
    bus.askInstance(id, Questions.as(client, true, cancel)) // whoever's: the operation is its own
        .onFailure(e -> LOG.log(System.Logger.Level.DEBUG, "not cancelled: {0}", e));
  }

  /** Whether what is asked at the common address is asked of the instance that its body names. */
  static boolean isOfOne(Bus.Question question) {
    return BY_ID.contains(question.action()) || question.action().equals("describe");
  }

  /** Starts or lists; fails at once where the client may not. */
  Future<Body> ask(Client client, Bus.Question question) {
    Checks.action(ACTIONS, question);
    costs.take(client, question);
    return question.action().equals("start") ? start(client, question) : list(client, question);
  }

  private Future<Body> start(Client client, Bus.Question question) {
    Map<String, Object> fields = new LinkedHashMap<>(question.body().fields());
    fields.computeIfAbsent("id", none -> UUID.randomUUID().toString());
    Body named = Body.of(fields);
    String id = Names.check("instance id", named.string("id"));
    if (!client.mayWithOwn(Subject.INSTANCES, id, "start")) {
      throw Checks.forbidden("start", "instance `" + id + "`");
    }
    Specs.Asked asked = specs.check(client, named);
    Bus.Question start = Questions.as(client, asked.shared(), question.withBody(asked.body()));
    return askAnyNode(costs.metered(client, start));
  }

  private Future<Body> list(Client client, Bus.Question question) {
    Checks.any(client, Subject.INSTANCES, "list");
    boolean shared = client.mayWithAnyShared(Subject.INSTANCES, "list");
    return askAnyNode(Questions.as(client, shared, question))
        .map(body -> Shown.instances(client, body));
  }

  private Future<Body> askAnyNode(Bus.Question question) {
    return bus.ask(bus.addresses().instances(), Questions.patient(question));
  }
}
