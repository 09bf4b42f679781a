package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * One instance's work, one job at a time in order of arrival, off the event loop.
 *
 * <p>Guest code runs here and nowhere else. The mailbox is bounded; jobs whose time is over leave
 * it without having run. A lane whose thread cannot be stopped is parked: it runs nothing again.
 */
final class Lane {
  private final Lanes lanes;
  private final String name;
  private final Optional<String> user;
  private final int mailbox;
  private final Deque<Job<?>> queue = new ArrayDeque<>(); // this and the rest guarded by this
  private final Promise<Void> closed = Promise.promise();
  private final Promise<String> parking = Promise.promise();
  private Job<?> running;
  private long runningSince; // nanoTime
  private boolean scheduled; // it has a right to run, or waits for one
  private boolean givenUp; // its thread may come back, but not to anything here
  private WasmException refusal; // what is said to newcomers; null: it is open
  private String parked; // why; null: it is not
  private Promise<Void> resting; // to be completed once nothing runs; null: it takes jobs
  private int waits; // callbacks that are waited for; only on the guest's thread

  /** For an instance of this user; empty: the operator's. */
  Lane(Lanes lanes, String name, Optional<String> user, int mailbox) {
    this.lanes = lanes;
    this.name = name;
    this.user = user;
    this.mailbox = mailbox;
  }

  Optional<String> user() {
    return user;
  }

  /** Puts a job at the end; fails at once with {@code OVERLOADED}, or where it is not open. */
  <T> Future<T> submit(Job<T> job) {
    synchronized (this) {
      checkOpen();
      if (queue.size() >= mailbox) {
        throw Failure.OVERLOADED.because(
            "the mailbox of instance `%s` is full (%d operations)", name, mailbox);
      }
      queue.add(job);
      if (scheduled) {
        return job.future();
      }
      scheduled = true;
    }
    lanes.ready(this);
    return job.future();
  }

  /** Puts a job before all others, full or not; from inside a job, and nothing if it is closed. */
  synchronized void submitFirst(Job<?> job) {
    if (refusal == null) {
      queue.addFirst(job);
    }
  }

  /** Fails with {@code UNAVAILABLE} where it is parked, {@code NO_SUCH_INSTANCE} where closed. */
  synchronized void checkOpen() {
    if (refusal != null) {
      throw refusal;
    }
  }

  /** Runs jobs until none is left or the time is over; true if there are more. On a worker. */
  boolean drain(long until) {
    Job<?> job = next();
    while (job != null) {
      job.run();
      if (System.nanoTime() - until >= 0) {
        return hasMore();
      }
      job = next();
    }
    return false;
  }

  private synchronized Job<?> next() {
    running = givenUp ? null : queue.poll();
    runningSince = System.nanoTime();
    if (running == null) {
      idle();
    }
    return running;
  }

  private synchronized boolean hasMore() {
    running = null;
    if (givenUp || queue.isEmpty()) {
      idle();
      return false;
    }
    return true;
  }

  private void idle() {
    scheduled = false;
    lanes.idle(this);
    if (refusal != null) {
      closed.tryComplete();
    }
    if (resting != null) {
      resting.tryComplete();
    }
  }

  /**
   * Takes nothing more, and fails so what comes; done once what is there has been run. One that is
   * parked rests already.
   */
  synchronized Future<Void> rest(WasmException said) {
    if (parked != null) {
      return Future.succeededFuture();
    }
    checkOpen();
    refusal = said;
    resting = Promise.promise();
    if (!scheduled) {
      resting.complete();
    }
    return resting.future();
  }

  /** Takes jobs again after a rest. */
  synchronized void wake() {
    if (resting != null) {
      resting = null;
      refusal = null;
    }
  }

  /** The running job waits for a callback; on the guest's thread. */
  void startWaiting() {
    if (waits == 0) { // inside another wait the right is given away already
      lanes.startWaiting(this);
    }
    waits++;
  }

  /** The running job goes on. */
  void endWaiting() {
    waits--;
    if (waits == 0) {
      lanes.endWaiting(this);
    }
  }

  /** Looks after deadlines; true if a job has been running for longer than {@code nanos}. */
  boolean tick(long now, long nanos) {
    List<Job<?>> due = new ArrayList<>();
    boolean isLong;
    synchronized (this) {
      queue.removeIf(job -> now - job.deadline() >= 0 && due.add(job));
      if (running != null) {
        due.add(running);
      }
      isLong = running != null && now - runningSince > nanos;
    }
    due.forEach(job -> job.tick(now));
    return isLong;
  }

  /**
   * Stops the jobs that their asker named so; true if there was one.
   *
   * @param queued whether one that runs already may go on
   */
  boolean cancel(String id, Optional<String> user, boolean queued) {
    List<Job<?>> named = new ArrayList<>();
    synchronized (this) {
      queue.removeIf(job -> job.isNamed(id, user) && named.add(job));
      if (!queued && running != null && running.isNamed(id, user)) {
        named.add(running);
      }
    }
    WasmException why = Failure.CANCELLED.because("operation `%s` was cancelled", id);
    boolean any = false;
    for (Job<?> job : named) {
      any |= job.stop(why);
    }
    return any;
  }

  /** How many jobs wait. */
  synchronized int queued() {
    return queue.size();
  }

  /** Whether a job runs that has not ended; one that has may still be on its way out. */
  synchronized boolean isRunning() {
    return running != null && running.isRunning();
  }

  /**
   * Gives the running job up if it was told to stop so long ago; then {@link #park} must follow.
   *
   * @return why it was stopped; null where there is nothing to give up
   */
  synchronized WasmException giveUp(long now, Duration patience) {
    if (givenUp || running == null || !running.isDeaf(now, patience)) {
      return null;
    }
    givenUp = true;
    return running.verdict();
  }

  /** Nothing runs here any more: what waits, and whatever comes, fails with {@code UNAVAILABLE}. */
  void park(String reason) {
    WasmException why = Failure.UNAVAILABLE.because("instance `%s` is parked: %s", name, reason);
    List<Job<?>> left;
    synchronized (this) {
      if (refusal != null) {
        return; // it is on its way out
      }
      left = shut(why);
      parked = reason;
    }
    parking.complete(reason);
    left.forEach(job -> job.stop(why));
  }

  /** Why it is parked; empty while it is not. */
  synchronized Optional<String> parked() {
    return Optional.ofNullable(parked);
  }

  /** The same, as soon as it is. */
  Future<String> parking() {
    return parking.future();
  }

  /** Takes nothing more; what waits fails so, what runs goes on. */
  void end(WasmException why) {
    shut(WasmException.noSuchInstance(name)).forEach(job -> job.stop(why));
  }

  /** Takes nothing more and stops what is there, each job with an answer; done when none runs. */
  Future<Void> close() {
    List<Job<?>> left;
    synchronized (this) {
      left = shut(WasmException.noSuchInstance(name));
      if (running != null) {
        left.add(running);
      }
      if (!scheduled) {
        closed.tryComplete();
      }
    }
    WasmException why = Failure.CANCELLED.because("instance `%s` was stopped", name);
    left.forEach(job -> job.stop(why));
    return closed.future();
  }

  private synchronized List<Job<?>> shut(WasmException said) {
    resting = null;
    refusal = said;
    List<Job<?>> left = new ArrayList<>(queue);
    queue.clear();
    return left;
  }
}
