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
  /** How long a socket may stay without saying who it is. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

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
  private boolean closed;
  private long timer;

  /** With whom the request for the socket was from, if that is known. */
  Door(Lobby lobby, Optional<Client> client, Socket socket) {
    this.lobby = lobby;
    this.socket = socket;
    if (client.isPresent()) {
      open(client.get());
    } else {
      timer = lobby.vertx().setTimer(PATIENCE.toMillis(), late -> refuse());
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

  /**
   * Whoever has sent a message; fails with {@code UNAUTHENTICATED} where nobody is known, with
   * {@code OVERLOADED} where too many messages have come.
   */
  Session next() {
    if (session == null) {
      throw Failure.UNAUTHENTICATED.because("it is not known who this is");
    }
    try {
      session.count();
    } catch (WasmException e) {
      socket.slow();
      throw e;
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
    return lobby
        .guard()
        .client(credential)
        .compose(client -> closed ? gone() : Future.succeededFuture(open(client)));
  }

  private static Future<Session> gone() {
    return Future.failedFuture(Failure.UNAUTHENTICATED.because("the socket is closed"));
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
