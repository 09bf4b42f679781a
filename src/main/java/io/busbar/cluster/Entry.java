package io.busbar.cluster;

import io.busbar.model.Home;
import io.busbar.model.State;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the directory says of one instance, of one copy of several, or of all copies together.
 *
 * @param owner the node it lives on; of several copies the node that started them
 * @param epoch how often it has begun anew
 * @param spec the key of its spec; empty while it is started for the first time
 * @param modules the digests of its modules, its own first
 * @param address its own address, if it has one
 * @param user who started it; empty: the operator
 * @param tried nodes that could not start it since it was last live
 * @param text as it stands in the directory
 */
record Entry(
    String owner,
    long epoch,
    Phase phase,
    Optional<String> spec,
    List<String> modules,
    Optional<String> address,
    Optional<String> user,
    Home home,
    List<String> tried,
    String text) {
  enum Phase {
    /** Claimed, and started for the first time. */
    STARTING,
    /** Its owner is to start it again. */
    MOVING,
    /** It can be called. */
    LIVE,
    /** It stands for several copies. */
    COPIES
  }

  /** An id that is taken for a start on this node. */
  static Entry starting(String owner) {
    return of(owner, Phase.STARTING);
  }

  /** An id that stands for several copies. */
  static Entry copies(String owner) {
    return of(owner, Phase.COPIES);
  }

  private static Entry of(String owner, Phase phase) {
    return parse(
        new JsonObject().put("owner", owner).put("epoch", 1).put("phase", phase.name()).encode());
  }

  static Entry parse(String text) {
    JsonObject json = new JsonObject(text);
    return new Entry(
        json.getString("owner"),
        json.getLong("epoch"),
        Phase.valueOf(json.getString("phase")),
        Optional.ofNullable(json.getString("spec")),
        texts(json, "modules"),
        Optional.ofNullable(json.getString("address")),
        Optional.ofNullable(json.getString("user")),
        home(json.getJsonObject("home")),
        texts(json, "tried"),
        text);
  }

  private static List<String> texts(JsonObject json, String key) {
    return json.getJsonArray(key, new JsonArray()).stream().map(String::valueOf).toList();
  }

  private static Home home(JsonObject json) {
    if (json == null) {
      return Home.ANYWHERE;
    }
    Map<String, String> labels = new LinkedHashMap<>();
    json.getJsonObject("labels")
        .forEach(label -> labels.put(label.getKey(), String.valueOf(label.getValue())));
    return new Home(
        labels,
        State.parse(json.getString("state")),
        json.getBoolean("staysDown"),
        json.getInteger("replicas"));
  }

  /** As a field of an entry. */
  static JsonObject fields(Home home) {
    return new JsonObject()
        .put("labels", new JsonObject(new LinkedHashMap<>(home.labels())))
        .put("state", home.state().text())
        .put("staysDown", home.staysDown())
        .put("replicas", home.replicas());
  }

  /** The same, on its way to another node, or to begin anew on its own. */
  Entry movingTo(String node) {
    return with(Map.of("owner", node, "epoch", epoch + 1, "phase", Phase.MOVING.name()));
  }

  /** The same with other fields. */
  Entry with(Map<String, Object> fields) {
    JsonObject json = new JsonObject(text);
    fields.forEach(json::put);
    return parse(json.encode());
  }

  boolean isLive() {
    return phase == Phase.LIVE;
  }

  /** Whether it stands for several copies and runs nowhere itself. */
  boolean isCopies() {
    return phase == Phase.COPIES;
  }

  /** Whether it is what this node has with this epoch, or had before it began anew there. */
  boolean isOf(String node, long epoch) {
    return owner.equals(node) && this.epoch <= epoch;
  }
}
