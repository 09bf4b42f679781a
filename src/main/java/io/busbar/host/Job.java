package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One operation on an instance: it waits, runs on a worker thread, and ends exactly once.
 *
 * <p>Whoever stops it interrupts the thread only while the job runs, and the flag is cleared before
 * the thread is handed on, so an interrupt never reaches another job.
 */
final class Job<T> {
  /** What a job does, on the guest's thread. */
  @FunctionalInterface
  interface Work<T> {
    T run(Job<T> job) throws Exception;
  }

  /** A stretch of time that has begun: when it ends, and how long it was meant to be. */
  record Time(long end, Duration whole) {
    static Time from(Duration whole) {
      return new Time(System.nanoTime() + whole.toNanos(), whole);
    }

    boolean isOver() {
      return System.nanoTime() - end >= 0;
    }

    /** What is left, at least a millisecond. */
    Duration left() {
      return Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
    }

    WasmException exceeded(String ran) {
      return Failure.DEADLINE
          .because("deadline of %d ms exceeded (%s)", whole.toMillis(), ran)
          .with("ran", ran);
    }
  }

  private static final System.Logger LOG = System.getLogger(Job.class.getName());

  private enum State {
    QUEUED,
    RUNNING,
    DONE
  }

  /** How long a guest may take to notice that it was interrupted, before its asker is told. */
  private static final long GRACE = Duration.ofMillis(250).toNanos();

  private static final ThreadLocal<Job<?>> CURRENT = new ThreadLocal<>();

  private final Work<T> work;
  private final Asker asker;
  private final Time time;
  private final Promise<T> promise = Promise.promise();
  private State state = State.QUEUED; // this and the rest guarded by this
  private boolean begun;
  private Thread thread;
  private WasmException verdict; // why it was stopped
  private long verdictAt;

  /**
   * Who asked for a job.
   *
   * @param id the asker's name for it
   * @param user the asker, where the gateway said so
   * @param chain the instances whose calls wait for it, outermost first
   */
  record Asker(Optional<String> id, Optional<String> user, List<String> chain) {
    /** Nobody: what the host does of itself. */
    static final Asker NOBODY = new Asker(Optional.empty(), Optional.empty(), List.of());

    static Asker of(Ask ask) {
      return new Asker(ask.id(), ask.user(), ask.chain());
    }
  }

  /** A job to be over within this time. */
  Job(Work<T> work, Asker asker, Time time) {
    this.work = work;
    this.asker = asker;
    this.time = time;
  }

  Future<T> future() {
    return promise.future();
  }

  /** When its time is over, as {@link System#nanoTime}. */
  long deadline() {
    return time.end;
  }

  /** Whether this is the job its asker named so. */
  boolean isNamed(String id, Optional<String> user) {
    return asker.id.filter(id::equals).isPresent() && asker.user.equals(user);
  }

  /** The instances whose calls wait for this job, outermost first. */
  List<String> chain() {
    return asker.chain;
  }

  /** What is left of its time, at least a millisecond. */
  Duration remaining() {
    return time.left();
  }

  /** The job that runs on this thread. */
  static Job<?> current() {
    return CURRENT.get();
  }

  /** Runs it, unless its time is over or somebody stopped it. */
  void run() {
    if (!begin()) {
      return;
    }
    T result = null;
    Throwable thrown = null;
    try {
      CURRENT.set(this);
      result = work.run(this);
    } catch (Throwable e) {
      thrown = e;
    } finally {
      CURRENT.remove();
    }
    WasmException why = end();
    if (thrown == null) {
      complete(result);
    } else {
      promise.tryFail(why == null ? thrown : why);
    }
  }

  /** What comes too late for its asker is closed if it can be. */
  private void complete(T result) {
    if (!promise.tryComplete(result) && result instanceof AutoCloseable late) {
      try {
        late.close();
      } catch (Exception e) {
        LOG.log(System.Logger.Level.WARNING, "cannot close what came too late", e);
      }
    }
  }

  private boolean begin() {
    if (time.isOver()) {
      expire();
    }
    synchronized (this) {
      if (state != State.QUEUED) {
        return false;
      }
      state = State.RUNNING;
      begun = true;
      thread = Thread.currentThread();
      return true;
    }
  }

  private synchronized WasmException end() {
    state = State.DONE;
    thread = null;
    Thread.interrupted();
    return verdict;
  }

  synchronized boolean isRunning() {
    return state == State.RUNNING;
  }

  /** Whether it runs, or ran. */
  synchronized boolean hasBegun() {
    return begun;
  }

  /** Why the job was stopped, for work that can end in parts; else null. */
  synchronized WasmException verdict() {
    return verdict;
  }

  /** Whether it still runs, so long after it was told to stop. */
  synchronized boolean isDeaf(long now, Duration patience) {
    return state == State.RUNNING && verdict != null && now - verdictAt > patience.toNanos();
  }

  /** Fails with the verdict if there is one: work that was stopped has no result. */
  void checkNotStopped() {
    WasmException why = verdict();
    if (why != null) {
      throw why;
    }
  }

  /** Its time is over: it never starts, or is interrupted. */
  boolean expire() {
    return stop(time.exceeded("never"), time.exceeded("interrupted"));
  }

  /** A failure for what comes after a part that was stopped with this verdict. */
  WasmException never() {
    WasmException why = verdict();
    return why.failure() == Failure.DEADLINE ? time.exceeded("never") : why;
  }

  boolean stop(WasmException why) {
    return stop(why, why);
  }

  /** True if it was not over yet. */
  private boolean stop(WasmException ifQueued, WasmException ifRunning) {
    synchronized (this) {
      if (state == State.DONE) {
        return false;
      }
      if (state == State.RUNNING) {
        interrupt(ifRunning);
        return true;
      }
      state = State.DONE;
    }
    promise.tryFail(ifQueued);
    return true;
  }

  private void interrupt(WasmException why) {
    if (verdict == null) {
      verdict = why;
      verdictAt = System.nanoTime();
    }
    thread.interrupt();
  }

  /** Looked at now and then: expires, interrupts again, and at last answers for a deaf guest. */
  void tick(long now) {
    WasmException overdue;
    synchronized (this) {
      if (verdict == null && now - time.end < 0 || state == State.DONE) {
        return;
      }
      overdue = verdict != null && now - verdictAt > GRACE ? verdict : null;
    }
    expire();
    if (overdue != null) {
      promise.tryFail(overdue);
    }
  }
}
