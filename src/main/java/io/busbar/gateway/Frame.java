package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;
import java.util.Optional;
import java.util.OptionalLong;

/** A JSON object that has come on a socket; what is not as it should be is {@code BAD_REQUEST}. */
record Frame(JsonObject json) {
  static Frame parse(String text) {
    try {
      if (Json.decodeValue(text) instanceof JsonObject frame) {
        return new Frame(frame);
      }
    } catch (DecodeException e) {
      throw Failure.BAD_REQUEST.because("the frame is not JSON: %s", Names.shown(e.getMessage()));
    }
    throw Failure.BAD_REQUEST.because("the frame must be a JSON object");
  }

  boolean has(String key) {
    return json.containsKey(key);
  }

  /** A text of at most so many characters. */
  Optional<String> text(String key, int longest) {
    Object value = json.getValue(key);
    if (value == null || value instanceof String text && text.length() <= longest) {
      return Optional.ofNullable((String) value);
    }
    throw Failure.BAD_REQUEST.because("`%s` must be a text of at most %d characters", key, longest);
  }

  Optional<String> text(String key) {
    return text(key, Integer.MAX_VALUE);
  }

  String required(String key) {
    return text(key).orElseThrow(() -> Failure.BAD_REQUEST.because("`%s` is missing", key));
  }

  /** A whole number, 0 or more. */
  OptionalLong number(String key) {
    Object value = json.getValue(key);
    return value == null
        ? OptionalLong.empty()
        : OptionalLong.of(Requests.number(key, String.valueOf(value)));
  }

  /** An object; an empty one where there is none. */
  Frame object(String key) {
    Object value = json.getValue(key);
    if (value == null) {
      return new Frame(new JsonObject());
    } else if (value instanceof JsonObject object) {
      return new Frame(object);
    }
    throw Failure.BAD_REQUEST.because("`%s` must be an object", key);
  }

  /** The same, as the body of a message. */
  Body body(String key) {
    return Body.of(object(key).json);
  }
}
