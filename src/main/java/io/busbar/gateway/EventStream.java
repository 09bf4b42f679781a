package io.busbar.gateway;

import io.busbar.wire.Addresses;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Optional;

/**
 * What is published on the bus as server-sent events, at {@code /api/v1/events}: of the cluster, or
 * with the query's {@code address} an instance's output.
 */
final class EventStream {
  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(15);

  private final Lobby lobby;
  private final Addresses addresses;

  EventStream(Lobby lobby, Addresses addresses) {
    this.lobby = lobby;
    this.addresses = addresses;
  }

  void addTo(Router router) {
    router.get(ApiRoutes.API + "/events").handler(this::open);
  }

  /** What can be done to a stream from the other side of its door. */
  private record Ends(RoutingContext ctx) implements Door.Socket {
    @Override
    public void refuse() {
      Connections.cut(ctx.request().connection());
    }

    @Override
    public void slow() {
      // it sends nothing
    }
  }

  private void open(RoutingContext ctx) {
    String address = Requests.query(ctx, "address").orElse(addresses.events());
    HttpServerResponse response = ctx.response();
    Outlet outlet =
        new Outlet(
            lobby.vertx(),
            response::write,
            () -> {}, // each event leaves by itself
            () -> Connections.cut(ctx.request().connection()),
            lobby.bounds());
    Door door = new Door(lobby, Optional.of(Guard.of(ctx)), new Ends(ctx));
    long signs =
        lobby.vertx().setPeriodic(SIGN_OF_LIFE.toMillis(), again -> outlet.say(": busbar\n\n"));
    ctx.addEndHandler(
        ended -> {
          lobby.vertx().cancelTimer(signs);
          outlet.close();
          door.close();
        });
    door.session()
        .subscribe(address, event -> send(outlet, event))
        .onSuccess(
            listening -> {
              response
                  .setChunked(true)
                  .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream")
                  .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                  .putHeader("X-Accel-Buffering", "no");
              outlet.say(": busbar\n\n");
            })
        .onFailure(ctx::fail);
  }

  /** Who does not read misses events. */
  private static void send(Outlet outlet, JsonObject event) {
    if (outlet.isCalm()) {
      String name = event.getString("event", "output");
      outlet.offer("event: " + name + "\ndata: " + event.encode() + "\n\n");
    }
  }
}
