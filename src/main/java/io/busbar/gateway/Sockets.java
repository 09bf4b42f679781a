package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.wire.Addresses;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The plain WebSockets of a gateway, at {@code /api/v1/ws}. */
final class Sockets {
  static final short POLICY = 1008;
  static final short OVERLOADED = 1013;
  static final short GOING_AWAY = 1001;

  private static final Duration PING = Duration.ofSeconds(20);

  /** Who sends faster than it may is not read for so long. */
  static final long PAUSE_MILLIS = 20;

  /** What can be done to a WebSocket from the other side of its door. */
  private record Ends(Lobby lobby, ServerWebSocket socket) implements Door.Socket {
    @Override
    public void refuse() {
      socket.close(POLICY, "it is not known who this is");
    }

    @Override
    public void slow() {
      socket.pause();
      lobby.vertx().setTimer(PAUSE_MILLIS, over -> socket.resume());
    }
  }

  private final Lobby lobby;
  private final Addresses addresses;
  private final Connections connections;
  private final Set<ServerWebSocket> open = ConcurrentHashMap.newKeySet();

  Sockets(Lobby lobby, Addresses addresses, Connections connections) {
    this.lobby = lobby;
    this.addresses = addresses;
    this.connections = connections;
  }

  void addTo(Router router) {
    router.get(ApiRoutes.API + "/ws").handler(this::upgrade);
  }

  /** A request that says who it is from must say so rightly; others say it on the socket. */
  private void upgrade(RoutingContext ctx) {
    boolean saysNothing = !ctx.request().headers().contains("Authorization");
    if (saysNothing) {
      upgrade(ctx, lobby.guard().anyone());
      return;
    }
    ctx.request().pause();
    lobby
        .guard()
        .client(ctx)
        .onSuccess(client -> upgrade(ctx, Optional.of(client)))
        .onFailure(e -> Guard.refuse(ctx, e));
  }

  private void upgrade(RoutingContext ctx, Optional<Client> client) {
    if (!"websocket".equalsIgnoreCase(ctx.request().getHeader(HttpHeaders.UPGRADE))) {
      ctx.fail(Failure.BAD_REQUEST.because("here are WebSockets only: `Upgrade: websocket`"));
      return;
    }
    ctx.request()
        .toWebSocket()
        .onSuccess(
            socket -> {
              connections.becomesSocket(ctx.request());
              open(socket, client, ctx.request().connection());
            })
        .onFailure(e -> ctx.fail(400, e));
  }

  private void open(ServerWebSocket socket, Optional<Client> client, HttpConnection connection) {
    open.add(socket);
    Outlet outlet =
        new Outlet(
            lobby.vertx(),
            socket::writeTextMessage,
            () -> {
              socket.close(OVERLOADED, "you do not read");
              connections.cutSoon(connection);
            },
            lobby.bounds());
    Door door = new Door(lobby, client, new Ends(lobby, socket));
    SocketFrames frames = new SocketFrames(lobby, addresses, door, outlet);
    Texts texts = new Texts(lobby, socket);
    socket.frameHandler(
        frame -> {
          if (!frame.isText()) {
            door.count(0);
          }
          texts.add(frame).ifPresent(frames::received);
        });
    long pings = ping(socket);
    socket.exceptionHandler(e -> socket.close());
    socket.closeHandler(
        closed -> {
          open.remove(socket);
          lobby.vertx().cancelTimer(pings);
          texts.end();
          outlet.close();
          door.close();
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
                socket.close(GOING_AWAY, "no answer to a ping");
              }
            });
  }

  void close() {
    open.forEach(socket -> socket.close(GOING_AWAY, "the node is closing"));
  }
}
