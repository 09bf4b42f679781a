package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.wire.Addresses;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;

/** The plain WebSockets of a gateway, at {@code /api/v1/ws}. */
final class Sockets {
  private static final Duration PING = Duration.ofSeconds(20);

  private final Lobby lobby;
  private final Addresses addresses;
  private final Lines lines;

  Sockets(Lobby lobby, Addresses addresses, Lines lines) {
    this.lobby = lobby;
    this.addresses = addresses;
    this.lines = lines;
  }

  void addTo(Router router) {
    router.get(ApiRoutes.API + "/ws").handler(this::upgrade);
  }

  private void upgrade(RoutingContext ctx) {
    lobby.guard().admit(ctx, client -> upgrade(ctx, client));
  }

  private void upgrade(RoutingContext ctx, Optional<Client> client) {
    if (!"websocket".equalsIgnoreCase(ctx.request().getHeader(HttpHeaders.UPGRADE))) {
      ctx.fail(Failure.BAD_REQUEST.because("here are WebSockets only: `Upgrade: websocket`"));
      return;
    }
    ctx.request()
        .toWebSocket()
        .onSuccess(socket -> open(socket, ctx.request(), client))
        .onFailure(e -> ctx.fail(400, e));
  }

  private void open(ServerWebSocket socket, HttpServerRequest request, Optional<Client> client) {
    Line line =
        lines.open(request, client, new Line.Ends(socket, socket::writeTextMessage, socket::close));
    SocketFrames frames = new SocketFrames(lobby, addresses, line);
    Texts texts = new Texts(lobby, socket);
    socket.frameHandler(
        frame -> {
          if (!frame.isText()) {
            line.door().count(0);
          }
          texts.add(frame).ifPresent(frames::received);
        });
    long pings = ping(socket);
    socket.exceptionHandler(e -> socket.close());
    socket.closeHandler(
        closed -> {
          lobby.vertx().cancelTimer(pings);
          texts.end();
          lines.closed(line);
        });
  }

  /** A client that does not answer by the next ping is gone. */
  private long ping(ServerWebSocket socket) {
    boolean[] answered = {true}; // only on the socket's event loop
    socket.pongHandler(pong -> answered[0] = true);
    return lobby
        .vertx()
        .setPeriodic(
            PING.toMillis(),
            timer -> {
              if (answered[0]) {
                answered[0] = false;
                socket.writePing(Buffer.buffer("busbar"));
              } else {
                socket.close(Line.GOING_AWAY, "no answer to a ping");
              }
            });
  }
}
