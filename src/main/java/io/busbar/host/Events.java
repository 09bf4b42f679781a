package io.busbar.host;

import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.vertx.core.Vertx;
import java.util.LinkedHashMap;
import java.util.Map;

/** Publishes what happened on this node. */
public final class Events {
  private final Vertx vertx;
  private final Addresses addresses;
  private final String node;

  public Events(Vertx vertx, Addresses addresses, String node) {
    this.vertx = vertx;
    this.addresses = addresses;
    this.node = node;
  }

  /** An event such as {@code instance.started}, and what it is about. */
  public void happened(String event, Map<String, Object> about) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("event", event);
    fields.putAll(about);
    fields.put("node", node);
    vertx.eventBus().publish(addresses.events(), Body.of(fields).toJson());
  }
}
