package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.Consumer;

/** Stands at every door of the gateway: lets nobody in whom it does not know, unless it is told. */
final class Guard {
  private static final String CLIENT = "busbar.client";
  private static final String BEARER = "Bearer ";

  private final boolean open;
  private final Optional<Loopback> loopback; // where the door is open
  private final Origins origins;
  private final Credentials credentials;
  private final boolean knowsSomebody;

  private Guard(HttpGateway.Options options, Credentials credentials) {
    this.open = options.dev();
    this.loopback = open ? Optional.of(new Loopback(options.host())) : Optional.empty();
    this.origins = new Origins(options.origins(), options.plaintext());
    this.credentials = credentials;
    this.knowsSomebody = !options.credentials().isEmpty();
  }

  /** Fails with {@code BAD_REQUEST} where the options would let in whom they should not. */
  static Future<Guard> open(Vertx vertx, HttpGateway.Options options) {
    return Loopback.isLoopback(vertx, options.host())
        .compose(
            isLoopback -> {
              if (!isLoopback) {
                checkExposed(options);
              }
              return Credentials.open(vertx, options.credentials());
            })
        .map(credentials -> new Guard(options, credentials));
  }

  private static void checkExposed(HttpGateway.Options options) {
    String host = Names.shown(options.host());
    if (options.dev()) {
      throw Failure.BAD_REQUEST.because(
          "cannot listen on `%s`: without authentication only loopback is allowed", host);
    } else if (options.tls().isEmpty() && !options.plaintext()) {
      throw Failure.BAD_REQUEST.because(
          "cannot listen on `%s`: without `http.tls` tokens could be read on their way; say"
              + " `http.plaintext` where something else in front of it does the encryption",
          host);
    }
  }

  /** What every request has to pass, also one for what is open to all. */
  void watch(Router router) {
    loopback.ifPresent(guard -> router.route().handler(guard));
    router.route().handler(origins);
  }

  /** Lets a request on whose client is known, before anything of its body is read. */
  void authenticate(RoutingContext ctx) {
    Future<Client> checked = client(ctx);
    if (checked.succeeded()) { // a pause would cost a turn of the event loop
      pass(ctx, checked.result());
      return;
    }
    ctx.request().pause();
    checked
        .onSuccess(
            client -> {
              ctx.request().resume();
              pass(ctx, client);
            })
        .onFailure(e -> refuse(ctx, e));
  }

  /**
   * Lets a request for a socket on: where it says who it is from, it must say so rightly, and is
   * paused; else that may be said on the socket.
   */
  void admit(RoutingContext ctx, Consumer<Optional<Client>> admitted) {
    if (!ctx.request().headers().contains("Authorization")) {
      admitted.accept(anyone());
      return;
    }
    ctx.request().pause();
    client(ctx)
        .onSuccess(client -> admitted.accept(Optional.of(client)))
        .onFailure(e -> refuse(ctx, e));
  }

  /** Answers a request that was paused; the connection may be used for others. */
  static void refuse(RoutingContext ctx, Throwable e) {
    ctx.request().resume();
    ctx.response().putHeader("WWW-Authenticate", "Bearer");
    ctx.fail(e);
  }

  private static void pass(RoutingContext ctx, Client client) {
    ctx.put(CLIENT, client);
    ctx.next();
  }

  /** The client of a request that was let on. */
  static Client of(RoutingContext ctx) {
    return ctx.get(CLIENT);
  }

  /** Who sends this request, by its header. */
  Future<Client> client(RoutingContext ctx) {
    Optional<String> header;
    try {
      header = Origins.only(ctx, "Authorization");
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
    if (header.isEmpty()) {
      return anyone().map(Future::succeededFuture).orElseGet(() -> Future.failedFuture(missing()));
    }
    String text = header.get();
    if (!text.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      return Future.failedFuture(missing());
    }
    return client(text.substring(BEARER.length()).strip());
  }

  /** Whose token or key this is. */
  Future<Client> client(String credential) {
    Optional<Client> anyone = anyone();
    return anyone.isPresent() && !knowsSomebody
        ? Future.succeededFuture(anyone.get())
        : credentials.check(credential);
  }

  /** Who says nothing of itself; empty where that is not enough. */
  Optional<Client> anyone() {
    return open ? Optional.of(Client.ANYONE) : Optional.empty();
  }

  private WasmException missing() {
    return Failure.UNAUTHENTICATED.because(
        knowsSomebody
            ? "a token or key is missing: `Authorization: Bearer …`"
            : "this node knows no keys, so it lets nobody in; on loopback `serve --dev` does");
  }

  void close() {
    credentials.close();
  }
}
