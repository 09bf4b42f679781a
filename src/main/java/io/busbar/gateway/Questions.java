package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import java.util.List;
import java.util.Optional;

/** Questions of clients as they go to the nodes: in whose name, and with how much patience. */
final class Questions {
  private Questions() {}

  /** In the name of the client's tenant, perhaps about what is the operator's too. */
  static Bus.Question as(Client client, boolean shared, Bus.Question question) {
    Optional<Bus.Question> asTenant = client.tenant().map(question::as);
    return shared
        ? asTenant.map(Bus.Question::withShared).orElse(question)
        : asTenant.orElse(question);
  }

  /**
   * As the rules about the tenant's own instances, or those about the operator's, admit it with all
   * exports it names; what neither admits is not there.
   */
  static Bus.Question as(Client client, String instance, Bus.Question question) {
    String action = question.action();
    List<String> exports = exports(question);
    boolean shared =
        client.mayWithShared(Subject.INSTANCES, instance, action)
            && exports.stream().allMatch(export -> client.mayUse(true, instance, action, export));
    if (!shared) {
      exports.forEach(export -> checkExport(client, instance, action, export));
    }
    return as(client, shared, question);
  }

  private static void checkExport(Client client, String instance, String action, String export) {
    if (!client.mayUse(false, instance, action, export)) {
      throw Failure.NO_SUCH_EXPORT.because("exported function `%s` not found", Names.shown(export));
    }
  }

  /** What a question wants to have called. */
  private static List<String> exports(Bus.Question question) {
    Body body = question.body();
    return switch (question.action()) {
      case "call", "invoke" -> function(body).map(List::of).orElse(List.of());
      case "calls" ->
          body.list("calls").stream().flatMap(call -> function(body.item(call)).stream()).toList();
      default -> List.of();
    };
  }

  private static Optional<String> function(Body call) {
    return call.optionalString("function");
  }

  /** Modules and starts take as long as compiling does. */
  static Bus.Question patient(Bus.Question question) {
    return question.timeout().isPresent() ? question : question.patient();
  }
}
