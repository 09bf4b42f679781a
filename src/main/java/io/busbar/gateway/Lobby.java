package io.busbar.gateway;

import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** What all sockets of a gateway share. */
record Lobby(
    Vertx vertx,
    Guard guard,
    Access access,
    Hearing hearing,
    Topics topics,
    Served served,
    Room room,
    HttpGateway.Bounds bounds,
    BooleanSupplier draining) {
  /** How long a client may take to answer an import, whatever the guest's time. */
  static final Duration LONGEST_ANSWER = Duration.ofMinutes(10);

  boolean isDraining() {
    return draining.getAsBoolean();
  }
}
