package io.busbar.model;

import java.util.List;
import java.util.Optional;

/**
 * How far somebody who asks can reach.
 *
 * @param user who it is, and reaches what is their own; empty: the operator, who reaches everything
 * @param shared whether a user reaches what is the operator's too
 */
public record Reach(Optional<String> user, boolean shared) {
  /** Of who asks without a user. */
  public static final Reach OPERATOR = new Reach(Optional.empty(), false);

  /** Of a user who reaches nothing else. */
  public static Reach of(String user) {
    return new Reach(Optional.of(user), false);
  }

  /** Whether what is this user's, or where there is none the operator's, can be reached. */
  public boolean includes(Optional<String> owner) {
    return isOperator() || owner.equals(user) || shared && owner.isEmpty();
  }

  /** Whose names mean something to who asks, the first of them first; empty: the operator. */
  public List<Optional<String>> owners() {
    return shared ? List.of(user, Optional.empty()) : List.of(user);
  }

  public boolean isOperator() {
    return user.isEmpty();
  }

  /** The same without what is the operator's. */
  public Reach alone() {
    return new Reach(user, false);
  }
}
