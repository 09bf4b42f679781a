package io.busbar.gateway;

import io.busbar.gateway.Rule.Subject;
import java.time.Instant;
import java.util.Optional;

/**
 * Who asks, as its token or key says.
 *
 * @param tenant whose instances and modules it sees; empty: the operator, who sees all
 * @param name for logs
 * @param expires when it is nobody any more
 */
record Client(
    Optional<String> tenant, String name, Permissions permissions, Optional<Instant> expires) {
  /** Whoever reaches a gateway whose door is open. */
  static final Client ANYONE =
      new Client(Optional.empty(), "anyone", Permissions.ALL, Optional.empty());

  /** Whether it may do this with something of this name, be it its tenant's or the operator's. */
  boolean may(Subject subject, String name, String operation) {
    return permissions.any(rule -> rule.isAbout(subject, name) && rule.admits(operation));
  }

  /** The same with what is the tenant's own. */
  boolean mayWithOwn(Subject subject, String name, String operation) {
    return permissions.any(
        rule -> isOwn(rule) && rule.isAbout(subject, name) && rule.admits(operation));
  }

  /** The same with what is the operator's. */
  boolean mayWithShared(Subject subject, String name, String operation) {
    return permissions.any(
        rule -> rule.shared() && rule.isAbout(subject, name) && rule.admits(operation));
  }

  /** The same with what can only be the operator's. */
  boolean mayWithOperators(Subject subject, String name, String operation) {
    return tenant.isEmpty()
        ? mayWithOwn(subject, name, operation)
        : mayWithShared(subject, name, operation);
  }

  private boolean isOwn(Rule rule) {
    return tenant.isEmpty() || !rule.shared();
  }

  /** Whether some rule is about something of this name: it may be told that it is forbidden. */
  boolean knows(Subject subject, String name) {
    return permissions.any(rule -> rule.isAbout(subject, name));
  }

  /** Whether there is anything of the kind that it may do this with. */
  boolean mayWithAny(Subject subject, String operation) {
    return permissions.any(rule -> rule.subject() == subject && rule.admits(operation));
  }

  /** Whether there is anything of the operator's that it may do this with. */
  boolean mayWithAnyShared(Subject subject, String operation) {
    return permissions.any(
        rule -> rule.shared() && rule.subject() == subject && rule.admits(operation));
  }

  /**
   * Whether it may call, or ask for, this export of an instance.
   *
   * @param shared whether the instance is the operator's
   */
  boolean mayUse(boolean shared, String instance, String operation, String export) {
    return permissions.any(
        rule ->
            (shared ? rule.shared() : isOwn(rule))
                && rule.isAbout(Subject.INSTANCES, instance)
                && rule.admits(operation)
                && rule.admitsFunction(export));
  }

  /** The same whoever's it is. */
  boolean mayUse(String instance, String operation, String export) {
    return mayUse(false, instance, operation, export) || mayUse(true, instance, operation, export);
  }

  boolean isExpired() {
    return expires.filter(end -> end.isBefore(Instant.now())).isPresent();
  }
}
