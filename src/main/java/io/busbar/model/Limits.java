package io.busbar.model;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/** What an instance may use: a node sets every {@link Limit}, a spec only those it asks for. */
public record Limits(Map<Limit, Long> values) {
  /** Asks for nothing. */
  public static final Limits NONE = new Limits(Map.of());

  /** Every limit at its standard value; those that are off are not set. */
  public static final Limits STANDARD = standard();

  public Limits {
    Map<Limit, Long> checked = new EnumMap<>(Limit.class);
    values.forEach((limit, value) -> checked.put(limit, limit.check(value)));
    values = Collections.unmodifiableMap(checked);
  }

  private static Limits standard() {
    Map<Limit, Long> all = new EnumMap<>(Limit.class);
    for (Limit limit : Limit.values()) {
      if (!limit.isOptional()) {
        all.put(limit, limit.standard());
      }
    }
    return new Limits(all);
  }

  /** A copy with this limit at this value. */
  public Limits with(Limit limit, long value) {
    Map<Limit, Long> changed = new EnumMap<>(Limit.class);
    changed.putAll(values);
    changed.put(limit, value);
    return new Limits(changed);
  }

  /** The value of a limit; the standard one if it is not set here. */
  public long get(Limit limit) {
    return values.getOrDefault(limit, limit.standard());
  }

  /** Whether a limit is set here: those that are optional may be off. */
  public boolean has(Limit limit) {
    return values.containsKey(limit);
  }

  public Duration deadline() {
    return Duration.ofMillis(get(Limit.DEADLINE));
  }

  /** These limits, completed by the node's; fails with {@code LIMIT} where they exceed them. */
  public Limits within(Limits node) {
    Limits all = node;
    for (Map.Entry<Limit, Long> asked : values.entrySet()) {
      long most = node.get(asked.getKey());
      if (asked.getValue() > most) {
        throw Failure.LIMIT.because(
            "limits.%s of %d is more than this node allows (%d)",
            asked.getKey().key(), asked.getValue(), most);
      }
      all = all.with(asked.getKey(), asked.getValue());
    }
    return all;
  }
}
