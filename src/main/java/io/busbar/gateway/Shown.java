package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What a client is shown of an answer: nothing of what its rules do not let it know. */
final class Shown {
  private static final String LIST = "list";

  /** By which a client may use an export. */
  private static final Set<String> USES = Set.of("call", "invoke", "exists");

  private Shown() {}

  /** Of what an instance answers to this question. */
  static Future<Body> of(Client client, String id, Bus.Question question, Future<Body> answer) {
    return switch (question.action()) {
      case "exists" -> answer.map(body -> mayAskFor(client, id, question) ? body : absent());
      case "describe" -> answer.map(body -> described(client, id, body));
      default -> answer;
    };
  }

  private static boolean mayAskFor(Client client, String id, Bus.Question question) {
    return question
        .body()
        .optionalString("function")
        .filter(function -> client.mayUse(id, "exists", function))
        .isPresent();
  }

  private static Body absent() {
    return Body.of("exists", false);
  }

  /** Without the exports that the client may not call, and what others have called of them. */
  private static Body described(Client client, String id, Body instance) {
    boolean shared = client.tenant().isPresent() && !instance.has("user");
    Predicate<String> usable =
        export -> USES.stream().anyMatch(use -> client.mayUse(shared, id, use, export));
    Map<String, Object> fields = new LinkedHashMap<>(instance.fields());
    fields.computeIfPresent(
        "exports", (key, all) -> only(instance, key, export -> isUsable(export, usable)));
    fields.computeIfPresent(
        "recent", (key, all) -> only(instance, key, call -> isKnown(call, usable)));
    return Body.of(fields);
  }

  private static boolean isUsable(Body export, Predicate<String> usable) {
    return !"function".equals(export.value("kind")) || usable.test(export.string("name"));
  }

  private static boolean isKnown(Body call, Predicate<String> usable) {
    return call.optionalString("function").map(usable::test).orElse(true);
  }

  /** Of a list of instances. */
  static Body instances(Client client, Body answer) {
    return Body.of("instances", only(answer, "instances", item -> mayList(client, item)));
  }

  private static boolean mayList(Client client, Body instance) {
    String id = instance.string("id");
    return instance.has("user")
        ? client.mayWithOwn(Subject.INSTANCES, id, LIST)
        : client.mayWithOperators(Subject.INSTANCES, id, LIST);
  }

  /** Of a list of nodes. */
  static Body nodes(Client client, Body answer) {
    return Body.of(
        "nodes",
        only(
            answer,
            "nodes",
            item -> client.mayWithOperators(Subject.NODES, item.string("node"), LIST)));
  }

  /** Of a list of the tenant's own modules: those with a name, or a digest, that it may list. */
  static List<Object> ownModules(Client client, Body answer) {
    return modules(answer, name -> client.mayWithOwn(Subject.MODULES, name, LIST));
  }

  /** The same of a list with the operator's modules. */
  static List<Object> sharedModules(Client client, Body answer) {
    return modules(answer, name -> client.mayWithShared(Subject.MODULES, name, LIST));
  }

  private static List<Object> modules(Body answer, Predicate<String> wanted) {
    return only(answer, "modules", module -> names(module).anyMatch(wanted));
  }

  private static Stream<String> names(Body module) {
    Stream<String> tags = module.list("tags").stream().map(String::valueOf);
    return Stream.concat(Stream.of(module.string("module")), tags);
  }

  private static List<Object> only(Body answer, String key, Predicate<Body> wanted) {
    return answer.list(key).stream().filter(item -> wanted.test(answer.item(item))).toList();
  }
}
