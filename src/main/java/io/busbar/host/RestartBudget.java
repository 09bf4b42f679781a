package io.busbar.host;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** How often a guest may be restarted: so many times within a stretch of time that moves along. */
final class RestartBudget {
  private final int most;
  private final Duration within;
  private final Deque<Long> taken = new ArrayDeque<>(); // nanoTime, eldest first

  RestartBudget(int most, Duration within) {
    this.most = most;
    this.within = within;
  }

  /** Whether it may be once more at this {@link System#nanoTime}; then that counts too. */
  boolean take(long now) {
    while (!taken.isEmpty() && now - taken.peek() > within.toNanos()) {
      taken.remove();
    }
    return taken.size() < most && taken.add(now);
  }
}
