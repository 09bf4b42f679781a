package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import java.util.Collection;
import java.util.Map;

/**
 * Permissions by the names that keys and tokens may give for them.
 *
 * @param byName no name stands for what is not here
 */
public record Roles(Map<String, Permissions> byName) {
  public Roles {
    byName = Map.copyOf(byName);
  }

  /** What these names stand for together; fails with {@code BAD_REQUEST} for an unknown one. */
  public Permissions of(Collection<?> names) {
    Permissions all = Permissions.NONE;
    for (Object name : names) {
      Permissions role = name instanceof String text ? byName.get(text) : null;
      if (role == null) {
        throw Failure.BAD_REQUEST.because("no role `%s`", Names.shown(String.valueOf(name)));
      }
      all = all.and(role);
    }
    return all;
  }

  /** The same, where a token may have names that mean something elsewhere. */
  Permissions ofKnown(Collection<?> names) {
    return of(names.stream().filter(byName::containsKey).toList());
  }
}
