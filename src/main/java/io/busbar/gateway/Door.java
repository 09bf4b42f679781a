package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Where one socket comes in: nobody has a session before it is known who it is, and nobody keeps
 * one for longer than its token is good for. On the socket's event loop.
 */
final class Door {
  /** The most messages of who has not said who it is. */
  private static final int MOST_UNKNOWN = 20;

  private static final long LONGEST_TIMER = Duration.ofDays(20).toMillis();

  /** What a door can do to the socket behind it. */
  interface Socket {
    /** Ends it: nobody known is there. */
    void refuse();

    /** Reads nothing from it for a moment. */
    void slow();
  }

  private final Lobby lobby;
  private final Socket socket;
  private Session session; // null: nobody is known yet
  private int unknown; // messages
  private boolean closed;
  private long timer = -1; // 0 is somebody else's

  /** With whom the request for the socket was from, if that is known. */
  Door(Lobby lobby, Optional<Client> client, Socket socket) {
    this.lobby = lobby;
    this.socket = socket;
    if (client.isPresent()) {
      open(client.get());
    } else {
      timer = lobby.vertx().setTimer(lobby.bounds().patience().toMillis(), late -> refuse());
    }
  }

  private Session open(Client client) {
    lobby.vertx().cancelTimer(timer);
    session = new Session(lobby, client);
    client.expires().ifPresent(this::endThen);
    return session;
  }

  private void endThen(Instant end) {
    long left = Duration.between(Instant.now(), end).toMillis();
    timer = lobby.vertx().setTimer(Math.max(1, Math.min(left, LONGEST_TIMER)), over -> expire(end));
  }

  private void expire(Instant end) {
    if (end.isAfter(Instant.now())) {
      endThen(end);
    } else {
      refuse();
    }
  }

  /** One more message of so many bytes has come, whatever it says; why it is refused, if it is. */
  Optional<WasmException> count(int bytes) {
    if (session == null) {
      if (++unknown > MOST_UNKNOWN) {
        refuse();
      }
      return Optional.empty();
    }
    Optional<WasmException> refused = session.count(bytes);
    refused.ifPresent(e -> socket.slow());
    return refused;
  }

  static void check(Optional<WasmException> refused) {
    refused.ifPresent(
        e -> {
          throw e;
        });
  }

  /** Whoever is there; fails with {@code UNAUTHENTICATED} where nobody is known. */
  Session session() {
    if (session == null) {
      throw Failure.UNAUTHENTICATED.because("it is not known who this is");
    }
    return session;
  }

  /** Whether it is known who is there. */
  boolean isKnown() {
    return session != null;
  }

  /** Somebody says who it is; once. */
  Future<Session> enter(String credential) {
    if (session != null && lobby.guard().anyone().isPresent()) {
      return Future.succeededFuture(session); // nobody has asked
    } else if (session != null) {
      return Future.failedFuture(Failure.BAD_REQUEST.because("it is known already who this is"));
    }
    return lobby.guard().client(credential).compose(client -> entered(client));
  }

  private Future<Session> entered(Client client) {
    if (closed) {
      return Future.failedFuture(Failure.UNAUTHENTICATED.because("the socket is closed"));
    }
    return Future.succeededFuture(session == null ? open(client) : session);
  }

  /** Nobody stays whom it does not know. */
  void refuse() {
    if (!closed) {
      socket.refuse();
    }
  }

  void close() {
    closed = true;
    lobby.vertx().cancelTimer(timer);
    if (session != null) {
      session.close();
    }
  }
}
