package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.LinkSpec;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Starts, lists, describes and stops the instances of this node; owns their map. */
final class InstanceService {
  /** How long a stop waits for a guest that does not notice its interrupt. */
  private static final Duration STOP_GRACE = Duration.ofSeconds(2);

  /** The same for a start that failed: its asker waits for the answer. */
  private static final Duration DISCARD_GRACE = Duration.ofMillis(250);

  private final Vertx vertx;
  private final LiveInstance.Context node;
  private final ModuleService modules;
  private final Lanes lanes;
  private final Tenants tenants;
  private final Functions functions;
  private final Health health;
  private final Roster roster;
  private final Limits limits;
  private final boolean addressed;
  private final Map<String, String> labels;
  private volatile boolean closing;

  /** Absent: free; empty: being started or stopped; present: live. */
  private final Map<String, Optional<LiveInstance>> instances = new ConcurrentHashMap<>();

  /** Whose they are, those being started or stopped too; absent: the operator's. */
  private final Map<String, String> owners = new ConcurrentHashMap<>();

  InstanceService(
      Vertx vertx,
      LiveInstance.Context node,
      ModuleService modules,
      Lanes lanes,
      Tenants tenants,
      Functions functions,
      Health health,
      Roster roster,
      Limits limits,
      boolean addressed,
      Map<String, String> labels) {
    this.vertx = vertx;
    this.node = node;
    this.modules = modules;
    this.lanes = lanes;
    this.tenants = tenants;
    this.functions = functions;
    this.health = health;
    this.roster = roster;
    this.limits = limits;
    this.addressed = addressed;
    this.labels = labels;
  }

  /** With the header {@code instance} any operation on that one, else those on all of them. */
  Future<Body> handle(Ask ask) {
    Optional<String> named = ask.instance();
    return switch (ask.action()) {
      case "start" -> start(ask, Codec.spec(ask.body()));
      case "list" -> Future.succeededFuture(Body.of("instances", list()));
      case "stop" -> stop(ask, named.orElseGet(() -> id(ask)));
      case "describe" -> live(named.orElseGet(() -> id(ask))).handle(ask);
      default -> live(named.orElseThrow(ask::unknownAction)).handle(ask);
    };
  }

  private static String id(Ask ask) {
    return Names.check("instance id", ask.body().string("id"));
  }

  private LiveInstance live(String id) {
    Optional<LiveInstance> live = instances.get(id);
    if (live == null || live.isEmpty()) {
      throw WasmException.noSuchInstance(id);
    }
    return live.get();
  }

  private List<Object> list() {
    return instances.values().stream()
        .flatMap(Optional::stream)
        .<Object>map(LiveInstance::summary)
        .toList();
  }

  int size() {
    return instances.size();
  }

  private Future<Body> start(Ask ask, InstanceSpec asked) {
    node.callers().checkChain(ask, asked.id().orElse("new instance"));
    health.check();
    checkLabels(asked.home());
    Limits granted = asked.limits().within(limits);
    checkLinks(asked.links(), granted);
    Job.Time time = Job.Time.from(LiveInstance.time(ask, granted));
    asked.imports().forEach(this::checkAddress);
    String id = asked.id().orElseGet(() -> UUID.randomUUID().toString());
    if (closing) {
      throw Failure.UNAVAILABLE.because("node `%s` is closing", node.node());
    }
    Seat seat = tenants.take(owner(ask));
    if (instances.putIfAbsent(id, Optional.empty()) != null) {
      seat.close();
      throw Failure.CONFLICT.because("instance `%s` exists already", id);
    }
    seat.user().ifPresent(user -> owners.put(id, user));
    ask.concerns(id, node.node());
    return roster
        .claim(id, ask.epoch())
        .onFailure(e -> seat.close())
        .compose(epoch -> start(ask, asked.withId(id), granted, seat, epoch, time))
        .onFailure(e -> free(id))
        .map(live -> Body.of(started(id, live)));
  }

  private void free(String id) {
    owners.remove(id);
    instances.remove(id);
  }

  /** Who asks, or whose guest does where it comes out of a callback; empty: the operator. */
  Optional<String> owner(Ask ask) {
    List<String> chain = ask.chain();
    if (ask.user().isPresent() || chain.isEmpty()) {
      return ask.user();
    }
    return Optional.ofNullable(owners.get(chain.get(chain.size() - 1)));
  }

  private Future<LiveInstance> start(
      Ask ask, InstanceSpec spec, Limits granted, Seat seat, long epoch, Job.Time time) {
    String id = spec.id().orElseThrow();
    return Future.succeededFuture()
        .compose(free -> useInTime(spec, id, granted, time))
        .onFailure(e -> seat.close())
        .compose(used -> start(ask, spec, granted, used, seat, epoch, time))
        .recover(e -> roster.left(id, epoch).transform(done -> Future.failedFuture(e)));
  }

  private void checkLabels(Home home) {
    if (!home.admits(labels)) {
      throw Failure.UNAVAILABLE.because(
          "no node has the labels %s", Names.shown(home.labels().toString()));
    }
  }

  /** Before any of them is compiled. */
  private static void checkLinks(Map<String, LinkSpec> links, Limits granted) {
    Set<String> names = new HashSet<>();
    collect(links, names);
    if (1 + names.size() > granted.get(Limit.INSTANCES)) {
      throw Failure.LIMIT.because(
          "resource limit exceeded: instance count too high at %d", 1 + names.size());
    }
  }

  private static void collect(Map<String, LinkSpec> links, Set<String> names) {
    names.addAll(links.keySet());
    links.values().forEach(link -> collect(link.links(), names));
  }

  /** A guest's imports are not sent where its starter's answers may not be. */
  private void checkAddress(ImportSpec spec) {
    if (!functions.has(spec.address())) {
      node.policy().check("address of import " + Names.shown(spec.path()), spec.address());
    }
  }

  /** The modules, unless reading and compiling takes too long: then they are given back. */
  private Future<ModuleService.Used> useInTime(
      InstanceSpec spec, String id, Limits granted, Job.Time time) {
    Future<ModuleService.Used> using = modules.use(spec, id, granted.has(Limit.FUEL), time);
    Promise<ModuleService.Used> inTime = Promise.promise();
    long timer =
        vertx.setTimer(time.left().toMillis(), late -> inTime.tryFail(time.exceeded("never")));
    using.onComplete(
        (used, e) -> {
          vertx.cancelTimer(timer);
          boolean taken = e == null ? inTime.tryComplete(used) : inTime.tryFail(e);
          if (!taken && e == null) {
            modules.unuse(used);
          }
        });
    return inTime.future();
  }

  private Map<String, Object> started(String id, LiveInstance live) {
    Map<String, Object> about = live.summary();
    Map<String, Object> event = new LinkedHashMap<>(about);
    event.remove("node");
    node.events().happened("instance.started", event);
    live.ended().onSuccess(why -> end(id, live, why));
    return about;
  }

  /** The start section runs in the lane like any call, and within the same time. */
  private Future<LiveInstance> start(
      Ask ask,
      InstanceSpec spec,
      Limits granted,
      ModuleService.Used used,
      Seat seat,
      long epoch,
      Job.Time time) {
    String id = spec.id().orElseThrow();
    Lane lane = new Lane(lanes, id, seat.user(), LiveInstance.mailbox(granted));
    return Future.succeededFuture()
        .compose(open -> start(ask, spec, granted, used, seat, epoch, time, lane))
        .recover(e -> discard(lane, used, seat).transform(done -> Future.failedFuture(e)));
  }

  private Future<LiveInstance> start(
      Ask ask,
      InstanceSpec spec,
      Limits granted,
      ModuleService.Used used,
      Seat seat,
      long epoch,
      Job.Time time,
      Lane lane) {
    String id = spec.id().orElseThrow();
    Callbacks calls = new Callbacks(vertx, id, functions, node.callers(), lane);
    Blueprint blueprint = new Blueprint(vertx, node, spec, granted, used, seat, calls);
    boolean own = spec.address().orElse(addressed);
    Job<Blueprint.Life> job =
        new Job<>(running -> first(ask, blueprint, running), Job.Asker.of(ask), time);
    return lane.submit(job)
        .map(first -> new LiveInstance(node, blueprint, first, lane, seat, own, epoch))
        .compose(this::deploy)
        .compose(live -> closing ? closed(live) : Future.succeededFuture(live))
        .onSuccess(live -> instances.put(id, Optional.of(live)))
        .compose(this::enrol);
  }

  /** Where the others do not take it for this node's it is undone. */
  private Future<LiveInstance> enrol(LiveInstance live) {
    return roster
        .started(live.enrolment())
        .map(live)
        .recover(
            e -> vertx.undeploy(live.deploymentID()).transform(done -> Future.failedFuture(e)));
  }

  private static Blueprint.Life first(Ask ask, Blueprint blueprint, Job<?> job) {
    Blueprint.Life life = blueprint.build(job);
    if (life.guest().isMetered()) {
      ask.spent(life.guest().fuelUsed());
    }
    return life;
  }

  private Future<LiveInstance> deploy(LiveInstance live) {
    return vertx.deployVerticle(live).map(live).onFailure(e -> live.release());
  }

  /** The node has begun to close while the instance was being started. */
  private Future<LiveInstance> closed(LiveInstance live) {
    return vertx
        .undeploy(live.deploymentID())
        .transform(
            done ->
                Future.failedFuture(
                    Failure.UNAVAILABLE.because("node `%s` is closing", node.node())));
  }

  /** What was reserved is given back once nothing runs any more, however long that takes. */
  private Future<Void> discard(Lane lane, ModuleService.Used used, Seat seat) {
    return lane.close()
        .onComplete(done -> seat.close())
        .timeout(DISCARD_GRACE.toMillis(), TimeUnit.MILLISECONDS)
        .eventually(() -> modules.unuse(used));
  }

  private Future<Body> stop(Ask ask, String id) {
    ask.concerns(id, node.node());
    LiveInstance live = live(id);
    if (!leave(id, live)) {
      throw WasmException.noSuchInstance(id);
    }
    return close(id, live, Map.of()).map(done -> Body.of(stopped(id, live)));
  }

  private static Map<String, Object> stopped(String id, LiveInstance live) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("stopped", true);
    live.parked().ifPresent(reason -> fields.put("parked", reason));
    return fields;
  }

  /** Its guest failed, and its spec says that this is its end. */
  private void end(String id, LiveInstance live, WasmException why) {
    if (leave(id, live)) {
      close(id, live, Map.of("reason", why.getMessage()));
    }
  }

  /** From now on it is being stopped; false if it is already. */
  private boolean leave(String id, LiveInstance live) {
    return instances.replace(id, Optional.of(live), Optional.empty());
  }

  private Future<Void> close(String id, LiveInstance live, Map<String, Object> why) {
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("id", id);
    event.putAll(why);
    return vertx
        .undeploy(live.deploymentID())
        .timeout(STOP_GRACE.toMillis(), TimeUnit.MILLISECONDS)
        .otherwiseEmpty()
        .eventually(() -> roster.left(id, live.epoch()))
        .compose(done -> modules.unuse(live.modules()))
        .onComplete(
            done -> {
              free(id);
              node.events().happened("instance.stopped", event);
            });
  }

  Map<String, Long> live() {
    Map<String, Long> epochs = new HashMap<>();
    instances.forEach((id, some) -> some.ifPresent(live -> epochs.put(id, live.epoch())));
    return epochs;
  }

  boolean holds(String id) {
    return instances.containsKey(id);
  }

  void giveUp(String id, String reason) {
    instances
        .getOrDefault(id, Optional.empty())
        .filter(live -> leave(id, live))
        .ifPresent(live -> close(id, live, Map.of("reason", reason)));
  }

  /** Stops every instance, each call with an answer. */
  Future<Void> close() {
    closing = true;
    List<Future<Void>> stops =
        instances.entrySet().stream()
            .filter(entry -> entry.getValue().isPresent())
            .map(entry -> close(entry.getKey(), entry.getValue().get(), Map.of()))
            .toList();
    return Future.join(stops).mapEmpty();
  }
}
