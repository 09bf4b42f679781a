package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The part of {@link Access} that is about modules: by which name what may be done. */
final class ModuleAccess {
  private static final Set<String> ACTIONS =
      Set.of("put", "get", "list", "describe", "tag", "remove");
  private static final Set<String> NAMING = Set.of("put", "tag");

  private final Bus bus;
  private final Costs costs;
  private final Specs specs;

  ModuleAccess(Bus bus, Costs costs, Specs specs) {
    this.bus = bus;
    this.costs = costs;
    this.specs = specs;
  }

  /** Fails at once where the client may not. */
  Future<Body> ask(Client client, Bus.Question question) {
    Checks.action(ACTIONS, question);
    if (question.action().equals("list")) {
      return list(client, question);
    }
    String action = question.action();
    if (NAMING.contains(action)) { // what is named, or put, is the tenant's own
      checkNew(client, action, name(question));
    }
    if (!action.equals("put")) {
      specs.checkModule(client, action, question.body().string("module"));
    }
    costs.take(client, question);
    boolean shared =
        !action.equals("put")
            && client.mayWithShared(Subject.MODULES, question.body().string("module"), action);
    return ask(client, shared, question);
  }

  private void checkNew(Client client, String action, String name) {
    specs.checkModule(client, action, name);
    if (!client.mayWithOwn(Subject.MODULES, name, action)) {
      throw Checks.forbidden(action, "module `" + Names.shown(name) + "`");
    }
  }

  private Future<Body> ask(Client client, boolean shared, Bus.Question question) {
    return bus.ask(
        bus.addresses().modules(), Questions.patient(Questions.as(client, shared, question)));
  }

  /** The name that a module gets; one that is put without has none. */
  private static String name(Bus.Question question) {
    Body body = question.body();
    String version = body.optionalString("version").map(text -> ":" + text).orElse("");
    return body.optionalString("name").map(name -> name + version).orElse("");
  }

  /** The tenant's own, and then those of the operator that are shared with it. */
  private Future<Body> list(Client client, Bus.Question question) {
    Checks.any(client, Subject.MODULES, "list");
    costs.take(client, question);
    Future<List<Object>> own =
        ask(client, false, question).map(body -> Shown.ownModules(client, body));
    if (!client.mayWithAnyShared(Subject.MODULES, "list")) {
      return own.map(ModuleAccess::answer);
    }
    return own.compose(
        first ->
            ask(client, true, question)
                .map(body -> Shown.sharedModules(client, body))
                .map(all -> answer(Stream.concat(first.stream(), others(all, first)).toList())));
  }

  private static Body answer(List<Object> modules) {
    return Body.of("modules", modules);
  }

  private static Stream<Object> others(List<Object> all, List<Object> known) {
    Set<Object> digests =
        known.stream().map(ModuleAccess::digest).collect(Collectors.toUnmodifiableSet());
    return all.stream().filter(module -> !digests.contains(digest(module)));
  }

  private static Object digest(Object module) {
    return Body.EMPTY.item(module).value("module");
  }
}
