package io.busbar.host;

import io.busbar.engine.Guest;
import io.busbar.model.AfterTrap;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The guests of one instance, one after the other: what its spec says happens once a call has left
 * one in its middle, before anything else runs.
 *
 * <p>Restarts have a budget; where it is used up the instance is parked.
 */
final class Lives {
  private static final int MOST_RESTARTS = 3;
  private static final Duration WITHIN = Duration.ofSeconds(5);

  private final Blueprint blueprint;
  private final Lane lane;
  private final LiveInstance.Context node;
  private final RestartBudget budget = new RestartBudget(MOST_RESTARTS, WITHIN); // only on the lane
  private final Promise<WasmException> ended = Promise.promise();
  private WasmException cutBy; // only on the lane; null: the guest is whole
  private volatile Blueprint.Life life; // written on the lane; null: there is none
  private volatile long epoch;
  private volatile long fuelUsed; // by those that are gone

  Lives(
      Blueprint blueprint, Blueprint.Life first, Lane lane, LiveInstance.Context node, long epoch) {
    this.epoch = epoch;
    this.blueprint = blueprint;
    this.life = first;
    this.lane = lane;
    this.node = node;
    lane.parking().onSuccess(reason -> tell("instance.parked", reason));
  }

  /**
   * The guest for what comes next; on the lane.
   *
   * @throws WasmException where there is none any more, or none could be made
   */
  Guest guest(Job<?> job) {
    if (isOver(job)) { // after a call before in the same operation, else it was seen to
      next(job);
    }
    return life.guest();
  }

  private boolean isOver(Job<?> job) {
    if (then() == AfterTrap.KEEP) {
      return false;
    }
    if (cutBy == null) {
      WasmException verdict = job.verdict();
      cutBy = life.guest().cutBy().map(cut -> verdict == null ? cut : verdict).orElse(null);
    }
    return cutBy != null;
  }

  private AfterTrap then() {
    return blueprint.spec().afterTrap();
  }

  private void next(Job<?> job) {
    lane.checkOpen();
    if (then() == AfterTrap.STOP) {
      throw stopped();
    }
    close();
    if (!budget.take(System.nanoTime())) {
      park();
      lane.checkOpen();
    }
    restart(job);
  }

  private WasmException stopped() {
    return Failure.CANCELLED.because(
        "instance `%s` was stopped: %s", blueprint.id(), cutBy.getMessage());
  }

  private void park() {
    lane.park(
        String.format(
            "it failed again after %d restarts within %d s: %s",
            MOST_RESTARTS, WITHIN.toSeconds(), cutBy.getMessage()));
  }

  /** After each operation, on the lane: what follows from it comes before the next. */
  void settle(Job<?> job) {
    if (isOver(job)) {
      Job.Time time = Job.Time.from(blueprint.limits().deadline());
      lane.submitFirst(new Job<>(this::follow, Job.Asker.NOBODY, time));
    }
  }

  private Void follow(Job<?> job) {
    if (then() == AfterTrap.STOP) {
      lane.end(stopped());
      ended.tryComplete(cutBy);
      return null;
    }
    try {
      guest(job);
    } finally {
      settle(job);
    }
    return null;
  }

  /** As at its start; where that fails, the failure is what a further restart comes after. */
  private void restart(Job<?> job) {
    try {
      life = blueprint.build(job);
    } catch (RuntimeException | Error e) {
      WasmException verdict = job.verdict();
      cutBy = verdict == null ? Guest.failure(e) : verdict;
      throw cutBy;
    }
    epoch++;
    node.roster().renewed(blueprint.key(), epoch);
    String reason = cutBy.getMessage();
    cutBy = null;
    tell("instance.restarted", reason);
  }

  private void tell(String event, String reason) {
    Map<String, Object> about = new LinkedHashMap<>();
    about.put("id", blueprint.id());
    about.put("epoch", epoch);
    about.put("reason", reason);
    node.events().happened(event, about, blueprint.user());
  }

  /** The guest and its streams, for what may be asked of them from any thread. */
  Optional<Blueprint.Life> now() {
    return Optional.ofNullable(life);
  }

  /** What all its guests together have used of their fuel; 0 where they are not metered. */
  long fuelUsed() {
    Blueprint.Life present = life;
    return fuelUsed + (present == null ? 0 : present.guest().fuelUsed());
  }

  /** By how many restarts it is more than at first. */
  long epoch() {
    return epoch;
  }

  /** Why the instance is to be stopped, if ever it is after what its guest did. */
  Future<WasmException> ended() {
    return ended.future();
  }

  /** Closes what the guest has open, once nothing runs in it any more; again does nothing. */
  void close() {
    Blueprint.Life last = life;
    life = null;
    if (last != null) {
      fuelUsed += last.guest().fuelUsed();
      last.close();
    }
  }
}
