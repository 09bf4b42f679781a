package io.busbar;

import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;

/** Asks over the bus as the gateway does for one user. */
public record Tenant(Vertx vertx, String user, boolean shared) {
  public static Tenant of(Vertx vertx, String user) {
    return new Tenant(vertx, user, false);
  }

  /** The same user, who may use what is the operator's too. */
  public Tenant withShared() {
    return new Tenant(vertx, user, true);
  }

  /** The headers of each question. */
  public DeliveryOptions headers(String action) {
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader(Headers.ACTION, action)
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .addHeader(Headers.USER, user);
    return shared ? options.addHeader(Headers.SHARED, Headers.IS_SHARED) : options;
  }

  /** The answer, or the body with the error. */
  public JsonObject ask(String address, String action, JsonObject body) {
    return send(address, body, headers(action)).await();
  }

  public Future<JsonObject> send(String address, JsonObject body, DeliveryOptions options) {
    return vertx.eventBus().<JsonObject>request(address, body, options).map(Message::body);
  }

  /** The same of one instance at an address that answers for several. */
  public JsonObject askOf(String address, String instance, String action, JsonObject body) {
    return sendTo(address, instance, action, body).await();
  }

  public Future<JsonObject> sendTo(
      String address, String instance, String action, JsonObject body) {
    return send(address, body, headers(action).addHeader(Headers.INSTANCE, instance));
  }

  public JsonObject call(String instance, String function) {
    JsonObject body = new JsonObject().put("function", function);
    return askOf("wasm.instances", instance, "call", body);
  }

  /** The answer to the start of an instance of this module. */
  public JsonObject start(String id, Object module) {
    return ask("wasm.instances", "start", new JsonObject().put("id", id).put("module", module));
  }

  /** A module that is brought along. */
  public static JsonObject text(String wat) {
    return new JsonObject().put("wat", wat);
  }

  /** What an error says; fails where it is none. */
  public static String error(JsonObject answer) {
    JsonObject error = answer.getJsonObject("error");
    if (error == null) {
      throw new AssertionError("it was answered: " + answer);
    }
    return error.getString("name") + ": " + error.getString("message");
  }
}
