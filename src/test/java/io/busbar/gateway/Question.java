package io.busbar.gateway;

import io.vertx.core.json.JsonObject;
import java.util.Optional;

/**
 * What a client asks, whichever way it comes in.
 *
 * @param instance of which; empty: at the common address
 * @param address where there is no instance
 */
record Question(
    Optional<String> instance,
    String address,
    String action,
    JsonObject body,
    Optional<Long> millis) {
  static Question of(String instance, String action, String body) {
    return new Question(Optional.of(instance), "", action, new JsonObject(body), Optional.empty());
  }

  static Question at(String address, String action, String body) {
    return new Question(Optional.empty(), address, action, new JsonObject(body), Optional.empty());
  }

  static Question call(String instance, String function, String params) {
    return of(instance, "call", "{\"function\":\"" + function + "\",\"params\":" + params + "}");
  }

  Question within(long millis) {
    return new Question(instance, address, action, body, Optional.of(millis));
  }

  @Override
  public String toString() {
    return instance.orElse(address) + " " + action + " " + body.encode();
  }
}
