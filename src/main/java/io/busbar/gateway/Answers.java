package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;

/** Answers as HTTP responses: JSON, bytes, or the structured error with its status. */
final class Answers {
  private static final String JSON = "application/json";

  /** How much is on its way at once to who may not read it. */
  private static final int SLICE = 64 << 10;

  private Answers() {}

  static void end(RoutingContext ctx, int status, Body body) {
    ctx.response().setStatusCode(status).putHeader(HttpHeaders.CONTENT_TYPE, JSON);
    send(ctx, body.toJson().toBuffer());
  }

  private static void send(RoutingContext ctx, Buffer body) {
    if (body.length() > SLICE) {
      ctx.response().putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length()));
    }
    send(ctx, body, 0);
  }

  /** Each slice when the one before it has left. */
  private static void send(RoutingContext ctx, Buffer body, int from) {
    int to = Math.min(body.length(), from + SLICE);
    Buffer slice = body.slice(from, to);
    if (to == body.length()) {
      Connections.leaves(ctx, ctx.response().end(slice));
      return;
    }
    Future<Void> left = ctx.response().write(slice);
    Connections.leaves(ctx, left);
    left.onSuccess(gone -> send(ctx, body, to));
  }

  static void bytes(RoutingContext ctx, Future<Body> answer, String field, String type) {
    answer
        .map(body -> Buffer.buffer(body.bytes(field)))
        .onSuccess(
            bytes -> {
              ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, type);
              send(ctx, bytes);
            })
        .onFailure(e -> fail(ctx, e));
  }

  static void fail(RoutingContext ctx, Throwable thrown) {
    WasmException failure = Failures.from(thrown);
    end(ctx, failure.failure().httpStatus(), error(failure));
  }

  private static Body error(WasmException failure) {
    return Body.of(Failures.fields(failure));
  }

  /** What a handler threw, or a refusal of the web layer by its status alone. */
  static void failed(RoutingContext ctx) {
    if (ctx.statusCode() == 413) {
      fail(ctx, Failure.TOO_LARGE.because("the request body is too large"));
    } else if (ctx.failure() != null && ctx.statusCode() != 400) {
      fail(ctx, ctx.failure());
    } else {
      Failure failure = ctx.statusCode() >= 500 ? Failure.INTERNAL : Failure.BAD_REQUEST;
      end(
          ctx,
          ctx.statusCode(),
          error(failure.because("request refused with status %d", ctx.statusCode())));
    }
  }

  static void noRoute(RoutingContext ctx) {
    HttpMethod method = ctx.request().method();
    String path = Names.shown(ctx.request().path());
    end(
        ctx,
        ctx.statusCode(),
        error(Failure.BAD_REQUEST.because("no route for %s %s", method, path)));
  }
}
