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

/**
 * The SockJS sockets of a gateway, at {@code /eventbus}.
 *
 * <p>Only over WebSockets: with the other transports of SockJS whoever learns the name of a session
 * could send in it.
 */
final class Bridge {
  private static final String PATH = "/eventbus/*";
  private static final String CLIENT = "busbar.bridge.client";
  private static final short TOO_BIG = 1009;

  private final Lobby lobby;
  private final Addresses addresses;
  private final Lines lines;

  Bridge(Lobby lobby, Addresses addresses, Lines lines) {
    this.lobby = lobby;
    this.addresses = addresses;
    this.lines = lines;
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

  private void look(RoutingContext ctx) {
    lobby.guard().admit(ctx, client -> pass(ctx, client));
  }

  private static void pass(RoutingContext ctx, Optional<Client> client) {
    ctx.request().resume();
    client.ifPresent(known -> ctx.put(CLIENT, known));
    ctx.next();
  }

  private void open(SockJSSocket socket) {
    RoutingContext ctx = socket.routingContext();
    Optional<Client> client = Optional.ofNullable(ctx.get(CLIENT));
    Line line =
        lines.open(ctx.request(), client, new Line.Ends(socket, socket::write, socket::close));
    BridgeFrames frames = new BridgeFrames(lobby, addresses, line);
    socket.handler(frame -> frames.received(frame.toString()));
    socket.exceptionHandler(e -> line.close(TOO_BIG, "a message is too large"));
    socket.closeHandler(closed -> lines.closed(line));
  }
}
