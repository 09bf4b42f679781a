package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.host.Host;
import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Moves instances from this node to others, so that no call fails: what an instance was asked is
 * answered, what comes meanwhile waits, and then its next owner starts it.
 *
 * <p>It starts afresh there. Where a state is to travel with it, it would be taken when the
 * instance has come to rest, and given to the start.
 */
final class Moves {
  private static final System.Logger LOG = System.getLogger(Moves.class.getName());

  /** An instance moves no faster than its module is compiled and its calls come to an end. */
  private static final Duration LONGEST = Duration.ofMinutes(2);

  private static final int MOST_AT_ONCE = 16;
  private static final long AGAIN_MILLIS = 5;

  private final Vertx vertx;
  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Work work;
  private final Bus bus;
  private final Host host;
  private final Consumer<String> gone;

  /** With what is told of each key that this node does not have any more. */
  Moves(
      Vertx vertx,
      Members members,
      Directory directory,
      Pulse pulse,
      Work work,
      Bus bus,
      Host host,
      Consumer<String> gone) {
    this.vertx = vertx;
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.work = work;
    this.bus = bus;
    this.host = host;
    this.gone = gone;
  }

  /** What has become of an instance that was to move. */
  record Moved(String key, String node, long epoch, boolean lostState) {}

  /** The operation {@code move} on an instance of this node. */
  Future<Body> move(Ask ask) {
    String key = ask.instance().orElseGet(() -> ask.body().string("id"));
    String target = Names.check("node", ask.body().string("node"));
    boolean fresh = ask.body().optionalBoolean("fresh").orElse(false);
    Entry entry =
        directory
            .find(key)
            .filter(known -> ask.mayUse(known.user()))
            .orElseThrow(() -> WasmException.noSuchInstance(key));
    ask.concerns(Roster.id(key), members.self());
    checkTarget(entry, target);
    if (target.equals(members.self())) {
      return Future.succeededFuture(answer(new Moved(key, target, entry.epoch(), false)));
    }
    return move(key, target, fresh, ask.timeout().isZero() ? LONGEST : ask.remaining())
        .map(Moves::answer);
  }

  private static Body answer(Moved moved) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", Roster.id(moved.key));
    fields.put("node", moved.node);
    fields.put("epoch", moved.epoch);
    fields.put("fresh", moved.lostState);
    return Body.of(fields);
  }

  private void checkTarget(Entry entry, String target) {
    Map<String, String> labels = members.nodes().get(target);
    if (labels == null) {
      throw Failure.BAD_REQUEST.because("node `%s` is not in the cluster", target);
    }
    if (!entry.home().admits(labels)) {
      throw Failure.BAD_REQUEST.because(
          "node `%s` has not the labels %s", target, Names.shown(entry.home().labels().toString()));
    }
    if (directory.stateOf(target).filter(Directory.OPEN::equals).isEmpty()
        || !pulse.isTrusted(target)) {
      throw Failure.UNAVAILABLE.because("node `%s` takes no instances at present", target);
    }
  }

  /**
   * Moves one instance.
   *
   * @param fresh whether it may lose what it has in memory
   * @param most how long it may take until what it was asked is answered
   */
  private Future<Moved> move(String key, String target, boolean fresh, Duration most) {
    if (!fresh && host.isPrecious(key)) {
      return Future.failedFuture(wouldLose(List.of(key)));
    }
    Entry before = directory.find(key).orElseThrow(() -> WasmException.noSuchInstance(key));
    return prepare(target, before)
        .compose(ready -> host.rest(key, fresh, most))
        .compose(
            rested ->
                handOver(key, rested.epoch(), target)
                    .compose(
                        entry ->
                            arrived(key, target, System.nanoTime(), most)
                                .map(
                                    there ->
                                        new Moved(
                                            key, target, entry.epoch(), rested.losesState()))));
  }

  private static WasmException wouldLose(List<String> keys) {
    return Failure.CONFLICT.because(
        "%d instances have been called, and would lose their state: `%s`; they move only if that is"
            + " asked for (`fresh`)",
        keys.size(), String.join("`, `", keys.subList(0, Math.min(10, keys.size()))));
  }

  /** The next owner compiles its modules while it still answers here. */
  private Future<Void> prepare(String target, Entry entry) {
    Future<Void> last = Future.succeededFuture();
    for (String module : entry.modules()) {
      last = last.compose(done -> prepare(bus, target, module));
    }
    return last;
  }

  /** Has a node read and compile a module. */
  static Future<Void> prepare(Bus bus, String node, String module) {
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "prepare")
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .setSendTimeout(LONGEST.toMillis());
    return bus.askNode(node, Body.of("module", module), options).map(Failures::answer).mapEmpty();
  }

  private Future<Entry> handOver(String key, long epoch, String target) {
    return work.run(() -> directory.handOver(key, epoch, target))
        .onFailure(e -> host.wake(key))
        .compose(entry -> host.handOver(key, members.patience().linger()).map(entry))
        .onSuccess(entry -> gone.accept(key));
  }

  /** Done when its next owner has started it; fails where that is not going to do it soon. */
  private Future<Void> arrived(String key, String target, long since, Duration most) {
    Optional<Entry> entry = directory.find(key);
    if (entry.filter(Entry::isLive).isPresent()) {
      return Future.succeededFuture();
    }
    boolean takes =
        entry.isPresent()
            && pulse.isTrusted(target)
            && directory.stateOf(target).filter(Directory.OPEN::equals).isPresent();
    if (!takes || System.nanoTime() - since > most.toNanos()) {
      return Future.failedFuture(
          Failure.UNAVAILABLE.because("node `%s` has not started instance `%s`", target, key));
    }
    return vertx
        .timer(AGAIN_MILLIS, TimeUnit.MILLISECONDS)
        .compose(later -> arrived(key, target, since, most));
  }

  /** What can go nowhere, and what would lose something; nothing moves before that is settled. */
  void checkAllCanGo(boolean fresh) {
    List<String> precious = fresh ? List.of() : host.precious();
    if (!precious.isEmpty()) {
      throw wouldLose(precious);
    }
    List<String> stuck =
        host.live().keySet().stream().sorted().filter(key -> target(key).isEmpty()).toList();
    if (!stuck.isEmpty()) {
      throw Failure.CONFLICT.because(
          "%d instances fit no other node: `%s`",
          stuck.size(), String.join("`, `", stuck.subList(0, Math.min(10, stuck.size()))));
    }
  }

  /** Fails where something is still here. */
  void checkAllGone() {
    List<String> left = host.live().keySet().stream().sorted().limit(10).toList();
    if (!left.isEmpty()) {
      throw Failure.UNAVAILABLE.because(
          "%d instances did not move: `%s`", host.live().size(), String.join("`, `", left));
    }
  }

  private Optional<String> target(String key) {
    return directory
        .find(key)
        .flatMap(
            entry ->
                Placement.ranked(key, entry.home(), directory.candidates(key, this::isOther))
                    .stream()
                    .findFirst());
  }

  private boolean isOther(String node) {
    return !node.equals(members.self()) && pulse.isTrusted(node);
  }

  /** Moves all instances that have somewhere to go, some at a time; the others stay. */
  Future<List<Moved>> moveAll(boolean fresh, Duration most) {
    Queue<String> keys = new ConcurrentLinkedQueue<>(new ArrayDeque<>(host.live().keySet()));
    List<Moved> moved = Collections.synchronizedList(new ArrayList<>());
    List<Future<Void>> lines = new ArrayList<>();
    for (int i = 0; i < MOST_AT_ONCE; i++) {
      lines.add(moveNext(keys, fresh, most, moved));
    }
    return Future.join(lines).map(done -> List.copyOf(moved));
  }

  private Future<Void> moveNext(
      Queue<String> keys, boolean fresh, Duration most, List<Moved> moved) {
    String key = keys.poll();
    Optional<String> target = Optional.empty();
    while (key != null && (target = target(key)).isEmpty()) {
      key = keys.poll(); // it has nowhere to go
    }
    if (key == null) {
      return Future.succeededFuture();
    }
    String moving = key;
    return moveTo(moving, target.get(), fresh, most)
        .<Void>map(
            done -> {
              moved.add(done);
              return null;
            })
        .otherwise(e -> stays(moving, e))
        .compose(done -> moveNext(keys, fresh, most, moved));
  }

  /** While it is on its way others are told of it, so that not all go to the same node. */
  private Future<Moved> moveTo(String key, String target, boolean fresh, Duration most) {
    directory.promise(target, 1);
    return Future.succeededFuture()
        .compose(now -> move(key, target, fresh, most))
        .onComplete(done -> directory.promise(target, -1));
  }

  private static Void stays(String key, Throwable why) {
    LOG.log(System.Logger.Level.WARNING, "instance {0} does not move: {1}", key, why.getMessage());
    return null;
  }
}
