package io.busbar.host;

import io.busbar.engine.Guest;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
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
  private final Functions functions;
  private final Events events;
  private final Limits limits;
  private final boolean addressed;

  private volatile boolean closing;

  /** Absent: free; empty: being started or stopped; present: live. */
  private final Map<String, Optional<LiveInstance>> instances = new ConcurrentHashMap<>();

  InstanceService(
      Vertx vertx,
      LiveInstance.Context node,
      ModuleService modules,
      Lanes lanes,
      Functions functions,
      Events events,
      Limits limits,
      boolean addressed) {
    this.vertx = vertx;
    this.node = node;
    this.modules = modules;
    this.lanes = lanes;
    this.functions = functions;
    this.events = events;
    this.limits = limits;
    this.addressed = addressed;
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
    Limits granted = asked.limits().within(limits);
    checkLinks(asked.links(), granted);
    Job.Time time = Job.Time.from(LiveInstance.time(ask, granted));
    asked.imports().forEach(this::checkAddress);
    String id = asked.id().orElseGet(() -> UUID.randomUUID().toString());
    if (closing) {
      throw Failure.UNAVAILABLE.because("node `%s` is closing", node.node());
    }
    if (instances.putIfAbsent(id, Optional.empty()) != null) {
      throw Failure.CONFLICT.because("instance `%s` exists already", id);
    }
    ask.concerns(id, node.node());
    return Future.succeededFuture()
        .compose(free -> useInTime(asked, id, granted, time))
        .compose(used -> start(ask, asked.withId(id), granted, used, time))
        .onFailure(e -> instances.remove(id))
        .map(live -> Body.of(started(live)));
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

  private Map<String, Object> started(LiveInstance live) {
    Map<String, Object> about = live.summary();
    Map<String, Object> event = new LinkedHashMap<>(about);
    event.remove("node");
    events.happened("instance.started", event);
    return about;
  }

  /** The start section runs in the lane like any call, and within the same time. */
  private Future<LiveInstance> start(
      Ask ask, InstanceSpec spec, Limits granted, ModuleService.Used used, Job.Time time) {
    String id = spec.id().orElseThrow();
    Lane lane = new Lane(lanes, id, LiveInstance.mailbox(granted));
    Optional<Streams> streams =
        spec.wasi().map(wasi -> new Streams(vertx, node, id, wasi, granted));
    Callbacks calls = new Callbacks(vertx, id, functions, node.callers(), lane);
    Job<Guest> job =
        new Job<>(
            running -> start(ask, plan(spec, granted, used, streams), calls),
            Job.Asker.of(ask),
            time);
    return lane.submit(job)
        .map(guest -> live(spec, granted, used, guest, streams, lane))
        .compose(this::deploy)
        .compose(live -> closing ? closed(live) : Future.succeededFuture(live))
        .onSuccess(live -> instances.put(id, Optional.of(live)))
        .recover(e -> discard(lane, used, id).transform(done -> Future.failedFuture(e)));
  }

  private static Guest start(Ask ask, Guest.Plan plan, Callbacks calls) {
    Guest guest = Guest.start(plan, calls);
    if (guest.isMetered()) {
      ask.spent(guest.fuelUsed());
    }
    return guest;
  }

  private Future<LiveInstance> deploy(LiveInstance live) {
    return vertx.deployVerticle(live).map(live).onFailure(e -> live.release());
  }

  private static Guest.Plan plan(
      InstanceSpec spec, Limits granted, ModuleService.Used used, Optional<Streams> streams) {
    Guest.Plan plan =
        Guest.Plan.of(used.module(), label(spec))
            .withImports(spec.imports())
            .withLinks(used.links())
            .withLimits(granted);
    return streams.map(Streams::plan).map(plan::withWasi).orElse(plan);
  }

  private LiveInstance live(
      InstanceSpec spec,
      Limits granted,
      ModuleService.Used used,
      Guest guest,
      Optional<Streams> streams,
      Lane lane) {
    InstanceSpec pinned = used.pin(spec);
    boolean own = spec.address().orElse(addressed);
    return new LiveInstance(node, pinned, granted, used, guest, streams, lane, own);
  }

  /** What frames call the module where it does not name itself. */
  private static String label(InstanceSpec spec) {
    return spec.module() instanceof ModuleRef.Named named ? named.name() : spec.id().orElseThrow();
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

  private Future<Void> discard(Lane lane, ModuleService.Used used, String id) {
    return lane.close()
        .timeout(DISCARD_GRACE.toMillis(), TimeUnit.MILLISECONDS)
        .eventually(() -> modules.unuse(used));
  }

  private Future<Body> stop(Ask ask, String id) {
    ask.concerns(id, node.node());
    LiveInstance live = live(id);
    if (!instances.replace(id, Optional.of(live), Optional.empty())) {
      throw WasmException.noSuchInstance(id);
    }
    return close(id, live)
        .map(
            done -> {
              Map<String, Object> fields = new LinkedHashMap<>();
              fields.put("id", id);
              fields.put("stopped", true);
              return Body.of(fields);
            });
  }

  private Future<Void> close(String id, LiveInstance live) {
    return vertx
        .undeploy(live.deploymentID())
        .timeout(STOP_GRACE.toMillis(), TimeUnit.MILLISECONDS)
        .otherwiseEmpty()
        .compose(done -> modules.unuse(live.modules()))
        .onComplete(
            done -> {
              instances.remove(id);
              events.happened("instance.stopped", Map.of("id", id));
            });
  }

  /** Stops every instance, each call with an answer. */
  Future<Void> close() {
    closing = true;
    List<Future<Void>> stops =
        instances.entrySet().stream()
            .filter(entry -> entry.getValue().isPresent())
            .map(entry -> close(entry.getKey(), entry.getValue().get()))
            .toList();
    return Future.join(stops).mapEmpty();
  }
}
