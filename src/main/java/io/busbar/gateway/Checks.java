package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import java.util.Set;

/**
 * Refuses what a client may not do: with what it knows of that is forbidden, all else is not there.
 */
final class Checks {
  private Checks() {}

  /** Fails where there is no such action. */
  static void action(Set<String> known, Bus.Question question) {
    if (!known.contains(question.action())) {
      throw Failure.BAD_REQUEST.because("unknown action `%s`", Names.shown(question.action()));
    }
  }

  /** Fails where the client may not do this with an instance of this name. */
  static void instance(Client client, String id, String operation) {
    if (!client.may(Subject.INSTANCES, id, operation)) {
      throw client.knows(Subject.INSTANCES, id)
          ? forbidden(operation, "instance `" + id + "`")
          : WasmException.noSuchInstance(id);
    }
  }

  /** Fails where there is nothing of the kind that the client may do this with. */
  static void any(Client client, Subject subject, String operation) {
    if (!client.mayWithAny(subject, operation)) {
      throw forbidden(operation, subject.key());
    }
  }

  static WasmException forbidden(String operation, String what) {
    return Failure.FORBIDDEN.because("`%s` of %s is not allowed", operation, what);
  }
}
