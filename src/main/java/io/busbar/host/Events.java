package io.busbar.host;

import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Headers;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

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

  /** An event of the node or the operator, and what it is about. */
  public void happened(String event, Map<String, Object> about) {
    happened(event, about, Optional.empty());
  }

  /**
   * An event such as {@code instance.started}, and what it is about.
   *
   * @param owner the user it is for; empty: the operator
   */
  public void happened(String event, Map<String, Object> about, Optional<String> owner) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("event", event);
    fields.putAll(about);
    fields.put("node", node);
    vertx.eventBus().publish(addresses.events(), Body.of(fields).toJson(), headers(owner));
  }

  /** What is published of something that is this user's. */
  static DeliveryOptions headers(Optional<String> owner) {
    DeliveryOptions options = new DeliveryOptions();
    owner.ifPresent(user -> options.addHeader(Headers.USER, user));
    return options;
  }
}
