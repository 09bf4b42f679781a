package io.busbar.host;

import io.busbar.engine.GuestThread;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.netty.channel.EventLoop;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Who of a node's lanes may run: the only caller of {@code executeBlocking} for guests.
 *
 * <p>There are about as many rights to run as cores, and far more threads. Users take turns. A lane
 * gives its right on after a short time if others wait; one that is inside a long call lends its
 * right to the next, so guests that never end share the cores with the others instead of shutting
 * them out. A thread that cannot be stopped is written off: another takes its place until it comes
 * back.
 */
final class Lanes implements AutoCloseable {
  /**
   * How guests run.
   *
   * @param rights lanes that run at the same time, long calls not counted
   * @param threads the most worker threads, and so the most calls that run at the same time
   * @param stackKib the stack of each, in KiB, which bounds a guest's recursion
   * @param patience how long after its job was stopped a thread may go on before it is written off
   */
  record Options(int rights, int threads, int stackKib, Duration patience) {}

  private static final System.Logger LOG = System.getLogger(Lanes.class.getName());
  private static final long SLICE = Duration.ofMillis(2).toNanos();
  private static final int THREADS_OF_USER = 4; // one in so many
  private static final long LONG_CALL = Duration.ofMillis(20).toNanos();

  private final Options options;
  private final Health health;
  private final ThreadPoolExecutor threads;
  private final Context workers;
  private final Watch watch;
  private final Set<Lane> busy = ConcurrentHashMap.newKeySet();
  private final Set<EventLoop> dispatching = ConcurrentHashMap.newKeySet(); // about to
  private final Turns ready; // this and the rest guarded by this
  private final Set<Lane> draining = new HashSet<>();
  private final Set<Lane> lent = new HashSet<>(); // of those draining
  private final Set<Lane> lost = new HashSet<>(); // drained by threads that were written off
  private int running;

  Lanes(Vertx vertx, Options options, Health health) {
    this.options = options;
    this.health = health;
    this.ready = new Turns(Math.max(options.rights, options.threads / THREADS_OF_USER));
    this.threads = threads(options);
    this.workers = workers((VertxInternal) vertx);
    this.watch = new Watch(this::tick);
  }

  /** Made on demand, gone after half a minute, each with a stack fit for deep recursion. */
  private static ThreadPoolExecutor threads(Options options) {
    return new ThreadPoolExecutor(
        0,
        options.threads,
        30,
        TimeUnit.SECONDS,
        new SynchronousQueue<>(),
        task -> new GuestThread(task, "busbar-guest", options.stackKib));
  }

  /** A context whose {@code executeBlocking} runs on our threads: named pools fix the stack. */
  private Context workers(VertxInternal vertx) {
    return vertx.contextBuilder().withWorkerPool(vertx.wrapWorkerPool(threads)).build();
  }

  /** The lane has work. */
  void ready(Lane lane) {
    busy.add(lane);
    synchronized (this) {
      ready.add(lane);
    }
    watch.wake();
    dispatchSoon();
  }

  /**
   * On an event loop only when it has done what it is at, so that threads are woken once for all
   * that came in together.
   */
  private void dispatchSoon() {
    ContextInternal context = ContextInternal.current();
    EventLoop loop = context == null ? null : context.nettyEventLoop();
    if (loop == null || !loop.inEventLoop()) {
      dispatch();
    } else if (dispatching.add(loop)) {
      loop.execute(
          () -> {
            dispatching.remove(loop);
            dispatch();
          });
    }
  }

  /** The lane has none any more. */
  void idle(Lane lane) {
    busy.remove(lane);
  }

  /** Gives free rights to lanes that wait. */
  private void dispatch() {
    while (true) {
      synchronized (this) {
        if (ready.isEmpty() || running >= options.rights + lent.size()) {
          return;
        }
        running++;
      }
      try {
        workers.executeBlocking(this::work, false);
      } catch (RejectedExecutionException e) {
        synchronized (this) {
          running--; // no thread to be had: whoever ends next goes on
        }
        return;
      }
    }
  }

  /** On a worker, with a right to run: one lane after the other. */
  private Void work() {
    Lane lane = next(null, false);
    while (lane != null) {
      boolean more = drain(lane);
      lane = next(lane, more);
    }
    return null;
  }

  private boolean drain(Lane lane) {
    try {
      return lane.drain(System.nanoTime() + SLICE);
    } catch (Throwable e) {
      LOG.log(System.Logger.Level.ERROR, "a lane failed", e);
      return false;
    }
  }

  /** The lane to go on with; null where this right is not to be had any more. */
  private synchronized Lane next(Lane done, boolean more) {
    if (lost.remove(done)) { // it came back after all
      lostChanged();
      return null;
    }
    if (done != null) {
      draining.remove(done);
      lent.remove(done);
      ready.done(done);
      if (more) {
        ready.add(done);
      }
    }
    Lane next = running > options.rights + lent.size() ? null : ready.poll();
    if (next == null) {
      running--;
    } else {
      draining.add(next);
    }
    return next;
  }

  /** How many lanes run now. */
  synchronized int running() {
    return running;
  }

  /** How many of them have lent their right to another. */
  synchronized int lent() {
    return lent.size();
  }

  /** How many threads were written off and have not come back. */
  synchronized int lost() {
    return lost.size();
  }

  /** Whether there has been nothing to look after for a while. */
  boolean isIdle() {
    return watch.isAsleep();
  }

  /** Looks after deadlines and long calls; true if a lane has work. */
  private boolean tick() {
    long now = System.nanoTime();
    for (Lane lane : busy) {
      if (lane.tick(now, LONG_CALL)) {
        lend(lane);
      }
      WasmException stopped = lane.giveUp(now, options.patience);
      if (stopped != null) {
        writeOff(lane);
        lane.park("its thread cannot be stopped: " + stopped.getMessage());
      }
    }
    dispatch();
    return !busy.isEmpty();
  }

  /** The right of the lane's thread goes to another, and one more may be made in its place. */
  private void writeOff(Lane lane) {
    idle(lane);
    synchronized (this) {
      if (draining.remove(lane)) { // else it came back just now
        lent.remove(lane);
        ready.done(lane);
        running--;
        lost.add(lane);
        lostChanged();
      }
    }
  }

  private void lostChanged() {
    threads.setMaximumPoolSize(options.threads + lost.size());
    health.lost(lost.size());
  }

  /**
   * A lane that waits for a callback gives its right to another; fails with {@code OVERLOADED}
   * where so many wait that no thread would be left to run what they wait for.
   */
  void startWaiting(Lane lane) {
    synchronized (this) {
      if (!lent.contains(lane) && lent.size() >= options.threads - options.rights) {
        throw Failure.OVERLOADED.because("%d calls wait on this node", lent.size());
      }
      if (draining.contains(lane)) {
        lent.add(lane);
      }
    }
    dispatch();
  }

  /** It goes on at once; another gives its right back after its present turn. */
  synchronized void endWaiting(Lane lane) {
    lent.remove(lane);
  }

  /** A lane inside a long call: its right goes to another while it runs on. */
  private synchronized void lend(Lane lane) {
    if (!ready.isEmpty() && draining.contains(lane)) {
      lent.add(lane);
    }
  }

  @Override
  public void close() {
    watch.close();
    threads.shutdownNow();
  }
}
