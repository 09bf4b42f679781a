package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Body;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** What requests say, as bodies of messages; {@code BAD_REQUEST} where they make no sense. */
final class Requests {
  private static final Set<String> TEXT_TYPES = Set.of("application/json", "text/plain");

  private static final String CONTENT_TYPE = "busbar.content-type";

  private Requests() {}

  /** What the client calls its body is kept for later, and hidden from what would act on it. */
  static void setContentTypeAside(RoutingContext ctx) {
    ctx.put(CONTENT_TYPE, ctx.request().getHeader(HttpHeaders.CONTENT_TYPE));
    ctx.request().headers().remove(HttpHeaders.CONTENT_TYPE);
  }

  static Body module(RoutingContext ctx) {
    return Body.of("module", ctx.pathParam("ref"));
  }

  static Body putBody(RoutingContext ctx) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("bytes", raw(ctx));
    query(ctx, "name").ifPresent(name -> fields.put("name", name));
    query(ctx, "version").ifPresent(version -> fields.put("version", version));
    return Body.of(fields);
  }

  static byte[] raw(RoutingContext ctx) {
    Buffer body = ctx.body().buffer();
    return body == null ? new byte[0] : body.getBytes();
  }

  static String id(RoutingContext ctx) {
    return ctx.pathParam("id");
  }

  /** The body, with the path parameter of this name as one more field. */
  static Body with(Body body, RoutingContext ctx, String param) {
    Map<String, Object> fields = new LinkedHashMap<>(body.fields());
    fields.put(param, ctx.pathParam(param));
    return Body.of(new JsonObject(fields));
  }

  static Body memoryName(RoutingContext ctx) {
    return query(ctx, "memory").map(name -> Body.of("memory", name)).orElse(Body.EMPTY);
  }

  /** The query's flag of this name, if it is there: {@code true} or {@code false}. */
  static Body flag(RoutingContext ctx, String name) {
    Optional<String> text = query(ctx, name);
    if (text.isEmpty()) {
      return Body.EMPTY;
    }
    if (!text.get().matches("true|false")) {
      throw Failure.BAD_REQUEST.because(
          "`%s` must be true or false. Given `%s`.", name, Names.shown(text.get()));
    }
    return Body.of(name, Boolean.valueOf(text.get()));
  }

  static Body slice(RoutingContext ctx) {
    Map<String, Object> fields = new LinkedHashMap<>(memoryName(ctx).fields());
    fields.put("offset", number(ctx, "offset"));
    fields.put("length", number(ctx, "length"));
    return Body.of(fields);
  }

  static Body slice(RoutingContext ctx, byte[] bytes) {
    Map<String, Object> fields = new LinkedHashMap<>(memoryName(ctx).fields());
    fields.put("offset", number(ctx, "offset"));
    fields.put("bytes", bytes);
    return Body.of(fields);
  }

  static Body invocation(RoutingContext ctx) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("function", ctx.pathParam("function"));
    fields.put("input", raw(ctx));
    return Body.of(fields);
  }

  /** The content type as it came, if it is JSON or plain text: no browser runs those. */
  static Optional<String> textType(RoutingContext ctx) {
    return Optional.ofNullable(ctx.<String>get(CONTENT_TYPE))
        .filter(
            type -> TEXT_TYPES.contains(type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT)));
  }

  static Optional<String> query(RoutingContext ctx, String name) {
    return Optional.ofNullable(ctx.queryParams().get(name));
  }

  static long number(RoutingContext ctx, String name) {
    String text =
        query(ctx, name).orElseThrow(() -> Failure.BAD_REQUEST.because("`%s` is missing", name));
    return number(name, text);
  }

  static long number(String name, String text) {
    try {
      long number = Long.parseLong(text);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw Failure.BAD_REQUEST.because(
        "`%s` must be a whole number, 0 or more. Given `%s`.", name, Names.shown(text));
  }

  /** The request's body as an object; an empty one is an empty object. */
  static Body json(RoutingContext ctx) {
    Buffer body = ctx.body().buffer();
    if (body == null || body.length() == 0) {
      return Body.EMPTY;
    }
    try {
      Object value = Json.decodeValue(body);
      if (value instanceof JsonObject object) {
        return Body.of(object);
      }
    } catch (DecodeException e) {
      throw Failure.BAD_REQUEST.because("the body is not JSON: %s", Names.shown(e.getMessage()));
    }
    throw Failure.BAD_REQUEST.because("the body must be a JSON object");
  }

  /** The query's {@code fuel}. */
  static OptionalLong fuel(RoutingContext ctx) {
    Optional<String> text = query(ctx, "fuel");
    return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(number("fuel", text.get()));
  }

  static Optional<Duration> millis(OptionalLong number) {
    return number.isEmpty() ? Optional.empty() : Optional.of(Duration.ofMillis(number.getAsLong()));
  }

  /** The query's {@code timeout} in milliseconds. */
  static Optional<Duration> timeout(RoutingContext ctx) {
    return query(ctx, "timeout").map(text -> Duration.ofMillis(number("timeout", text)));
  }
}
