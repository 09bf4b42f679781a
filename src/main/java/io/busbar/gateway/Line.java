package io.busbar.gateway;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.streams.ReadStream;
import java.util.Optional;
import java.util.function.Function;

/**
 * A socket of either kind while it is open, with a door to come in by and a voice for what goes
 * out. On its event loop.
 */
final class Line implements Door.Socket {
  static final short GOING_AWAY = 1001;
  private static final short POLICY = 1008;
  private static final short OVERLOADED = 1013;

  /** Who sends faster than it may is not read for so long. */
  private static final long PAUSE_MILLIS = 20;

  /**
   * What a socket of either kind can do.
   *
   * @param writing done when the text has left this process
   */
  record Ends(ReadStream<?> incoming, Function<String, Future<Void>> writing, Closing closing) {}

  /** Closes a socket with a code and a reason. */
  interface Closing {
    void close(short code, String why);
  }

  private final Vertx vertx;
  private final Ends ends;
  private final Outlet outlet;
  private final Voice voice;
  private final Door door;

  /**
   * A line.
   *
   * @param client whom the request for it was from, if that is known
   * @param flushing what was written leaves now
   * @param cutting cuts it off
   */
  Line(Lobby lobby, Optional<Client> client, Ends ends, Runnable flushing, Runnable cutting) {
    this.vertx = lobby.vertx();
    this.ends = ends;
    this.outlet = new Outlet(vertx, ends.writing(), flushing, () -> cut(cutting), lobby.bounds());
    this.voice = new Voice(outlet, lobby.bounds().messageBytes());
    this.door = new Door(lobby, client, this);
  }

  Door door() {
    return door;
  }

  Voice voice() {
    return voice;
  }

  @Override
  public void refuse() {
    close(POLICY, "it is not known who this is");
  }

  @Override
  public void slow() {
    ends.incoming().pause();
    vertx.setTimer(PAUSE_MILLIS, over -> ends.incoming().resume());
  }

  private void cut(Runnable cutting) {
    close(OVERLOADED, "you do not read");
    cutting.run();
  }

  void close(short code, String why) {
    ends.closing().close(code, why);
  }

  /** The socket is closed: nothing goes either way any more. */
  void end() {
    outlet.close();
    door.close();
  }
}
