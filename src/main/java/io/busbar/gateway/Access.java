package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.Future;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Asks the bus in a client's name, and refuses what the client may not do: the one way from any
 * door of the gateway to the bus.
 *
 * <p>What is there but not for this client is answered like what is not there. The nodes look at
 * whose an instance or module is; here is looked at what the client may do with its name.
 */
final class Access {
  private static final System.Logger LOG = System.getLogger(Access.class.getName());
  private static final int LONGEST_ADDRESS = 256;

  private static final Set<String> ON_INSTANCE =
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

  /** In which no guest runs. */
  private static final Set<String> FREE =
      Set.of("cancel", "describe", "exists", "read-stdout", "write-stdin", "close-stdin");

  private static final Set<String> ON_NODES = Set.of("list", "drain");
  private static final Set<String> OF_FUNCTIONS = Set.of("call", "invoke", "exists");
  private static final Set<String> BY_ID = Set.of("stop", "update", "move", "fork");

  private final Bus bus;
  private final Addresses addresses;
  private final Quotas quotas;
  private final Specs specs;
  private final ModuleAccess modules;

  Access(Bus bus, Quotas quotas) {
    this.bus = bus;
    this.addresses = bus.addresses();
    this.quotas = quotas;
    this.specs = new Specs(quotas, addresses);
    this.modules = new ModuleAccess(bus, quotas, specs);
  }

  /** Asks at one of the addresses of the protocol that clients may ask at. */
  Future<Body> at(Client client, String address, Bus.Question question) {
    Optional<String> instance = instanceAt(address);
    if (instance.isPresent()) {
      return instance(client, instance.get(), question);
    } else if (address.equals(addresses.instances())) {
      return instances(client, question);
    } else if (address.equals(addresses.modules())) {
      return attempt(() -> modules.ask(client, question));
    } else if (address.equals(addresses.nodes())) {
      return nodes(client, question);
    }
    return Future.failedFuture(
        Failure.FORBIDDEN.because("nothing may be asked at `%s`", Names.shown(address)));
  }

  /** The instance whose own address this is; empty where it is none. */
  Optional<String> instanceAt(String address) {
    String own = addresses.instance("");
    return address.startsWith(own)
        ? Optional.of(address.substring(own.length()))
        : Optional.empty();
  }

  /** Asks the instance that waits for an answer of this client. */
  Future<Body> caller(Client client, String id, Bus.Origin origin, Bus.Question question) {
    return attempt(
            () -> {
              checkAction(ON_INSTANCE, question);
              checkMay(client, id, question.action());
              Bus.Question asked = scoped(client, id, question).from(Optional.of(origin));
              takeCalls(client, question);
              return bus.askCaller(origin.caller(), metered(client, asked));
            })
        .map(body -> seen(client, id, question, body));
  }

  /** Nobody waits for what a client has asked there any more; what runs already goes on. */
  void abandon(Client client, String id, String operation) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", operation);
    fields.put("queued", true);
    Bus.Question cancel = Bus.Question.of("cancel", Body.of(fields));
    bus.askInstance(id, scoped(client, true, cancel)) // whoever's it is, the operation is its own
        .onFailure(e -> LOG.log(System.Logger.Level.DEBUG, "not cancelled: {0}", e));
  }

  /** Fails where the client may not answer this import. */
  void checkServes(Client client, String address) {
    if (address.isEmpty()
        || address.length() > LONGEST_ADDRESS
        || addresses.isOwn(address)
        || address.startsWith("__vertx")) {
      throw Failure.BAD_REQUEST.because("bad import `%s`", Names.shown(address));
    }
    if (!client.mayWithOwn(Subject.IMPORTS, address, "serve")) {
      throw forbidden("serve", "import `" + Names.shown(address) + "`");
    }
  }

  /** Asks one instance. */
  Future<Body> instance(Client client, String id, Bus.Question question) {
    return attempt(
            () -> {
              Names.check("instance id", id);
              checkAction(ON_INSTANCE, question);
              checkMay(client, id, question.action());
              Bus.Question asked = scoped(client, id, question);
              takeCalls(client, question);
              return ask(client, id, asked);
            })
        .map(body -> seen(client, id, question, body))
        .recover(e -> Future.failedFuture(told(id, e)));
  }

  /** What changes where and whether it is, is asked at the common address. */
  private Future<Body> ask(Client client, String id, Bus.Question question) {
    if (!BY_ID.contains(question.action())) {
      return bus.askInstance(id, metered(client, question));
    }
    Map<String, Object> fields = new LinkedHashMap<>(question.body().fields());
    fields.put("id", id);
    return bus.ask(addresses.instances(), patient(question.withBody(Body.of(fields))));
  }

  private static Future<Body> attempt(Supplier<Future<Body>> asking) {
    try {
      return asking.get();
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  static void checkAction(Set<String> known, Bus.Question question) {
    if (!known.contains(question.action())) {
      throw Failure.BAD_REQUEST.because("unknown action `%s`", Names.shown(question.action()));
    }
  }

  static void checkMay(Client client, String id, String operation) {
    if (!client.may(Subject.INSTANCES, id, operation)) {
      throw client.knows(Subject.INSTANCES, id)
          ? forbidden(operation, "instance `" + id + "`")
          : WasmException.noSuchInstance(id);
    }
  }

  static WasmException forbidden(String operation, String what) {
    return Failure.FORBIDDEN.because("`%s` of %s is not allowed", operation, what);
  }

  /**
   * As the rules about the tenant's own instances, or those about the operator's, admit it with all
   * exports it names; what neither admits is not there.
   */
  private static Bus.Question scoped(Client client, String id, Bus.Question question) {
    String action = question.action();
    List<String> exports = exports(question);
    boolean shared =
        client.mayWithShared(Subject.INSTANCES, id, action)
            && exports.stream().allMatch(export -> client.mayUse(true, id, action, export));
    if (!shared) {
      exports.forEach(export -> checkExport(client, id, action, export));
    }
    return scoped(client, shared, question);
  }

  private static void checkExport(Client client, String id, String action, String export) {
    if (!client.mayUse(false, id, action, export)) {
      throw Failure.NO_SUCH_EXPORT.because("exported function `%s` not found", Names.shown(export));
    }
  }

  /** What a question wants to have called. */
  private static List<String> exports(Bus.Question question) {
    Body body = question.body();
    Stream<Body> calls =
        switch (question.action()) {
          case "call", "invoke" -> Stream.of(body);
          case "calls" -> body.list("calls").stream().map(body::item);
          default -> Stream.of();
        };
    return calls.flatMap(call -> call.optionalString("function").stream()).toList();
  }

  /** What stops an operation is never too much. */
  private void takeCalls(Client client, Bus.Question question) {
    if (!question.action().equals("cancel")) {
      quotas.takeCalls(client, calls(question));
    }
  }

  private static int calls(Bus.Question question) {
    return question.action().equals("calls")
        ? Math.max(1, question.body().list("calls").size())
        : 1;
  }

  static Bus.Question scoped(Client client, boolean shared, Bus.Question question) {
    Optional<Bus.Question> asTenant = client.tenant().map(question::as);
    return shared
        ? asTenant.map(Bus.Question::withShared).orElse(question)
        : asTenant.orElse(question);
  }

  private Bus.Question metered(Client client, Bus.Question question) {
    if (FREE.contains(question.action())) {
      return question;
    }
    return question
        .withFuel(quotas.fuel(client, question.fuel()))
        .spending(
            spent -> {
              quotas.used(client, spent);
              question.spending().accept(spent);
            });
  }

  /** Of what an instance says of itself, what this client may know. */
  private static Body seen(Client client, String id, Bus.Question question, Body answer) {
    if (question.action().equals("exists")) {
      boolean isThere =
          question
              .body()
              .optionalString("function")
              .filter(function -> client.mayUse(id, "exists", function))
              .isPresent();
      return isThere ? answer : Body.of("exists", false);
    }
    return question.action().equals("describe") ? described(client, id, answer) : answer;
  }

  /** Without the exports that the client may not call, and what others have called of them. */
  private static Body described(Client client, String id, Body answer) {
    boolean shared = client.tenant().isPresent() && !answer.has("user");
    Map<String, Object> fields = new LinkedHashMap<>(answer.fields());
    fields.computeIfPresent(
        "exports", (key, all) -> only(answer, key, item -> isFor(client, shared, id, item)));
    fields.computeIfPresent(
        "recent", (key, all) -> only(answer, key, item -> mayKnow(client, shared, id, item)));
    return Body.of(fields);
  }

  private static List<Object> only(Body answer, String key, Predicate<Body> wanted) {
    return answer.list(key).stream().filter(item -> wanted.test(answer.item(item))).toList();
  }

  private static boolean isFor(Client client, boolean shared, String id, Body export) {
    return !"function".equals(export.value("kind"))
        || mayUse(client, shared, id, export.string("name"));
  }

  private static boolean mayKnow(Client client, boolean shared, String id, Body recent) {
    return recent
        .optionalString("function")
        .map(function -> mayUse(client, shared, id, function))
        .orElse(true);
  }

  private static boolean mayUse(Client client, boolean shared, String id, String function) {
    return OF_FUNCTIONS.stream()
        .anyMatch(operation -> client.mayUse(shared, id, operation, function));
  }

  /** The same words whether it is absent, another's, or on which node it was looked for. */
  private static Throwable told(String id, Throwable thrown) {
    WasmException failure = Failures.from(thrown);
    return failure.failure() == Failure.NO_SUCH_INSTANCE
        ? WasmException.noSuchInstance(id).with("instance", id)
        : failure;
  }

  /** Starts, lists, or what names an instance in its body. */
  Future<Body> instances(Client client, Bus.Question question) {
    String action = question.action();
    if (BY_ID.contains(action) || action.equals("describe")) {
      return attempt(() -> instance(client, question.body().string("id"), question));
    }
    return attempt(
        () -> {
          checkAction(Set.of("start", "list"), question);
          quotas.takeCalls(client, 1);
          return action.equals("start") ? start(client, question) : list(client, question);
        });
  }

  private Future<Body> start(Client client, Bus.Question question) {
    Map<String, Object> fields = new LinkedHashMap<>(question.body().fields());
    fields.computeIfAbsent("id", none -> UUID.randomUUID().toString());
    Body named = Body.of(fields);
    String id = Names.check("instance id", named.string("id"));
    if (!client.mayWithOwn(Subject.INSTANCES, id, "start")) {
      throw forbidden("start", "instance `" + id + "`");
    }
    Specs.Asked asked = specs.check(client, named);
    Bus.Question start =
        metered(client, scoped(client, asked.shared(), question.withBody(asked.body())));
    return bus.ask(addresses.instances(), patient(start));
  }

  /** Modules and starts take as long as compiling does. */
  static Bus.Question patient(Bus.Question question) {
    return question.timeout().isPresent() ? question : question.patient();
  }

  private Future<Body> list(Client client, Bus.Question question) {
    checkMayWithAny(client, Subject.INSTANCES, "list");
    boolean shared = client.mayWithAnyShared(Subject.INSTANCES, "list");
    return bus.ask(addresses.instances(), patient(scoped(client, shared, question)))
        .map(body -> Body.of("instances", only(body, "instances", item -> mayList(client, item))));
  }

  static void checkMayWithAny(Client client, Subject subject, String operation) {
    if (!client.mayWithAny(subject, operation)) {
      throw forbidden(operation, subject.key());
    }
  }

  private static boolean mayList(Client client, Body instance) {
    String id = instance.string("id");
    return instance.has("user")
        ? client.mayWithOwn(Subject.INSTANCES, id, "list")
        : client.mayWithOperators(Subject.INSTANCES, id, "list");
  }

  /** Lists or drains nodes. */
  Future<Body> nodes(Client client, Bus.Question question) {
    return attempt(
        () -> {
          checkAction(ON_NODES, question);
          checkMayWithAny(client, Subject.NODES, question.action());
          quotas.takeCalls(client, 1);
          if (question.action().equals("list")) {
            return bus.ask(addresses.nodes(), patient(question))
                .map(
                    body ->
                        Body.of(
                            "nodes",
                            only(
                                body,
                                "nodes",
                                item ->
                                    client.mayWithOperators(
                                        Subject.NODES, item.string("node"), "list"))));
          }
          String node = question.body().string("node");
          if (!client.mayWithOperators(Subject.NODES, node, "drain")) {
            throw forbidden("drain", "node `" + Names.shown(node) + "`");
          }
          return bus.ask(addresses.nodes(), patient(question));
        });
  }
}
