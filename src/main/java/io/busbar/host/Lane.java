package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * One instance's work, one job at a time in order of arrival, off the event loop.
 *
 * <p>Guest code runs here and nowhere else. The mailbox is bounded; jobs whose time is over leave
 * it without having run.
 */
final class Lane {
  private final Lanes lanes;
  private final String name;
  private final int mailbox;
  private final Deque<Job<?>> queue = new ArrayDeque<>(); // this and the rest guarded by this
  private final Promise<Void> closed = Promise.promise();
  private Job<?> running;
  private long runningSince; // nanoTime
  private boolean scheduled; // it has a right to run, or waits for one
  private boolean closing;
  private int waits; // callbacks that are waited for; only on the guest's thread

  Lane(Lanes lanes, String name, int mailbox) {
    this.lanes = lanes;
    this.name = name;
    this.mailbox = mailbox;
  }

  /** Puts a job at the end; fails at once with {@code OVERLOADED} or {@code NO_SUCH_INSTANCE}. */
  <T> Future<T> submit(Job<T> job) {
    synchronized (this) {
      if (closing) {
        throw WasmException.noSuchInstance(name);
      }
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
    running = queue.poll();
    runningSince = System.nanoTime();
    if (running == null) {
      idle();
    }
    return running;
  }

  private synchronized boolean hasMore() {
    running = null;
    if (queue.isEmpty()) {
      idle();
      return false;
    }
    return true;
  }

  private void idle() {
    scheduled = false;
    lanes.idle(this);
    if (closing) {
      closed.tryComplete();
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

  /** Stops the jobs that their asker named so; true if there was one. */
  boolean cancel(String id, Optional<String> user) {
    List<Job<?>> named = new ArrayList<>();
    synchronized (this) {
      queue.removeIf(job -> job.isNamed(id, user) && named.add(job));
      if (running != null && running.isNamed(id, user)) {
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

  synchronized boolean isRunning() {
    return running != null;
  }

  /** Takes nothing more and stops what is there, each job with an answer; done when none runs. */
  Future<Void> close() {
    List<Job<?>> left;
    synchronized (this) {
      closing = true;
      left = new ArrayList<>(queue);
      queue.clear();
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
}
