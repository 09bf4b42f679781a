package io.busbar.gateway;

import io.vertx.core.Vertx;
import java.util.function.BooleanSupplier;

/** What all sockets of a gateway share. */
record Lobby(
    Vertx vertx,
    Guard guard,
    Access access,
    Hearing hearing,
    Imports imports,
    Topics topics,
    Served served,
    Room room,
    HttpGateway.Bounds bounds,
    BooleanSupplier draining) {
  boolean isDraining() {
    return draining.getAsBoolean();
  }
}
