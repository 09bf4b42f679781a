package io.busbar.cluster;

import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What a node does before it goes: takes nothing new, moves what it has, and stays for what is on
 * its way to it.
 */
final class Departure {
  private static final System.Logger LOG = System.getLogger(Departure.class.getName());

  private final Vertx vertx;
  private final Addresses addresses;
  private final Members members;
  private final Directory directory;
  private final Work work;
  private final Moves moves;
  private final Registrations registrations;
  private Future<Void> left; // guarded by this

  Departure(
      Vertx vertx,
      Addresses addresses,
      Members members,
      Directory directory,
      Work work,
      Moves moves,
      Registrations registrations) {
    this.vertx = vertx;
    this.addresses = addresses;
    this.members = members;
    this.directory = directory;
    this.work = work;
    this.moves = moves;
    this.registrations = registrations;
  }

  /**
   * The operation {@code drain}: all this node has goes to others, or nothing does.
   *
   * @return what has moved, and what of it has lost its state
   */
  Future<Body> drain(Ask ask) {
    boolean fresh = ask.body().optionalBoolean("fresh").orElse(false);
    Duration most = ask.timeout().isZero() ? members.patience().drain() : ask.remaining();
    return state(Directory.DRAINING)
        .compose(
            draining -> {
              moves.checkAllCanGo(fresh);
              return moves.moveAll(fresh, most);
            })
        .compose(
            moved -> {
              moves.checkAllGone();
              return Future.succeededFuture(answer(moved));
            })
        .recover(e -> state(Directory.OPEN).transform(done -> Future.failedFuture(e)));
  }

  private Future<Void> state(String state) {
    return work.run(
        () -> {
          directory.state(state);
          return null;
        });
  }

  private Body answer(List<Moves.Moved> moved) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("node", members.self());
    fields.put("moved", keys(moved.stream()));
    fields.put("fresh", keys(moved.stream().filter(Moves.Moved::lostState)));
    return Body.of(fields);
  }

  private static List<String> keys(Stream<Moves.Moved> moved) {
    return moved.map(Moves.Moved::key).sorted().toList();
  }

  /** Goes, whatever is lost with it; done when nothing is on its way here any more. */
  synchronized Future<Void> leave() {
    if (left == null) {
      left = members.names().size() > 1 ? leaveOthers() : Future.succeededFuture();
    }
    return left;
  }

  private Future<Void> leaveOthers() {
    return state(Directory.DRAINING)
        .compose(draining -> moves.moveAll(true, members.patience().drain()))
        .onSuccess(Departure::tell)
        .eventually(this::withdraw)
        .eventually(
            () ->
                vertx.timer(
                    Math.max(1, members.patience().linger().toMillis()), TimeUnit.MILLISECONDS))
        .eventually(
            () ->
                work.run(
                    () -> {
                      directory.forget(members.self());
                      return null;
                    }))
        .onFailure(e -> LOG.log(System.Logger.Level.WARNING, "not moved: {0}", e.getMessage()))
        .<Void>mapEmpty()
        .otherwiseEmpty();
  }

  private static void tell(List<Moves.Moved> moved) {
    List<String> fresh = keys(moved.stream().filter(Moves.Moved::lostState));
    if (!moved.isEmpty()) {
      LOG.log(
          System.Logger.Level.INFO,
          "{0} instances moved; {1} of them had been called and started afresh: {2}",
          moved.size(),
          fresh.size(),
          fresh);
    }
  }

  /** Nobody sends anything here any more. */
  private Future<Void> withdraw() {
    List<Future<Void>> withdrawn =
        Stream.of(
                addresses.instances(),
                addresses.modules(),
                addresses.nodes(),
                addresses.node(members.self()))
            .map(registrations::withdraw)
            .toList();
    return Future.join(withdrawn).mapEmpty();
  }
}
