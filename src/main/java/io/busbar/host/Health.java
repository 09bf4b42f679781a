package io.busbar.host;

import io.busbar.model.Failure;
import java.util.Map;
import java.util.Optional;

/** Whether a node may be given more to do: not while too many of its threads are lost. */
final class Health {
  private final String node;
  private final int most;
  private final Events events;
  private volatile String trouble; // null: there is none

  /** With the most threads that may be lost. */
  Health(String node, int most, Events events) {
    this.node = node;
    this.most = most;
    this.events = events;
  }

  /** So many guest threads cannot be stopped at present. */
  synchronized void lost(int threads) {
    boolean wasWell = trouble == null;
    trouble =
        threads <= most
            ? null
            : String.format("%d guest threads cannot be stopped, %d may be", threads, most);
    if (wasWell && trouble != null) {
      events.happened("node.unhealthy", Map.of("reason", trouble));
    } else if (!wasWell && trouble == null) {
      events.happened("node.healthy", Map.of());
    }
  }

  /** What is wrong; empty while nothing is. */
  Optional<String> trouble() {
    return Optional.ofNullable(trouble);
  }

  /** Fails with {@code UNAVAILABLE} where something is wrong. */
  void check() {
    trouble()
        .ifPresent(
            why -> {
              throw Failure.UNAVAILABLE.because("node `%s` is unhealthy: %s", node, why);
            });
  }
}
