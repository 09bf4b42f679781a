package io.busbar.host;

import io.busbar.engine.Budget;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** An instance's place on its node: it is counted, and what it holds of the heap is reserved. */
final class Seat implements AutoCloseable {
  private final Optional<String> user;
  private final Budget budget;
  private final Runnable left;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** With what is to be done once, when it is given up. */
  Seat(Optional<String> user, Budget budget, Runnable left) {
    this.user = user;
    this.budget = budget;
    this.left = left;
  }

  /** Whose instance it is; empty: the operator's. */
  Optional<String> user() {
    return user;
  }

  /** Where what the instance holds of the heap is reserved. */
  Budget budget() {
    return budget;
  }

  /** Gives back all that is reserved, once nothing runs in the instance; again does nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      budget.close();
      left.run();
    }
  }
}
