package io.busbar.cluster;

import io.busbar.model.Failure;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What a node does before it goes: takes nothing new, moves what it has, and stays for what is on
 * its way to it.
 */
final class Departure {
  private static final System.Logger LOG = System.getLogger(Departure.class.getName());

  private static final Duration SLACK = Duration.ofSeconds(5);

  private final Vertx vertx;
  private final Members members;
  private final Directory directory;
  private final Work work;
  private final Moves moves;
  private final Supplier<Future<Void>> withdrawing;
  private Future<Body> draining; // null: none was asked for; this and the next guarded by this
  private Future<Void> left;

  /** With what takes the addresses of this node away from the others. */
  Departure(
      Vertx vertx,
      Members members,
      Directory directory,
      Work work,
      Moves moves,
      Supplier<Future<Void>> withdrawing) {
    this.vertx = vertx;
    this.members = members;
    this.directory = directory;
    this.work = work;
    this.moves = moves;
    this.withdrawing = withdrawing;
  }

  /**
   * The operation {@code drain}: all this node has goes to others. Where something could not go
   * nothing is moved, and where something did not the node goes on with that.
   *
   * @return what has moved, and what of it has lost its state
   */
  synchronized Future<Body> drain(Ask ask) {
    if (left != null || draining != null && !draining.isComplete()) {
      throw Failure.CONFLICT.because("node `%s` is leaving already", members.self());
    }
    draining = moveAll(ask);
    return draining;
  }

  private Future<Body> moveAll(Ask ask) {
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
        .recover(e -> reopen().transform(done -> Future.failedFuture(e)));
  }

  private synchronized Future<Void> reopen() {
    return left == null ? state(Directory.OPEN) : Future.succeededFuture();
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
      Future<?> drained = draining == null ? Future.succeededFuture() : draining;
      Promise<Void> gone = Promise.promise();
      left = gone.future();
      drained.otherwiseEmpty().compose(done -> leaveOthers()).onComplete(gone);
    }
    return left;
  }

  /** Bounded, since nobody waits longer for a process that is to end. */
  private Future<Void> leaveOthers() {
    if (members.names().size() == 1) {
      return Future.succeededFuture();
    }
    Members.Patience patience = members.patience();
    Duration most = patience.drain().plus(SLACK);
    return state(Directory.DRAINING)
        .compose(draining -> moves.moveAll(true, patience.drain()))
        .onSuccess(Departure::tell)
        .timeout(most.toMillis(), TimeUnit.MILLISECONDS)
        .onFailure(
            e -> LOG.log(System.Logger.Level.WARNING, "not all has moved: {0}", e.toString()))
        .eventually(withdrawing::get)
        .eventually(
            () -> vertx.timer(Math.max(1, patience.linger().toMillis()), TimeUnit.MILLISECONDS))
        .eventually(this::forget)
        .<Void>mapEmpty()
        .otherwiseEmpty();
  }

  private Future<Void> forget() {
    return work.run(
        () -> {
          directory.forget(members.self());
          return null;
        });
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
}
