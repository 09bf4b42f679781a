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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Makes what runs on this node what the directory says, on one thread: of each entry that has
 * changed, and every two seconds of all, it starts what is this node's and missing, what lost its
 * node among them, and stops what is another's.
 */
final class Failover {
  private static final System.Logger LOG = System.getLogger(Failover.class.getName());
  private static final Duration PERIOD = Duration.ofSeconds(2);
  private static final Duration RELOAD = Duration.ofSeconds(5);

  /** How long it takes a node that was taken for dead to find the others again. */
  private static final Duration MERGING = Duration.ofSeconds(20);

  private static final int MOST_ATTEMPTS = 3;

  /** What another node would say of the same spec too. */
  private static final Set<Failure> HOPELESS =
      Set.of(
          Failure.BAD_REQUEST,
          Failure.INVALID_MODULE,
          Failure.LINK,
          Failure.NO_SUCH_MODULE,
          Failure.TRAP,
          Failure.EXIT,
          Failure.OUT_OF_FUEL);

  private static final int MOST_AT_ONCE = 32;
  private static final Duration START = Duration.ofMinutes(5);

  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Work work;
  private final Host host;
  private final Bus bus;
  private final Events events;
  private final ScheduledExecutorService thread = Work.thread("busbar-failover");
  private final AtomicBoolean due = new AtomicBoolean();
  private final AtomicBoolean stale = new AtomicBoolean(true); // the mirror is to be made anew
  private final Set<String> changed = ConcurrentHashMap.newKeySet(); // keys to look at
  private long reloaded; // nanoTime; this and below: on the thread
  private final Map<String, Claim> wanted = new LinkedHashMap<>(); // by key
  private final Set<String> starting = new HashSet<>();
  private final Map<String, Integer> attempts = new HashMap<>();
  private final Map<String, Long> gone = new HashMap<>(); // nodes, and when that was seen

  /** Makes an instance this node's; empty where it has become another's. Blocks. */
  @FunctionalInterface
  private interface Claim {
    Optional<Entry> take();
  }

  /** What is this node's and is to be started, from which spec. */
  private record Mine(Entry entry, Optional<Body> spec) {}

  Failover(
      Members members,
      Directory directory,
      Pulse pulse,
      Work work,
      Host host,
      Bus bus,
      Events events) {
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.work = work;
    this.host = host;
    this.bus = bus;
    this.events = events;
    Work.repeat(thread, this::reconcile, PERIOD.toNanos());
  }

  /** Nodes have come or gone: looks at all soon, and trusts nothing it was told before. */
  void lookAgain() {
    stale.set(true);
    lookSoon();
  }

  /** An entry has changed: looks at it soon. */
  void changed(String key) {
    changed.add(key);
    lookSoon();
  }

  /** Once for all that has changed until then. */
  private void lookSoon() {
    if (due.compareAndSet(false, true)) {
      later(this::look);
    }
  }

  private void later(Runnable task) {
    try {
      thread.execute(() -> Work.quietly(task));
    } catch (RejectedExecutionException e) {
      return; // the node closes
    }
  }

  private void look() {
    due.set(false);
    if (stale.get() || pulse.isToCatchUp()) {
      reconcile();
    } else {
      lookAtChanged();
    }
  }

  private void lookAtChanged() {
    Set<String> nodes = members.names();
    boolean mayDecide = pulse.minority().isEmpty();
    for (String key : Set.copyOf(changed)) {
      changed.remove(key);
      Optional<Entry> entry = directory.find(key);
      host.epoch(key).ifPresent(epoch -> check(key, epoch, entry));
      if (mayDecide) {
        entry.ifPresent(known -> look(key, known, nodes));
      }
    }
    if (mayDecide) {
      startSome();
    }
  }

  private void reconcile() {
    long cuts = pulse.cuts();
    boolean wasCutOff = pulse.isToCatchUp();
    boolean isBack = pulse.hasMajority(); // else what is read now may be old again
    if (wasCutOff) {
      stale.set(true);
    }
    reloadIfDue();
    Set<String> nodes = members.names();
    directory.knownNodes().stream().filter(n -> !nodes.contains(n)).forEach(directory::forget);
    gone.keySet().removeAll(nodes);
    host.live().forEach((key, epoch) -> check(key, epoch, directory.find(key)));
    if (wasCutOff && isBack) {
      pulse.caughtUp(cuts);
    }
    if (pulse.minority().isEmpty()) {
      directory.all().forEach((key, entry) -> look(key, entry, nodes));
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
          .forEach(key -> wanted.put(key, () -> directory.claimCopy(key, all)));
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
    if (!isSurelyGone(entry.owner()) || pulse.stoodStillWithin(MERGING)) {
      return; // in the latter case it is rather this node that the others have lost
    }
    if (entry.spec().isEmpty()) {
      directory.remove(key, entry);
    } else if (entry.home().staysDown()) {
      if (directory.remove(key, entry)) {
        stopped(key, entry, String.format("its node `%s` was lost", entry.owner()));
      }
    } else if (isHeir(key, entry)) {
      wanted.put(key, () -> directory.takeOver(key, entry));
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
      stale.set(true);
      thread.schedule(() -> Work.quietly(this::look), left, TimeUnit.NANOSECONDS);
    }
    return left <= 0;
  }

  private boolean isHeir(String key, Entry entry) {
    Optional<String> heir =
        Placement.heir(key, entry.home(), directory.candidates(key, pulse::isTrusted));
    return heir.filter(members.self()::equals).isPresent();
  }

  private void stopped(String key, Entry entry, String reason) {
    Map<String, Object> about = Map.of("id", Roster.id(key), "reason", reason);
    events.happened("instance.stopped", about, entry.user());
  }

  /** It is this node's, but not here: its start was not finished, or it was lost. */
  private void again(String key, Entry entry) {
    boolean isLost = entry.isLive() && entry.home().staysDown();
    if (entry.spec().isEmpty() || isLost) {
      directory.remove(key, entry);
    } else if (entry.isLive()) {
      wanted.put(key, () -> directory.takeOver(key, entry));
    } else {
      wanted.put(key, () -> Optional.of(entry));
    }
  }

  /** What another node has, or nobody, runs here no more. */
  private void check(String key, long epoch, Optional<Entry> entry) {
    if (entry.filter(known -> known.isOf(members.self(), epoch)).isEmpty()
        && directory.fetch(key).filter(now -> now.isOf(members.self(), epoch)).isEmpty()
        && host.epoch(key).isPresent()) {
      host.giveUp(key, "it is not this node's any more");
    }
  }

  private void startSome() {
    while (starting.size() < MOST_AT_ONCE && !wanted.isEmpty()) {
      String key = wanted.keySet().iterator().next();
      Claim claim = wanted.remove(key);
      starting.add(key);
      work.run(() -> claim.take().map(mine -> new Mine(mine, directory.spec(mine))))
          .onComplete((mine, e) -> later(() -> claimed(key, mine, e)));
    }
  }

  private void claimed(String key, Optional<Mine> mine, Throwable thrown) {
    if (thrown != null || mine.isEmpty()) {
      starting.remove(key);
      startSome();
      return; // it is another's, or is looked at again soon
    }
    Entry entry = mine.get().entry;
    start(key, mine.get()).onComplete((body, e) -> later(() -> started(key, entry, e)));
  }

  private Future<Body> start(String key, Mine mine) {
    if (mine.spec.isEmpty()) {
      return Future.failedFuture(
          Failure.UNAVAILABLE.because("the spec of instance `%s` was lost", key));
    }
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "start")
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .addHeader(Headers.EPOCH, Long.toString(mine.entry.epoch()))
            .addHeader(Headers.TIMEOUT, Long.toString(START.toMillis()))
            .setSendTimeout(Bus.patience(START).toMillis());
    mine.entry.user().ifPresent(user -> options.addHeader(Headers.USER, user));
    Roster.number(key)
        .ifPresent(number -> options.addHeader(Headers.COPY, Integer.toString(number)));
    return bus.askNode(members.self(), mine.spec.get(), options).map(Failures::answer);
  }

  private void started(String key, Entry entry, Throwable thrown) {
    starting.remove(key);
    if (thrown == null) {
      attempts.remove(key);
      Map<String, Object> moved = new LinkedHashMap<>();
      moved.put("id", Roster.id(key));
      moved.put("epoch", entry.epoch());
      moved.put("fresh", true);
      events.happened("instance.moved", moved, entry.user());
    } else {
      failed(key, entry, Failures.from(thrown));
    }
    startSome();
  }

  /**
   * It is tried again with the next look. What fails for ever goes to the next node that could take
   * it; what would fail everywhere is given up.
   */
  private void failed(String key, Entry entry, WasmException why) {
    LOG.log(System.Logger.Level.WARNING, "instance {0} cannot be started here: {1}", key, why);
    if (attempts.merge(key, 1, Integer::sum) < MOST_ATTEMPTS) {
      return;
    }
    attempts.remove(key);
    if (HOPELESS.contains(why.failure())) {
      if (directory.remove(key, entry)) {
        stopped(key, entry, "it cannot be started again: " + why.getMessage());
      }
    } else {
      next(key, entry).ifPresent(node -> directory.passOn(key, entry, node));
    }
  }

  private Optional<String> next(String key, Entry entry) {
    List<Placement.Candidate> left = directory.candidates(key, pulse::isTrusted);
    left.removeIf(
        candidate ->
            candidate.node().equals(members.self()) || entry.tried().contains(candidate.node()));
    return Placement.heir(key, entry.home(), left);
  }

  /** Starts and stops nothing any more. */
  void close() {
    thread.shutdownNow();
  }
}
