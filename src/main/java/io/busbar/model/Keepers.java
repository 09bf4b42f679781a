package io.busbar.model;

import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Those who have put a module, and for whom it stays.
 *
 * @param operator whether the operator is one of them
 */
public record Keepers(boolean operator, Set<String> users) {
  public static final Keepers NOBODY = new Keepers(false, Set.of());
  public static final Keepers OPERATOR = new Keepers(true, Set.of());

  public Keepers {
    users = Collections.unmodifiableSet(new TreeSet<>(users));
  }

  /** Only this user, or where there is none the operator. */
  public static Keepers of(Optional<String> owner) {
    return owner.map(user -> new Keepers(false, Set.of(user))).orElse(OPERATOR);
  }

  public boolean isAnybody() {
    return operator || !users.isEmpty();
  }

  /** Whether this user is one of them, or where there is none the operator. */
  public boolean include(Optional<String> owner) {
    return owner.map(users::contains).orElse(operator);
  }

  /** Whether who asks sees what they keep. */
  public boolean areReachedBy(Reach who) {
    return who.isOperator() || who.owners().stream().anyMatch(this::include);
  }

  /** These and those. */
  public Keepers with(Keepers more) {
    Set<String> all = new TreeSet<>(users);
    all.addAll(more.users);
    return new Keepers(operator || more.operator, all);
  }

  /**
   * Those who are left once it is taken away from who asks; the operator takes away from all what
   * is not kept for the operator.
   */
  public Keepers without(Reach who) {
    if (who.isOperator()) {
      return operator ? new Keepers(false, users) : NOBODY;
    }
    Set<String> left = new TreeSet<>(users);
    who.user().ifPresent(left::remove);
    return new Keepers(operator, left);
  }
}
