package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * {@code /api/v1} over HTTP: each request becomes one message on the bus.
 *
 * <p>It asks nobody for a password, so it listens on loopback only, and refuses what a page of
 * another site sends through a browser on this machine.
 */
public final class HttpGateway {
  /**
   * Where to listen.
   *
   * @param host a loopback address
   * @param port 0 for any free one
   */
  public record Options(String host, int port) {
    public static final Options STANDARD = new Options("127.0.0.1", 8080);

    /** The port itself if there can be one of this number; else {@code BAD_REQUEST}. */
    public static int port(long number) {
      if (number < 0 || number > 65_535) {
        throw Failure.BAD_REQUEST.because("`port` must be 0 to 65535, not %d", number);
      }
      return (int) number;
    }
  }

  /** What the routes need to read a request's body: a whole module, plus its name. */
  private static final int BODY_MARGIN = 64 << 10;

  private static final String API = "/api/v1";
  private static final String JSON = "application/json";
  private static final String BYTES = "application/octet-stream";

  private final Vertx vertx;
  private final Bus bus;
  private final Loopback loopback;
  private HttpServer server;

  private HttpGateway(Vertx vertx, Addresses addresses, Loopback loopback) {
    this.vertx = vertx;
    this.bus = new Bus(vertx, addresses);
    this.loopback = loopback;
  }

  /**
   * Listens; done when requests are answered.
   *
   * @param bodyBytes the largest request body
   */
  public static Future<HttpGateway> open(
      Vertx vertx, Options options, Addresses addresses, long bodyBytes) {
    return Loopback.check(vertx, options.host())
        .map(loopback -> new HttpGateway(vertx, addresses, loopback))
        .compose(gateway -> gateway.listen(options, bodyBytes));
  }

  private Future<HttpGateway> listen(Options options, long bodyBytes) {
    HttpServerOptions http =
        new HttpServerOptions()
            .setHost(options.host())
            .setPort(options.port())
            .setIdleTimeout(2)
            .setIdleTimeoutUnit(TimeUnit.MINUTES);
    return vertx
        .createHttpServer(http)
        .requestHandler(router(bodyBytes + BODY_MARGIN))
        .listen()
        .onSuccess(listening -> server = listening)
        .map(this);
  }

  /** The port it listens on. */
  public int port() {
    return server.actualPort();
  }

  public Future<Void> close() {
    return server.close();
  }

  private Router router(long bodyBytes) {
    Router router = Router.router(vertx);
    router.route().handler(loopback).failureHandler(HttpGateway::failed);
    router.route().handler(BodyHandler.create(false).setBodyLimit(bodyBytes));
    modules(router);
    instances(router);
    memory(router);
    get(router, "/nodes")
        .handler(answering(ctx -> ask(ctx, bus.addresses().nodes(), "list", Body.EMPTY)));
    router.errorHandler(404, HttpGateway::noRoute).errorHandler(405, HttpGateway::noRoute);
    return router;
  }

  private static Route get(Router router, String path) {
    return router.get(API + path);
  }

  private void modules(Router router) {
    String address = bus.addresses().modules();
    router
        .post(API + "/modules")
        .handler(answering(201, ctx -> ask(ctx, address, "put", putBody(ctx))));
    get(router, "/modules").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    get(router, "/modules/:ref")
        .handler(answering(ctx -> ask(ctx, address, "describe", module(ctx))));
    get(router, "/modules/:ref/wasm")
        .handler(ctx -> bytes(ctx, ask(ctx, address, "get", module(ctx)), "application/wasm"));
    router
        .delete(API + "/modules/:ref")
        .handler(answering(ctx -> ask(ctx, address, "remove", module(ctx))));
  }

  private static Body module(RoutingContext ctx) {
    return Body.of("module", ctx.pathParam("ref"));
  }

  private static Body putBody(RoutingContext ctx) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("bytes", raw(ctx));
    query(ctx, "name").ifPresent(name -> fields.put("name", name));
    query(ctx, "version").ifPresent(version -> fields.put("version", version));
    return Body.of(fields);
  }

  private static byte[] raw(RoutingContext ctx) {
    Buffer body = ctx.body().buffer();
    return body == null ? new byte[0] : body.getBytes();
  }

  private void instances(Router router) {
    String address = bus.addresses().instances();
    router
        .post(API + "/instances")
        .handler(answering(201, ctx -> ask(ctx, address, "start", json(ctx))));
    get(router, "/instances").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    get(router, "/instances/:id").handler(answering(ctx -> ask(ctx, "describe", Body.EMPTY)));
    router
        .delete(API + "/instances/:id")
        .handler(answering(ctx -> ask(ctx, address, "stop", Body.of("id", id(ctx)))));
    router
        .post(API + "/instances/:id/call/:function")
        .handler(answering(ctx -> ask(ctx, "call", with(json(ctx), ctx, "function"))));
    get(router, "/instances/:id/exports/:function").handler(this::exists);
    get(router, "/instances/:id/globals/:global")
        .handler(answering(ctx -> ask(ctx, "get-global", with(Body.EMPTY, ctx, "global"))));
    router
        .put(API + "/instances/:id/globals/:global")
        .handler(answering(ctx -> ask(ctx, "set-global", with(json(ctx), ctx, "global"))));
    get(router, "/instances/:id/fuel").handler(answering(ctx -> ask(ctx, "get-fuel", Body.EMPTY)));
    router
        .put(API + "/instances/:id/fuel")
        .handler(answering(ctx -> ask(ctx, "set-fuel", json(ctx))));
  }

  private static String id(RoutingContext ctx) {
    return ctx.pathParam("id");
  }

  /** The body, with the path parameter of this name as one more field. */
  private static Body with(Body body, RoutingContext ctx, String param) {
    Map<String, Object> fields = new LinkedHashMap<>(body.fields());
    fields.put(param, ctx.pathParam(param));
    return Body.of(new JsonObject(fields));
  }

  private void exists(RoutingContext ctx) {
    ask(ctx, "exists", with(Body.EMPTY, ctx, "function"))
        .map(body -> body.optionalBoolean("exists").orElseThrow())
        .onSuccess(
            exists -> {
              if (exists) {
                ctx.response().setStatusCode(204).end();
              } else {
                fail(
                    ctx,
                    Failure.NO_SUCH_EXPORT.because(
                        "exported function `%s` not found",
                        Names.shown(ctx.pathParam("function"))));
              }
            })
        .onFailure(e -> fail(ctx, e));
  }

  private void memory(Router router) {
    String path = API + "/instances/:id/memory";
    router.get(path).handler(this::readMemory);
    router
        .put(path)
        .handler(answering(ctx -> ask(ctx, "write-memory", slice(ctx, "offset", raw(ctx)))));
    router.post(path + "/grow").handler(answering(ctx -> ask(ctx, "grow-memory", json(ctx))));
  }

  /** A slice; without offset and length, the size. */
  private void readMemory(RoutingContext ctx) {
    if (query(ctx, "offset").isEmpty() && query(ctx, "length").isEmpty()) {
      answering(c -> ask(c, "memory", memoryName(c))).handle(ctx);
    } else {
      bytes(ctx, Future.future(p -> ask(ctx, "read-memory", slice(ctx)).onComplete(p)), BYTES);
    }
  }

  private static Body memoryName(RoutingContext ctx) {
    return query(ctx, "memory").map(name -> Body.of("memory", name)).orElse(Body.EMPTY);
  }

  private static Body slice(RoutingContext ctx) {
    Map<String, Object> fields = new LinkedHashMap<>(memoryName(ctx).fields());
    fields.put("offset", number(ctx, "offset"));
    fields.put("length", number(ctx, "length"));
    return Body.of(fields);
  }

  private static Body slice(RoutingContext ctx, String offset, byte[] bytes) {
    Map<String, Object> fields = new LinkedHashMap<>(memoryName(ctx).fields());
    fields.put(offset, number(ctx, offset));
    fields.put("bytes", bytes);
    return Body.of(fields);
  }

  private static Optional<String> query(RoutingContext ctx, String name) {
    return Optional.ofNullable(ctx.queryParams().get(name));
  }

  private static long number(RoutingContext ctx, String name) {
    String text =
        query(ctx, name).orElseThrow(() -> Failure.BAD_REQUEST.because("`%s` is missing", name));
    return number(name, text);
  }

  private static long number(String name, String text) {
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
  private static Body json(RoutingContext ctx) {
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

  private Future<Body> ask(RoutingContext ctx, String address, String action, Body body) {
    return bus.ask(address, question(ctx, action, body));
  }

  /** Asks the instance in the path. */
  private Future<Body> ask(RoutingContext ctx, String action, Body body) {
    return bus.askInstance(Names.check("instance id", id(ctx)), question(ctx, action, body));
  }

  private static Bus.Question question(RoutingContext ctx, String action, Body body) {
    Optional<Duration> timeout =
        query(ctx, "timeout").map(text -> Duration.ofMillis(number("timeout", text)));
    return Bus.Question.of(action, body).withTimeout(timeout);
  }

  private static io.vertx.core.Handler<RoutingContext> answering(
      Function<RoutingContext, Future<Body>> action) {
    return answering(200, action);
  }

  /** Answers with the body as JSON, or with the structured error. */
  private static io.vertx.core.Handler<RoutingContext> answering(
      int status, Function<RoutingContext, Future<Body>> action) {
    return ctx ->
        action.apply(ctx).onSuccess(body -> end(ctx, status, body)).onFailure(e -> fail(ctx, e));
  }

  private static void end(RoutingContext ctx, int status, Body body) {
    ctx.response()
        .setStatusCode(status)
        .putHeader(HttpHeaders.CONTENT_TYPE, JSON)
        .end(body.toJson().toBuffer());
  }

  private static void bytes(RoutingContext ctx, Future<Body> answer, String type) {
    answer
        .map(body -> Buffer.buffer(body.bytes("bytes")))
        .onSuccess(bytes -> ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, type).end(bytes))
        .onFailure(e -> fail(ctx, e));
  }

  private static void fail(RoutingContext ctx, Throwable thrown) {
    WasmException failure = Failures.from(thrown);
    end(ctx, failure.failure().httpStatus(), error(failure));
  }

  private static Body error(WasmException failure) {
    return Body.of(Failures.fields(failure));
  }

  /** What a handler threw, or a refusal of the web layer by its status alone. */
  private static void failed(RoutingContext ctx) {
    if (ctx.statusCode() == 413) {
      fail(ctx, Failure.TOO_LARGE.because("the request body is too large"));
    } else if (ctx.failure() != null) {
      fail(ctx, ctx.failure());
    } else {
      Failure failure = ctx.statusCode() >= 500 ? Failure.INTERNAL : Failure.BAD_REQUEST;
      end(
          ctx,
          ctx.statusCode(),
          error(failure.because("request refused with status %d", ctx.statusCode())));
    }
  }

  private static void noRoute(RoutingContext ctx) {
    HttpMethod method = ctx.request().method();
    String path = Names.shown(ctx.request().path());
    end(
        ctx,
        ctx.statusCode(),
        error(Failure.BAD_REQUEST.because("no route for %s %s", method, path)));
  }
}
