package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.host.Events;
import io.busbar.host.Host;
import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Makes what runs on this node what the directory says, on one thread: after each change and every
 * two seconds it starts what is this node's and missing, what lost its node among them, and stops
 * what is another's.
 */
final class Failover {
  private static final System.Logger LOG = System.getLogger(Failover.class.getName());
  private static final Duration PERIOD = Duration.ofSeconds(2);
  private static final Duration RELOAD = Duration.ofSeconds(5);
  private static final int MOST_ATTEMPTS = 3;
  private static final int MOST_AT_ONCE = 16;
  private static final Duration START = Duration.ofMinutes(5);

  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Host host;
  private final Bus bus;
  private final Events events;
  private final ScheduledExecutorService thread = Work.thread("busbar-failover");
  private final AtomicBoolean due = new AtomicBoolean();
  private final AtomicBoolean stale = new AtomicBoolean(true); // the mirror is to be made anew
  private long reloaded; // nanoTime; this and below: on the thread
  private final Map<String, Entry> wanted = new LinkedHashMap<>(); // by id
  private final Set<String> starting = new LinkedHashSet<>();
  private final Map<String, Integer> attempts = new HashMap<>();
  private final Map<String, Long> gone = new HashMap<>(); // nodes, and when that was seen

  Failover(Members members, Directory directory, Pulse pulse, Host host, Bus bus, Events events) {
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.host = host;
    this.bus = bus;
    this.events = events;
    long period = PERIOD.toNanos();
    Work.repeat(thread, this::reconcile, period);
  }

  /** Nodes have come or gone: looks soon, and trusts nothing it was told before. */
  void lookAgain() {
    stale.set(true);
    lookSoon();
  }

  /** Looks soon, once for all that has changed until then. */
  void lookSoon() {
    if (due.compareAndSet(false, true)) {
      later(this::lookNow);
    }
  }

  private void lookNow() {
    due.set(false);
    Work.run(this::reconcile);
  }

  private void later(Runnable work) {
    try {
      thread.execute(() -> Work.run(work));
    } catch (RejectedExecutionException e) {
      return; // the node closes
    }
  }

  private void reconcile() {
    long cuts = pulse.cuts();
    boolean wasCutOff = pulse.isToCatchUp();
    if (wasCutOff) {
      stale.set(true);
    }
    reloadIfDue();
    Set<String> nodes = members.names();
    directory.knownNodes().stream().filter(n -> !nodes.contains(n)).forEach(directory::forget);
    gone.keySet().removeAll(nodes);
    Map<String, Entry> all = directory.all();
    host.live().forEach((key, epoch) -> check(key, epoch, all.get(key)));
    if (wasCutOff) {
      pulse.caughtUp(cuts);
    }
    if (pulse.minority().isEmpty()) {
      all.forEach((key, entry) -> look(key, entry, nodes));
      startSome();
    }
  }

  private void reloadIfDue() {
    boolean isOld = System.nanoTime() - reloaded > RELOAD.toNanos();
    if (stale.getAndSet(false) || isOld) {
      reload();
    }
  }

  private void reload() {
    try {
      directory.reload();
      directory.tellState();
      reloaded = System.nanoTime();
    } catch (RuntimeException e) {
      stale.set(true);
      throw e;
    }
  }

  private void look(String key, Entry entry, Set<String> nodes) {
    if (starting.contains(key) || wanted.containsKey(key)) {
      return;
    }
    if (entry.isCopies()) {
      lookAtCopies(key, entry, nodes);
    } else if (isLeftOver(key)) {
      directory.remove(key, entry);
    } else if (!nodes.contains(entry.owner())) {
      orphan(key, entry);
    } else if (isMissing(key, entry)) {
      directory.fetch(key).filter(now -> isMissing(key, now)).ifPresent(now -> again(key, now));
    }
  }

  private boolean isMissing(String key, Entry entry) {
    return entry.owner().equals(members.self()) && !host.holds(key);
  }

  /**
   * Copies that one asker was starting go with its node; else those that are missing are started.
   */
  private void lookAtCopies(String id, Entry all, Set<String> nodes) {
    if (all.spec().isPresent()) {
      Directory.copyKeys(id, all.home().replicas())
          .filter(key -> directory.find(key).isEmpty() && !wanted.containsKey(key))
          .filter(key -> isHeir(key, all))
          .forEach(key -> directory.claimCopy(key, all).ifPresent(mine -> wanted.put(key, mine)));
    } else if (!nodes.contains(all.owner())) {
      directory.remove(id, all);
    }
  }

  /** Whether it is a copy of an instance that is not there any more. */
  private boolean isLeftOver(String key) {
    String id = Roster.id(key);
    return !key.equals(id) && directory.find(id).isEmpty() && directory.fetch(id).isEmpty();
  }

  /** Its node is gone. */
  private void orphan(String key, Entry entry) {
    if (!isSurelyGone(entry.owner())) {
      return;
    }
    if (entry.spec().isEmpty()) {
      directory.remove(key, entry);
    } else if (entry.home().staysDown()) {
      if (directory.remove(key, entry)) {
        stopped(key, String.format("its node `%s` was lost", entry.owner()));
      }
    } else if (isHeir(key, entry)) {
      directory.takeOver(key, entry).ifPresent(mine -> wanted.put(key, mine));
    }
  }

  /** Where a majority decides, a node that was cut off has stopped to answer after this time. */
  private boolean isSurelyGone(String node) {
    if (members.size() == 0) {
      return true;
    }
    long left =
        gone.computeIfAbsent(node, n -> System.nanoTime())
            + members.patience().suspect().toNanos()
            - System.nanoTime();
    if (left > 0 && due.compareAndSet(false, true)) {
      thread.schedule(this::lookNow, left, TimeUnit.NANOSECONDS);
    }
    return left <= 0;
  }

  private boolean isHeir(String key, Entry entry) {
    Optional<String> heir =
        Placement.heir(key, entry.home(), directory.candidates(key, pulse::isTrusted));
    return heir.filter(members.self()::equals).isPresent();
  }

  private void stopped(String key, String reason) {
    events.happened("instance.stopped", Map.of("id", Roster.id(key), "reason", reason));
  }

  /** It is this node's, but not here: its start was not finished, or it was lost. */
  private void again(String id, Entry entry) {
    if (entry.spec().isEmpty()) {
      directory.remove(id, entry);
    } else if (entry.isLive()) {
      directory.takeOver(id, entry).ifPresent(mine -> wanted.put(id, mine));
    } else {
      wanted.put(id, entry);
    }
  }

  /** What another node has, or nobody, runs here no more. */
  private void check(String id, long epoch, Entry entry) {
    if (entry == null || !entry.isOf(members.self(), epoch)) {
      Optional<Entry> now = directory.fetch(id);
      if (now.filter(e -> e.isOf(members.self(), epoch)).isEmpty()) {
        host.giveUp(id, "it is not this node's any more");
      }
    }
  }

  private void startSome() {
    while (starting.size() < MOST_AT_ONCE && !wanted.isEmpty()) {
      String id = wanted.keySet().iterator().next();
      Entry entry = wanted.remove(id);
      starting.add(id);
      start(id, entry).onComplete((body, e) -> later(() -> started(id, entry, e)));
    }
  }

  private Future<Body> start(String id, Entry entry) {
    Optional<Body> spec = directory.spec(entry);
    if (spec.isEmpty()) {
      return Future.failedFuture(
          Failure.UNAVAILABLE.because("the spec of instance `%s` was lost", id));
    }
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "start")
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .addHeader(Headers.EPOCH, Long.toString(entry.epoch()))
            .addHeader(Headers.TIMEOUT, Long.toString(START.toMillis()))
            .setSendTimeout(Bus.patience(START).toMillis());
    entry.user().ifPresent(user -> options.addHeader(Headers.USER, user));
    Roster.number(id)
        .ifPresent(number -> options.addHeader(Headers.COPY, Integer.toString(number)));
    return bus.askNode(members.self(), spec.get(), options).map(Failures::answer);
  }

  private void started(String id, Entry entry, Throwable thrown) {
    starting.remove(id);
    if (thrown == null) {
      attempts.remove(id);
      Map<String, Object> moved = new LinkedHashMap<>();
      moved.put("id", Roster.id(id));
      moved.put("epoch", entry.epoch());
      moved.put("fresh", true);
      events.happened("instance.moved", moved);
    } else {
      failed(id, entry, Failures.from(thrown));
    }
    startSome();
  }

  /** It is tried again with the next look, but not for ever. */
  private void failed(String id, Entry entry, WasmException why) {
    LOG.log(System.Logger.Level.WARNING, "instance {0} cannot be started here: {1}", id, why);
    if (attempts.merge(id, 1, Integer::sum) >= MOST_ATTEMPTS) {
      attempts.remove(id);
      if (directory.remove(id, entry)) {
        stopped(id, "it cannot be started again: " + why.getMessage());
      }
    }
  }

  /** Starts and stops nothing any more. */
  void close() {
    thread.shutdownNow();
  }
}
