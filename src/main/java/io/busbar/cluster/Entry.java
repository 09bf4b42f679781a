package io.busbar.cluster;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the directory says of one instance.
 *
 * @param owner the node it lives on
 * @param epoch how often it has begun anew
 * @param spec the key of its spec; empty while it is started for the first time
 * @param modules the digests of its modules, its own first
 * @param address its own address, if it has one
 * @param user who started it; empty: the operator
 * @param text as it stands in the directory
 */
record Entry(
    String owner,
    long epoch,
    State state,
    Optional<String> spec,
    List<String> modules,
    Optional<String> address,
    Optional<String> user,
    boolean staysDown,
    Map<String, String> labels,
    String text) {
  enum State {
    /** Claimed, and started for the first time. */
    STARTING,
    /** Its node is gone, and another one starts it. */
    MOVING,
    /** It can be called. */
    LIVE
  }

  /** An id that is taken for a start on this node. */
  static Entry starting(String owner) {
    return parse(
        new JsonObject()
            .put("owner", owner)
            .put("epoch", 1)
            .put("state", State.STARTING.name())
            .encode());
  }

  static Entry parse(String text) {
    JsonObject json = new JsonObject(text);
    Map<String, String> labels = new LinkedHashMap<>();
    json.getJsonObject("labels", new JsonObject())
        .forEach(label -> labels.put(label.getKey(), String.valueOf(label.getValue())));
    return new Entry(
        json.getString("owner"),
        json.getLong("epoch"),
        State.valueOf(json.getString("state")),
        Optional.ofNullable(json.getString("spec")),
        json.getJsonArray("modules", new JsonArray()).stream().map(String::valueOf).toList(),
        Optional.ofNullable(json.getString("address")),
        Optional.ofNullable(json.getString("user")),
        json.getBoolean("staysDown", false),
        labels,
        text);
  }

  /** The same, on its way to another node. */
  Entry movingTo(String node) {
    return with(Map.of("owner", node, "epoch", epoch + 1, "state", State.MOVING.name()));
  }

  /** The same with other fields. */
  Entry with(Map<String, Object> fields) {
    JsonObject json = new JsonObject(text);
    fields.forEach(json::put);
    return parse(json.encode());
  }

  boolean isLive() {
    return state == State.LIVE;
  }

  /** Whether it is what this node has with this epoch, or had before it began anew there. */
  boolean isOf(String node, long epoch) {
    return owner.equals(node) && this.epoch <= epoch;
  }
}
