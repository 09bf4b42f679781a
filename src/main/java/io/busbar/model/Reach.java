package io.busbar.model;

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

  /** Whether what is this user's, or where there is none the operator's, can be reached. */
  public boolean includes(Optional<String> owner) {
    return isOperator() || owner.equals(user) || shared && owner.isEmpty();
  }

  public boolean isOperator() {
    return user.isEmpty();
  }
}
