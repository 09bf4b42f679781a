package io.busbar.gateway;

import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The open sockets of a gateway, of both kinds. */
final class Lines {
  private final Lobby lobby;
  private final Connections connections;
  private final Set<Line> open = ConcurrentHashMap.newKeySet();

  Lines(Lobby lobby, Connections connections) {
    this.lobby = lobby;
    this.connections = connections;
  }

  /** One more, which a request of this client has become; where it is not known, of nobody yet. */
  Line open(HttpServerRequest request, Optional<Client> client, Line.Ends ends) {
    connections.becomesSocket(request);
    HttpConnection connection = request.connection();
    Line line =
        new Line(
            lobby,
            client,
            ends,
            () -> Connections.flush(connection),
            () -> connections.cutSoon(connection));
    open.add(line);
    return line;
  }

  /** Its socket is closed. */
  void closed(Line line) {
    open.remove(line);
    line.end();
  }

  void close() {
    open.forEach(line -> line.close(Line.GOING_AWAY, "the node is closing"));
  }
}
