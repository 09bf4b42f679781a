package io.busbar.gateway;

import io.busbar.wire.Addresses;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.sockjs.SockJSHandler;
import io.vertx.ext.web.handler.sockjs.SockJSHandlerOptions;
import io.vertx.ext.web.handler.sockjs.SockJSSocket;
import io.vertx.ext.web.handler.sockjs.Transport;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The SockJS sockets of a gateway, at {@code /eventbus}.
 *
 * <p>Only over WebSockets: with the other transports of SockJS whoever learns the name of a session
 * could send in it.
 */
final class Bridge {
  private static final String PATH = "/eventbus/*";
  private static final String CLIENT = "busbar.bridge.client";
  private static final int TOO_BIG = 1009;

  private final Lobby lobby;
  private final Addresses addresses;
  private final Connections connections;
  private final Set<SockJSSocket> open = ConcurrentHashMap.newKeySet();

  Bridge(Lobby lobby, Addresses addresses, Connections connections) {
    this.lobby = lobby;
    this.addresses = addresses;
    this.connections = connections;
  }

  /** What can be done to a SockJS socket from the other side of its door. */
  private record Ends(Lobby lobby, SockJSSocket socket) implements Door.Socket {
    @Override
    public void refuse() {
      socket.close(Sockets.POLICY, "it is not known who this is");
    }

    @Override
    public void slow() {
      socket.pause();
      lobby.vertx().setTimer(Sockets.PAUSE_MILLIS, over -> socket.resume());
    }
  }

  void addTo(Router router) {
    SockJSHandlerOptions options =
        new SockJSHandlerOptions().setInsertJSESSIONID(false).setRegisterWriteHandler(false);
    EnumSet.complementOf(EnumSet.of(Transport.WEBSOCKET))
        .forEach(transport -> options.addDisabledTransport(transport.name()));
    router.route(PATH).handler(this::look);
    router
        .route(PATH)
        .subRouter(SockJSHandler.create(lobby.vertx(), options).socketHandler(this::open));
  }

  /** A request that says who it is from must say so rightly; others say it in their frames. */
  private void look(RoutingContext ctx) {
    if (!ctx.request().headers().contains("Authorization")) {
      lobby.guard().anyone().ifPresent(client -> ctx.put(CLIENT, client));
      ctx.next();
      return;
    }
    ctx.request().pause();
    lobby
        .guard()
        .client(ctx)
        .onSuccess(
            client -> {
              ctx.request().resume();
              ctx.put(CLIENT, client);
              ctx.next();
            })
        .onFailure(e -> Guard.refuse(ctx, e));
  }

  private void open(SockJSSocket socket) {
    connections.becomesSocket(socket.routingContext().request());
    open.add(socket);
    Outlet outlet =
        new Outlet(
            lobby.vertx(),
            socket::write,
            () -> {
              socket.close(Sockets.OVERLOADED, "you do not read");
              connections.cutSoon(socket.routingContext().request().connection());
            },
            lobby.bounds());
    Optional<Client> client = Optional.ofNullable(socket.routingContext().get(CLIENT));
    Door door = new Door(lobby, client, new Ends(lobby, socket));
    BridgeFrames frames = new BridgeFrames(lobby, addresses, door, outlet);
    socket.handler(frame -> frames.received(frame.toString()));
    socket.exceptionHandler(e -> socket.close(TOO_BIG, "a message is too large"));
    socket.closeHandler(
        closed -> {
          open.remove(socket);
          outlet.close();
          door.close();
        });
  }

  void close() {
    open.forEach(socket -> socket.close(Sockets.GOING_AWAY, "the node is closing"));
  }
}
