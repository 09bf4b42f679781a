package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.EncodeException;
import io.vertx.core.json.Json;

/** Any JSON value as the text a guest takes and gives. */
public final class JsonText {
  private JsonText() {}

  /** Fails with {@code BAD_REQUEST} for a value that JSON does not have. */
  public static String of(Object value) {
    try {
      return Json.encode(value);
    } catch (EncodeException e) {
      throw Failure.BAD_REQUEST.because(
          "no JSON can be made of it: %s", Names.shown(e.getMessage()));
    }
  }

  /** The value a function's text stands for; fails with {@code BAD_RESULT}. */
  public static Object parse(String function, String text) {
    try {
      return Json.decodeValue(text);
    } catch (DecodeException e) {
      throw Failure.BAD_RESULT.because(
          "`%s` answered %d characters that are not JSON: %s",
          function, text.length(), Names.shown(String.valueOf(e.getMessage())));
    }
  }
}
