package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.LinkSpec;
import io.busbar.model.Names;
import io.busbar.model.Reach;
import io.busbar.wire.Ask;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Brings instances to life; what one takes on its way is given back where it does not get there.
 */
final class Starter {
  /** How long a start that failed waits for a guest that does not notice its interrupt. */
  private static final Duration DISCARD_GRACE = Duration.ofMillis(250);

  private final Vertx vertx;
  private final LiveInstance.Context node;
  private final ModuleUses modules;
  private final Lanes lanes;
  private final Functions functions;
  private final Options options;
  private final BooleanSupplier closing;

  /**
   * What specs may ask of a node, and get where they ask nothing.
   *
   * @param limits what each instance gets at most
   * @param addressed whether it has an address of its own
   * @param labels of the node
   */
  record Options(Limits limits, boolean addressed, Map<String, String> labels) {}

  /** With what tells whether the node has begun to close. */
  Starter(
      Vertx vertx,
      LiveInstance.Context node,
      ModuleUses modules,
      Lanes lanes,
      Functions functions,
      Options options,
      BooleanSupplier closing) {
    this.vertx = vertx;
    this.node = node;
    this.modules = modules;
    this.lanes = lanes;
    this.functions = functions;
    this.options = options;
    this.closing = closing;
  }

  /**
   * A start that was asked for and looked at.
   *
   * @param key the instance's id, or that of one of several copies
   * @param spec with an id
   * @param limits those it gets
   */
  record Start(Ask ask, String key, InstanceSpec spec, Limits limits, Job.Time time) {
    String id() {
      return spec.id().orElseThrow();
    }
  }

  /**
   * Looks at what is asked before anything is taken for it; fails where it cannot be.
   *
   * @param owner whose instance it is to be; empty: the operator's
   */
  Start look(Ask ask, String key, InstanceSpec spec, Optional<String> owner) {
    node.callers().checkChain(ask, spec.id().orElseThrow());
    checkLabels(spec.home());
    Limits granted = spec.limits().within(options.limits);
    checkLinks(spec.links(), granted);
    Job.Time time = Job.Time.from(LiveInstance.time(ask, granted));
    spec.imports().forEach(this::checkAddress);
    owner.filter(user -> namesDirectories(spec)).ifPresent(Starter::refuseDirectories);
    return new Start(ask, key, spec, granted, time);
  }

  /** Whether it is to see real directories. */
  private static boolean namesDirectories(InstanceSpec spec) {
    return spec.wasi().stream()
        .flatMap(wasi -> wasi.preopens().stream())
        .anyMatch(preopen -> preopen.host().isPresent());
  }

  private static void refuseDirectories(String user) {
    throw Failure.FORBIDDEN.because(
        "preopens of this node's directories are not for user `%s`", Names.shown(user));
  }

  private void checkLabels(Home home) {
    if (!home.admits(options.labels)) {
      throw home.nowhere();
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

  /** An instance that is deployed, with its guest; the seat is given up where it fails. */
  Future<LiveInstance> start(Start start, Seat seat, long epoch) {
    return Future.succeededFuture()
        .compose(free -> useInTime(start, seat))
        .onFailure(e -> seat.close())
        .compose(used -> start(start, seat, epoch, used));
  }

  /** The modules, unless reading and compiling takes too long: then they are given back. */
  private Future<ModuleUses.Used> useInTime(Start start, Seat seat) {
    Future<ModuleUses.Used> using = modules.use(start.spec, taker(start, seat));
    Promise<ModuleUses.Used> inTime = Promise.promise();
    long timer =
        vertx.setTimer(
            start.time.left().toMillis(), late -> inTime.tryFail(start.time.exceeded("never")));
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

  /** What is taken over from another node has the modules it had there, whoever keeps them. */
  private static ModuleUses.Taker taker(Start start, Seat seat) {
    boolean isTakenOver = start.ask.epoch().isPresent();
    return new ModuleUses.Taker(
        start.key,
        seat.user(),
        isTakenOver ? Reach.OPERATOR : start.ask.reach(),
        start.limits.has(Limit.FUEL),
        start.time);
  }

  private Future<LiveInstance> start(Start start, Seat seat, long epoch, ModuleUses.Used used) {
    Lane lane = new Lane(lanes, start.id(), seat.user(), LiveInstance.mailbox(start.limits));
    return Future.succeededFuture()
        .compose(open -> start(start, seat, epoch, used, lane))
        .recover(e -> discard(lane, used, seat).transform(done -> Future.failedFuture(e)));
  }

  /** The start section runs in the lane like any call, and within the same time. */
  private Future<LiveInstance> start(
      Start start, Seat seat, long epoch, ModuleUses.Used used, Lane lane) {
    Callbacks calls = new Callbacks(vertx, start.id(), functions, node.callers(), lane);
    Blueprint blueprint =
        new Blueprint(vertx, node, start.key, start.spec, start.limits, used, seat, calls);
    boolean addressed = start.spec.address().orElse(options.addressed);
    Job<Blueprint.Life> job =
        new Job<>(
            running -> first(start.ask, blueprint, running), Job.Asker.of(start.ask), start.time);
    return lane.submit(job)
        .map(first -> new LiveInstance(node, blueprint, first, lane, seat, addressed, epoch))
        .compose(this::deploy)
        .compose(live -> closing.getAsBoolean() ? closed(live) : Future.succeededFuture(live));
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
  private Future<Void> discard(Lane lane, ModuleUses.Used used, Seat seat) {
    return lane.close()
        .onComplete(done -> seat.close())
        .timeout(DISCARD_GRACE.toMillis(), TimeUnit.MILLISECONDS)
        .eventually(() -> modules.unuse(used));
  }
}
