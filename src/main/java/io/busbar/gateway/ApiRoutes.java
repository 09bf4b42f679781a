package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** The requests of PROTOCOL §9: each becomes one message on the bus, its answer the response. */
final class ApiRoutes {
  static final String API = "/api/v1";
  private static final String BYTES = "application/octet-stream";

  private final Access access;
  private final String prefix = UUID.randomUUID() + "."; // before the names of operations
  private final AtomicLong asked = new AtomicLong();
  private final Addresses addresses;

  ApiRoutes(Access access, Addresses addresses) {
    this.access = access;
    this.addresses = addresses;
  }

  /** The call first: it is asked for most often. */
  void addTo(Router router) {
    router
        .post(API + "/instances/:id/call/:function")
        .handler(
            answering(ctx -> ask(ctx, "call", Requests.with(Requests.json(ctx), ctx, "function"))));
    modules(router);
    instances(router);
    memory(router);
    nodes(router);
  }

  private static Route get(Router router, String path) {
    return router.get(API + path);
  }

  private void nodes(Router router) {
    String address = addresses.nodes();
    get(router, "/nodes").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    router
        .post(API + "/nodes/:node/drain")
        .handler(
            answering(
                ctx -> ask(ctx, address, "drain", Requests.with(Requests.json(ctx), ctx, "node"))));
  }

  private void modules(Router router) {
    String address = addresses.modules();
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
    String address = addresses.instances();
    router
        .post(API + "/instances")
        .handler(answering(201, ctx -> ask(ctx, address, "start", Requests.json(ctx))));
    get(router, "/instances").handler(answering(ctx -> ask(ctx, address, "list", Body.EMPTY)));
    get(router, "/instances/:id")
        .handler(answering(ctx -> ask(ctx, "describe", Requests.flag(ctx, "recent"))));
    router
        .delete(API + "/instances/:id")
        .handler(answering(ctx -> ask(ctx, address, "stop", Body.of("id", Requests.id(ctx)))));
    router
        .post(API + "/instances/:id/move")
        .handler(
            answering(
                ctx -> ask(ctx, address, "move", Requests.with(Requests.json(ctx), ctx, "id"))));
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

  /** Asks at a common address. */
  private Future<Body> ask(RoutingContext ctx, String address, String action, Body body) {
    return access.at(Guard.of(ctx), address, question(ctx, action, body));
  }

  /** Asks the instance in the path; if the client goes away first, it is asked nothing more. */
  private Future<Body> ask(RoutingContext ctx, String action, Body body) {
    Client client = Guard.of(ctx);
    String id = Requests.id(ctx);
    String name = prefix + asked.incrementAndGet();
    Future<Body> answer =
        access.instance(client, id, question(ctx, action, body).named(Optional.of(name)));
    if (!answer.isComplete()) {
      ctx.addEndHandler(
          ended -> {
            if (ended.failed() && !answer.isComplete()) {
              access.abandon(client, id, name);
            }
          });
    }
    return answer;
  }

  private static Bus.Question question(RoutingContext ctx, String action, Body body) {
    return Uploads.place(ctx)
        .taking(
            Bus.Question.of(action, body)
                .withTimeout(Requests.timeout(ctx))
                .withFuel(Requests.fuel(ctx)));
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
