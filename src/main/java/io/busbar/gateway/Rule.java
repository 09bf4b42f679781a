package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * One thing that clients may do: some operations on what has such names.
 *
 * @param subject what it is about
 * @param names of instances, modules, imports, nodes or events
 * @param shared whether it is about the operator's instead of the tenant's own
 * @param operations their names in the protocol
 * @param functions the exports that may be called
 */
record Rule(
    Subject subject,
    List<Glob> names,
    boolean shared,
    List<Glob> operations,
    List<Glob> functions) {

  /** What a rule can be about; in JSON its name is the key of the patterns. */
  enum Subject {
    INSTANCES,
    MODULES,
    IMPORTS,
    NODES,
    EVENTS;

    String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final List<Glob> ANY = List.of(Glob.of("any", "*"));

  private static final String OPERATIONS = "operations";
  private static final String FUNCTIONS = "functions";
  private static final String SHARED = "shared";
  private static final Set<String> MORE = Set.of(OPERATIONS, FUNCTIONS, SHARED);

  /** From a token or the configuration; fails with {@code BAD_REQUEST}, naming the key. */
  static Rule from(Body json) {
    Subject subject = subject(json);
    json.fields().keySet().stream()
        .filter(key -> !key.equals(subject.key()) && !MORE.contains(key))
        .findFirst()
        .ifPresent(
            key -> {
              throw Failure.BAD_REQUEST.because("a rule has no `%s`", Names.shown(key));
            });
    return new Rule(
        subject,
        globs(json, subject.key()),
        json.optionalBoolean(SHARED).orElse(false),
        json.has(OPERATIONS) || subject != Subject.EVENTS ? globs(json, OPERATIONS) : ANY,
        json.has(FUNCTIONS) ? globs(json, FUNCTIONS) : ANY);
  }

  private static Subject subject(Body json) {
    List<Subject> named = new ArrayList<>();
    for (Subject subject : Subject.values()) {
      if (json.has(subject.key())) {
        named.add(subject);
      }
    }
    if (named.size() != 1) {
      throw Failure.BAD_REQUEST.because(
          "a rule must name one of `instances`, `modules`, `imports`, `nodes` and `events`, not %d",
          named.size());
    }
    return named.get(0);
  }

  private static List<Glob> globs(Body json, String key) {
    if (!json.has(key)) {
      throw Failure.BAD_REQUEST.because("a rule must have `%s`", key);
    }
    return json.list(key).stream().map(item -> glob(key, item)).toList();
  }

  private static Glob glob(String key, Object item) {
    if (item instanceof String text) {
      return Glob.of(key, text);
    }
    throw Failure.BAD_REQUEST.because("`%s` must be a list of patterns", key);
  }

  /** Whether it is about something of this name, whatever may be done with it. */
  boolean isAbout(Subject asked, String name) {
    return subject == asked && any(names, name);
  }

  boolean admits(String operation) {
    return any(operations, operation);
  }

  boolean admitsFunction(String export) {
    return any(functions, export);
  }

  private static boolean any(List<Glob> globs, String text) {
    for (Glob glob : globs) {
      if (glob.matches(text)) {
        return true;
      }
    }
    return false;
  }
}
