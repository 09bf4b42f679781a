package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What a client may do: what no rule of it admits is refused. */
public final class Permissions {
  /** Nothing at all. */
  public static final Permissions NONE = new Permissions(List.of());

  /** All that a tenant can do with what is its own; the operator, with everything. */
  public static final Permissions ALL =
      new Permissions(
          Arrays.stream(Rule.Subject.values())
              .map(subject -> new Rule(subject, Rule.ANY, false, Rule.ANY, Rule.ANY))
              .toList());

  private static final int MOST_RULES = 100;

  private final List<Rule> rules;

  private Permissions(List<Rule> rules) {
    this.rules = List.copyOf(rules);
  }

  /**
   * From {@code "all"} or a list of rules, as tokens and the configuration have them; fails with
   * {@code BAD_REQUEST}.
   */
  public static Permissions from(Object json) {
    if ("all".equals(json)) {
      return ALL;
    }
    List<Rule> rules = new ArrayList<>();
    for (Object item : items(json)) {
      rules.add(Rule.from(object(item)));
      if (rules.size() > MOST_RULES) {
        throw Failure.BAD_REQUEST.because("`permissions` has more than %d rules", MOST_RULES);
      }
    }
    return new Permissions(rules);
  }

  private static Iterable<?> items(Object json) {
    if (json instanceof Iterable<?> items) {
      return items;
    }
    throw refused(json);
  }

  private static Body object(Object item) {
    if (item instanceof JsonObject object) {
      return Body.of(object);
    } else if (item instanceof Map<?, ?> map) {
      return Body.of(JsonObject.mapFrom(map));
    }
    throw refused(item);
  }

  private static WasmException refused(Object given) {
    return Failure.BAD_REQUEST.because(
        "`permissions` must be `all` or a list of rules. Given `%s`.",
        Names.shown(String.valueOf(given)));
  }

  /** What either admits. */
  Permissions and(Permissions others) {
    return new Permissions(Stream.concat(rules.stream(), others.rules.stream()).toList());
  }

  boolean any(Predicate<Rule> wanted) {
    for (Rule rule : rules) { // it is asked several times for each operation
      if (wanted.test(rule)) {
        return true;
      }
    }
    return false;
  }
}
