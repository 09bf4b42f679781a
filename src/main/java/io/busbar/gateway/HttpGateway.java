package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Duration;
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

  private static final Duration IDLE = Duration.ofMinutes(1);

  private static final String API = "/api/v1";
  private static final String BYTES = "application/octet-stream";

  private final Vertx vertx;
  private final Bus bus;
  private final Loopback loopback;
  private HttpServer server;
  private volatile boolean draining;

  private HttpGateway(Vertx vertx, Bus bus, Loopback loopback) {
    this.vertx = vertx;
    this.bus = bus;
    this.loopback = loopback;
  }

  /**
   * Listens; done when requests are answered.
   *
   * @param bodyBytes the largest request body
   * @param longest how long an operation on an instance may take: a connection is not idle before
   */
  public static Future<HttpGateway> open(
      Vertx vertx, Options options, Bus bus, long bodyBytes, Duration longest) {
    return Loopback.check(vertx, options.host())
        .map(loopback -> new HttpGateway(vertx, bus, loopback))
        .compose(gateway -> gateway.listen(options, bodyBytes, longest));
  }

  /** The same, asking at the addresses of any node. */
  public static Future<HttpGateway> open(
      Vertx vertx, Options options, Addresses addresses, long bodyBytes, Duration longest) {
    return open(vertx, options, new Bus(vertx, addresses), bodyBytes, longest);
  }

  private Future<HttpGateway> listen(Options options, long bodyBytes, Duration longest) {
    Duration idle = longer(longest, patience()).plus(IDLE);
    HttpServerOptions http =
        new HttpServerOptions()
            .setHost(options.host())
            .setPort(options.port())
            .setHttp2ClearTextEnabled(false) // it knows no Host header, which the guard looks at
            .setIdleTimeout(Math.toIntExact(idle.toSeconds()))
            .setIdleTimeoutUnit(TimeUnit.SECONDS);
    return vertx
        .createHttpServer(http)
        .requestHandler(router(bodyBytes + BODY_MARGIN))
        .listen()
        .onSuccess(listening -> server = listening)
        .map(this);
  }

  /** What is asked at a common address may take so long. */
  private static Duration patience() {
    return Bus.Question.of("list", Body.EMPTY).patient().timeout().orElseThrow();
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
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
    router.route().handler(loopback).failureHandler(Answers::failed);
    Pages.on(router);
    router.route().handler(this::refuseWhileDraining);
    router.route().handler(HttpGateway::keepBodyAsItIs);
    router.route().handler(BodyHandler.create(false).setBodyLimit(bodyBytes));
    modules(router);
    instances(router);
    memory(router);
    nodes(router);
    router
        .errorHandler(400, Answers::failed)
        .errorHandler(404, Answers::noRoute)
        .errorHandler(405, Answers::noRoute);
    return router;
  }

  /** Else the body of a plain {@code curl -d} would be read, and bounded, as a form. */
  private static void keepBodyAsItIs(RoutingContext ctx) {
    Requests.setContentTypeAside(ctx);
    ctx.next();
  }

  /** While the node closes: answers what is under way, but takes nothing new. */
  private void refuseWhileDraining(RoutingContext ctx) {
    if (draining) {
      throw Failure.UNAVAILABLE.because("the node is closing");
    }
    ctx.next();
  }

  /** From now on new requests are refused with {@code UNAVAILABLE}. */
  public void drain() {
    draining = true;
  }

  private static Route get(Router router, String path) {
    return router.get(API + path);
  }

  private void nodes(Router router) {
    String address = bus.addresses().nodes();
    get(router, "/nodes").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    router
        .post(API + "/nodes/:node/drain")
        .handler(
            answering(
                ctx -> ask(ctx, address, "drain", Requests.with(Requests.json(ctx), ctx, "node"))));
  }

  private void modules(Router router) {
    String address = bus.addresses().modules();
    router
        .post(API + "/modules")
        .handler(answering(201, ctx -> ask(ctx, address, "put", Requests.putBody(ctx))));
    get(router, "/modules").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    get(router, "/modules/:ref")
        .handler(answering(ctx -> ask(ctx, address, "describe", Requests.module(ctx))));
    get(router, "/modules/:ref/wasm")
        .handler(
            ctx ->
                Answers.bytes(
                    ctx,
                    ask(ctx, address, "get", Requests.module(ctx)),
                    "bytes",
                    "application/wasm"));
    router
        .delete(API + "/modules/:ref")
        .handler(answering(ctx -> ask(ctx, address, "remove", Requests.module(ctx))));
  }

  private void instances(Router router) {
    String address = bus.addresses().instances();
    router
        .post(API + "/instances")
        .handler(answering(201, ctx -> ask(ctx, address, "start", Requests.json(ctx))));
    get(router, "/instances").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    get(router, "/instances/:id").handler(answering(ctx -> ask(ctx, "describe", Body.EMPTY)));
    router
        .delete(API + "/instances/:id")
        .handler(answering(ctx -> ask(ctx, address, "stop", Body.of("id", Requests.id(ctx)))));
    router
        .post(API + "/instances/:id/move")
        .handler(
            answering(
                ctx -> ask(ctx, address, "move", Requests.with(Requests.json(ctx), ctx, "id"))));
    router
        .post(API + "/instances/:id/call/:function")
        .handler(
            answering(ctx -> ask(ctx, "call", Requests.with(Requests.json(ctx), ctx, "function"))));
    router.post(API + "/instances/:id/invoke/:function").handler(this::invoke);
    get(router, "/instances/:id/exports/:function").handler(this::exists);
    get(router, "/instances/:id/globals/:global")
        .handler(
            answering(ctx -> ask(ctx, "get-global", Requests.with(Body.EMPTY, ctx, "global"))));
    router
        .put(API + "/instances/:id/globals/:global")
        .handler(
            answering(
                ctx -> ask(ctx, "set-global", Requests.with(Requests.json(ctx), ctx, "global"))));
    get(router, "/instances/:id/fuel").handler(answering(ctx -> ask(ctx, "get-fuel", Body.EMPTY)));
    router
        .put(API + "/instances/:id/fuel")
        .handler(answering(ctx -> ask(ctx, "set-fuel", Requests.json(ctx))));
  }

  /** JSON and text come out under the name they came in with, everything else as bytes. */
  private void invoke(RoutingContext ctx) {
    String type = Requests.textType(ctx).orElse(BYTES);
    Answers.bytes(ctx, ask(ctx, "invoke", Requests.invocation(ctx)), "output", type);
  }

  private void exists(RoutingContext ctx) {
    ask(ctx, "exists", Requests.with(Body.EMPTY, ctx, "function"))
        .map(body -> body.optionalBoolean("exists").orElseThrow())
        .onSuccess(
            exists -> {
              if (exists) {
                ctx.response().setStatusCode(204).end();
              } else {
                Answers.fail(
                    ctx,
                    Failure.NO_SUCH_EXPORT.because(
                        "exported function `%s` not found",
                        Names.shown(ctx.pathParam("function"))));
              }
            })
        .onFailure(e -> Answers.fail(ctx, e));
  }

  private void memory(Router router) {
    String path = API + "/instances/:id/memory";
    router.get(path).handler(this::readMemory);
    router
        .put(path)
        .handler(
            answering(ctx -> ask(ctx, "write-memory", Requests.slice(ctx, Requests.raw(ctx)))));
    router
        .post(path + "/grow")
        .handler(answering(ctx -> ask(ctx, "grow-memory", Requests.json(ctx))));
  }

  /** A slice; without offset and length, the size. */
  private void readMemory(RoutingContext ctx) {
    if (Requests.query(ctx, "offset").isEmpty() && Requests.query(ctx, "length").isEmpty()) {
      answering(c -> ask(c, "memory", Requests.memoryName(c))).handle(ctx);
    } else {
      Answers.bytes(ctx, ask(ctx, "read-memory", Requests.slice(ctx)), "bytes", BYTES);
    }
  }

  /** Asks at a common address: modules and starts take as long as compiling does. */
  private Future<Body> ask(RoutingContext ctx, String address, String action, Body body) {
    Bus.Question question = question(ctx, action, body);
    return bus.ask(address, question.timeout().isPresent() ? question : question.patient());
  }

  /** Asks the instance in the path. */
  private Future<Body> ask(RoutingContext ctx, String action, Body body) {
    return bus.askInstance(
        Names.check("instance id", Requests.id(ctx)), question(ctx, action, body));
  }

  private static Bus.Question question(RoutingContext ctx, String action, Body body) {
    return Bus.Question.of(action, body)
        .withTimeout(Requests.timeout(ctx))
        .withFuel(Requests.fuel(ctx));
  }

  private static Handler<RoutingContext> answering(Function<RoutingContext, Future<Body>> action) {
    return answering(200, action);
  }

  /** Answers with the body as JSON, or with the structured error. */
  private static Handler<RoutingContext> answering(
      int status, Function<RoutingContext, Future<Body>> action) {
    return ctx ->
        action
            .apply(ctx)
            .onSuccess(body -> Answers.end(ctx, status, body))
            .onFailure(e -> Answers.fail(ctx, e));
  }
}
