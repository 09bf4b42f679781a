package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.busbar.wire.Endpoint;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Starts, lists, describes and stops the instances of this node; owns their map. */
final class InstanceService {
  /** How long a stop waits for a guest that does not notice its interrupt. */
  private static final Duration STOP_GRACE = Duration.ofSeconds(2);

  private final Vertx vertx;
  private final LiveInstance.Context node;
  private final ModuleUses modules;
  private final Tenants tenants;
  private final Health health;
  private final Starter starter;
  private volatile boolean closing;

  /** Absent: free; empty: being started or stopped; present: live. By key. */
  private final Map<String, Optional<LiveInstance>> instances = new ConcurrentHashMap<>();

  /** Whose they are, those being started or stopped too; absent: the operator's. By key. */
  private final ConcurrentNavigableMap<String, String> owners = new ConcurrentSkipListMap<>();

  InstanceService(
      Vertx vertx,
      LiveInstance.Context node,
      ModuleUses modules,
      Lanes lanes,
      Tenants tenants,
      Functions functions,
      Health health,
      Starter.Options options) {
    this.vertx = vertx;
    this.node = node;
    this.modules = modules;
    this.tenants = tenants;
    this.health = health;
    this.starter = new Starter(vertx, node, modules, lanes, functions, options, () -> closing);
  }

  /** With the header {@code instance} any operation on that one, else those on all of them. */
  Future<Body> handle(Ask ask) {
    Optional<String> named = ask.instance();
    return switch (ask.action()) {
      case "start" -> start(named.isEmpty() ? ask : notOfOne(ask), Codec.spec(ask.body()));
      case "list" -> Future.succeededFuture(Body.of("instances", list(ask)));
      case "stop" -> stop(ask, named.orElseGet(() -> id(ask)));
      case "describe" -> live(ask, named.orElseGet(() -> id(ask))).handle(ask);
      default -> live(ask, named.orElseThrow(ask::unknownAction)).handle(ask);
    };
  }

  private static Ask notOfOne(Ask ask) {
    throw Failure.BAD_REQUEST.because("`%s` is not asked of one instance", ask.action());
  }

  private static String id(Ask ask) {
    return Roster.checkKey(ask.body().string("id"));
  }

  private LiveInstance live(String key) {
    return find(key).orElseThrow(() -> WasmException.noSuchInstance(key));
  }

  /** What is not for who asks is not there for them. */
  private LiveInstance live(Ask ask, String key) {
    return find(key)
        .filter(live -> ask.mayUse(live.user()))
        .orElseThrow(() -> WasmException.noSuchInstance(key));
  }

  private Optional<LiveInstance> find(String key) {
    return instances.getOrDefault(key, Optional.empty());
  }

  private List<Object> list(Ask ask) {
    return instances.values().stream()
        .flatMap(Optional::stream)
        .filter(live -> ask.mayUse(live.user()))
        .<Object>map(LiveInstance::listed)
        .toList();
  }

  int size() {
    return instances.size();
  }

  private Future<Body> start(Ask ask, InstanceSpec asked) {
    InstanceSpec spec = asked.withId(asked.id().orElseGet(() -> UUID.randomUUID().toString()));
    String id = spec.id().orElseThrow();
    String key = spec.home().replicas() > 1 ? copy(ask, id) : id;
    health.check();
    Optional<String> owner = owner(ask);
    Starter.Start start = starter.look(ask, key, spec, owner);
    if (closing) {
      throw Failure.UNAVAILABLE.because("node `%s` is closing", node.node());
    }
    Seat seat = tenants.take(owner);
    if (instances.putIfAbsent(key, Optional.empty()) != null) {
      seat.close();
      throw Failure.CONFLICT.because("instance `%s` exists already", key);
    }
    seat.user().ifPresent(user -> owners.put(key, user));
    ask.concerns(id, node.node());
    return Future.succeededFuture()
        .compose(free -> node.roster().claim(key, spec.home(), ask.epoch()))
        .onFailure(e -> seat.close())
        .compose(epoch -> start(start, seat, epoch))
        .onFailure(e -> free(key))
        .map(live -> Body.of(started(key, live)));
  }

  /** Who starts several copies starts each of them by its number; without one nobody does. */
  private static String copy(Ask ask, String id) {
    return ask.copy().isPresent() ? Roster.copy(id, ask.copy().getAsInt()) : id;
  }

  private Future<LiveInstance> start(Starter.Start start, Seat seat, long epoch) {
    return starter
        .start(start, seat, epoch)
        .onSuccess(live -> instances.put(start.key(), Optional.of(live)))
        .compose(this::enrol)
        .recover(
            e ->
                node.roster()
                    .left(start.key(), epoch, true)
                    .transform(done -> Future.failedFuture(e)));
  }

  /** Where the others do not take it for this node's it is undone. */
  private Future<LiveInstance> enrol(LiveInstance live) {
    return node.roster()
        .started(live.enrolment())
        .map(live)
        .recover(
            e ->
                vertx
                    .undeploy(live.deploymentID())
                    .eventually(() -> modules.unuse(live.modules()))
                    .transform(done -> Future.failedFuture(e)));
  }

  private void free(String key) {
    owners.remove(key);
    instances.remove(key);
  }

  /** Who asks, or whose guest does where it comes out of a callback; empty: the operator. */
  Optional<String> owner(Ask ask) {
    List<String> chain = ask.chain();
    if (ask.user().isPresent() || chain.isEmpty()) {
      return ask.user();
    }
    String id = chain.get(chain.size() - 1);
    String copies = id + Roster.COPY;
    return Optional.ofNullable(owners.get(id))
        .or(
            () ->
                owners.tailMap(copies).entrySet().stream()
                    .findFirst()
                    .filter(next -> next.getKey().startsWith(copies))
                    .map(Map.Entry::getValue));
  }

  private Map<String, Object> started(String key, LiveInstance live) {
    Map<String, Object> about = live.summary();
    Map<String, Object> event = new LinkedHashMap<>(about);
    event.remove("node");
    node.events().happened("instance.started", event, live.user());
    live.ended().onSuccess(why -> end(key, live, why));
    return about;
  }

  private Future<Body> stop(Ask ask, String key) {
    LiveInstance live = live(ask, key);
    ask.concerns(live.id(), node.node());
    if (!leave(key, live)) {
      throw WasmException.noSuchInstance(key);
    }
    return close(key, live, Map.of(), true).map(done -> Body.of(stopped(live)));
  }

  private static Map<String, Object> stopped(LiveInstance live) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", live.id());
    fields.put("stopped", true);
    live.parked().ifPresent(reason -> fields.put("parked", reason));
    return fields;
  }

  /** Its guest failed, and its spec says that this is its end. */
  private void end(String key, LiveInstance live, WasmException why) {
    if (leave(key, live)) {
      close(key, live, Map.of("reason", why.getMessage()), true);
    }
  }

  /** From now on it is being stopped; false if it is already. */
  private boolean leave(String key, LiveInstance live) {
    return instances.replace(key, Optional.of(live), Optional.empty());
  }

  /** With {@code forGood} it is not to live on elsewhere. */
  private Future<Void> close(
      String key, LiveInstance live, Map<String, Object> why, boolean forGood) {
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("id", live.id());
    event.putAll(why);
    return vertx
        .undeploy(live.deploymentID())
        .timeout(STOP_GRACE.toMillis(), TimeUnit.MILLISECONDS)
        .otherwiseEmpty()
        .eventually(() -> node.roster().left(key, live.epoch(), forGood))
        .compose(done -> modules.unuse(live.modules()))
        .onComplete(
            done -> {
              free(key);
              node.events().happened("instance.stopped", event, live.user());
            });
  }

  /** Those that are not about to leave. */
  Map<String, Long> live() {
    Map<String, Long> epochs = new HashMap<>();
    instances.forEach(
        (key, some) ->
            some.filter(live -> !live.isMoving()).ifPresent(live -> epochs.put(key, live.epoch())));
    return epochs;
  }

  OptionalLong epoch(String key) {
    Optional<LiveInstance> live = find(key).filter(found -> !found.isMoving());
    return live.isPresent() ? OptionalLong.of(live.get().epoch()) : OptionalLong.empty();
  }

  /** The addresses that instances have of their own. */
  Stream<Endpoint> endpoints() {
    return instances.values().stream()
        .flatMap(Optional::stream)
        .flatMap(live -> live.endpoint().stream());
  }

  /** Whether it can be asked, by whom it is for. */
  boolean isLive(String key, Reach asker) {
    Optional<LiveInstance> live = find(key);
    return live.isPresent() && asker.includes(live.get().user());
  }

  boolean holds(String key) {
    return instances.containsKey(key);
  }

  void giveUp(String key, String reason) {
    find(key)
        .filter(live -> leave(key, live))
        .ifPresent(live -> close(key, live, Map.of("reason", reason), true));
  }

  /** Those that something would be lost of if they began anew. */
  List<String> precious() {
    return instances.entrySet().stream()
        .filter(entry -> entry.getValue().filter(LiveInstance::isPrecious).isPresent())
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  /**
   * Lets an instance come to rest: what it was asked is answered, what comes now waits for where it
   * will be. Done when nothing runs in it any more.
   *
   * @param fresh whether what it has in memory may be lost; else it is refused with {@code
   *     CONFLICT}
   */
  Future<Host.Rested> rest(String key, boolean fresh, Duration most) {
    return live(key).rest(fresh, most);
  }

  /** Whether something would be lost if it began anew. */
  boolean isPrecious(String key) {
    return find(key).filter(LiveInstance::isPrecious).isPresent();
  }

  /** It goes on after all. */
  void wake(String key) {
    find(key).ifPresent(LiveInstance::wake);
  }

  /** An instance at rest has another node now: what comes for it here is passed on for a while. */
  Future<Void> handOver(String key, Duration linger) {
    LiveInstance live = live(key);
    if (!leave(key, live)) {
      throw WasmException.noSuchInstance(key);
    }
    return live.handOver()
        .eventually(() -> modules.unuse(live.modules()))
        .onComplete(
            done -> {
              free(key);
              vertx.setTimer(
                  Math.max(1, linger.toMillis()), later -> vertx.undeploy(live.deploymentID()));
            });
  }

  /** Stops every instance, each call with an answer. */
  Future<Void> close() {
    closing = true;
    List<Future<Void>> stops =
        instances.entrySet().stream()
            .filter(entry -> entry.getValue().isPresent())
            .map(entry -> close(entry.getKey(), entry.getValue().get(), Map.of(), false))
            .toList();
    return Future.join(stops).mapEmpty();
  }
}
