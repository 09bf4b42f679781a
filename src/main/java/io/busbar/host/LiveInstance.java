package io.busbar.host;

import io.busbar.engine.Guest;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.ModuleInfo;
import io.busbar.model.State;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * The verticle that owns one instance: what arrives for it becomes a job in its lane.
 *
 * <p>{@code describe}, {@code exists} and {@code cancel} touch nothing the guest can change and are
 * answered at once, also while a call runs.
 */
final class LiveInstance extends VerticleBase {
  /**
   * What a verticle needs from its node.
   *
   * @param node the node's id
   * @param roots the real directories below which guests may be given others
   */
  record Context(
      String node,
      Addresses addresses,
      SendPolicy policy,
      Operations operations,
      Callers callers,
      Events events,
      Roster roster,
      Inbox inbox,
      List<Path> roots) {}

  private final Context node;
  private final Blueprint blueprint;
  private final String id;
  private final Limits limits;
  private final ModuleInfo module;
  private final Lives lives;
  private final Lane lane;
  private final Seat seat;
  private final boolean addressed;
  private final long epoch;
  private final AtomicBoolean untold; // that it began anew with this epoch
  private final Instant started = Instant.now();
  private final LongAdder operations = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder traps = new LongAdder();
  private final Recent recent = new Recent();
  private volatile boolean called; // its guest has been asked something
  private final AtomicBoolean moving = new AtomicBoolean(); // to another node, or it is there
  private volatile Endpoint endpoint; // null: it has none

  LiveInstance(
      Context node,
      Blueprint blueprint,
      Blueprint.Life first,
      Lane lane,
      Seat seat,
      boolean addressed,
      long epoch) {
    this.node = node;
    this.blueprint = blueprint;
    this.id = blueprint.id();
    this.limits = blueprint.limits();
    this.module = blueprint.modules().module().info();
    this.lives = new Lives(blueprint, first, lane, node, epoch);
    this.lane = lane;
    this.seat = seat;
    this.addressed = addressed;
    this.epoch = epoch;
    this.untold = new AtomicBoolean(epoch > 1);
  }

  @Override
  public Future<?> start() {
    if (!addressed || isCopy()) {
      return Future.succeededFuture();
    }
    return Endpoint.open(vertx, node.addresses.instance(id), node.policy, this::handleOrPassOn)
        .onSuccess(opened -> endpoint = opened);
  }

  /** Whether it is one of several, whose address is not its own. */
  private boolean isCopy() {
    return !blueprint.key().equals(id);
  }

  /** At its own address nobody else would look for where it is now. */
  private Future<Body> handleOrPassOn(Ask ask) {
    if (!ask.mayUse(user())) {
      throw ask.unheard();
    }
    return moving.get() ? node.roster.elsewhere(ask, blueprint.key()) : handle(ask);
  }

  @Override
  public Future<?> stop() {
    Future<Void> silent = endpoint == null ? Future.succeededFuture() : endpoint.close();
    return silent.eventually(lane::close).eventually(this::release);
  }

  /** Whether something would be lost if it began anew. */
  boolean isPrecious() {
    return blueprint.spec().home().state() == State.VOLATILE && called;
  }

  /**
   * Comes to rest: done when all it was asked is answered. What it is asked from now on is passed
   * on.
   *
   * @param fresh whether what it has in memory may be lost; else that is a {@code CONFLICT}, as
   *     where it is being moved already
   * @return what would be lost
   */
  Future<Host.Rested> rest(boolean fresh, Duration most) {
    if (!moving.compareAndSet(false, true)) {
      return Future.failedFuture(
          Failure.CONFLICT.because("instance `%s` is being moved already", id));
    }
    return Future.succeededFuture()
        .compose(now -> lane.rest(WasmException.noSuchInstance(id)))
        .timeout(most.toMillis(), TimeUnit.MILLISECONDS)
        .recover(e -> Future.failedFuture(stillBusy(e, most)))
        .compose(done -> fresh || !isPrecious() ? Future.succeededFuture() : refused())
        .map(done -> new Host.Rested(epoch(), isPrecious()))
        .onFailure(e -> wake());
  }

  private Throwable stillBusy(Throwable e, Duration most) {
    return e instanceof TimeoutException
        ? Failure.UNAVAILABLE.because(
            "instance `%s` still runs what it was asked %d ms ago", id, most.toMillis())
        : e;
  }

  private Future<Void> refused() {
    return Future.failedFuture(
        Failure.CONFLICT.because(
            "instance `%s` has been called, and would lose its state: it begins anew only if that"
                + " is asked for (`fresh`)",
            id));
  }

  /** Whether it rests, or has another node by now. */
  boolean isMoving() {
    return moving.get();
  }

  /** Goes on after a rest. */
  void wake() {
    lane.wake();
    moving.set(false);
  }

  /** Another node has it: the guest goes at once, while its address still passes on. */
  Future<Void> handOver() {
    Future<Void> withdrawn =
        endpoint == null ? Future.succeededFuture() : node.roster.withdraw(endpoint);
    return withdrawn.eventually(lane::close).eventually(this::release);
  }

  /** Closes what the guest has open; nothing may run in it any more. */
  Future<Void> release() {
    return vertx
        .<Void>executeBlocking(
            () -> {
              lives.close();
              return null;
            })
        .onComplete(done -> seat.close());
  }

  ModuleUses.Used modules() {
    return blueprint.modules();
  }

  /** Where it answers by itself. */
  Optional<Endpoint> endpoint() {
    return Optional.ofNullable(endpoint);
  }

  String id() {
    return id;
  }

  /** Who started it; empty: the operator. */
  Optional<String> user() {
    return seat.user();
  }

  /** How often it has begun anew, here and elsewhere. */
  long epoch() {
    return lives.epoch();
  }

  Roster.Started enrolment() {
    return new Roster.Started(blueprint.key(), epoch, blueprint.spec(), summary(), user());
  }

  /** What its guest did, if ever the instance is to be stopped for that. */
  Future<WasmException> ended() {
    return lives.ended();
  }

  /** Why it answers nothing any more; empty where it does. */
  Optional<String> parked() {
    return lane.parked();
  }

  /** Runs one operation of PROTOCOL §5. */
  Future<Body> handle(Ask ask) {
    ask.concerns(id, node.node);
    Roster.Permit permit = node.roster.permit(ask, blueprint.spec().home());
    permit.check();
    if (untold.get() && untold.compareAndSet(true, false)) {
      ask.tellEpoch(epoch);
    }
    if (parked().isPresent() && !ask.action().equals("describe")) {
      lane.checkOpen();
    }
    return switch (ask.action()) {
      case "describe" -> Future.succeededFuture(Body.of(describe(ask)));
      case "exists" -> answer("exists", isFunction(ask.body().string("function")));
      case "cancel" -> answer("cancelled", cancel(ask));
      case "write-stdin", "close-stdin", "read-stdout" -> stream(ask);
      case "read-file" -> submit(ask, readFile(ask.body()), permit);
      default -> submit(ask, node.operations.read(ask), permit);
    };
  }

  /** What runs already may go on where only that is to be cancelled which does not. */
  private boolean cancel(Ask ask) {
    boolean queued = ask.body().optionalBoolean("queued").orElse(false);
    return lane.cancel(ask.body().string("id"), ask.user(), queued);
  }

  private Future<Body> stream(Ask ask) {
    if (moving.get()) {
      throw WasmException.noSuchInstance(id); // what is written now would go with this guest
    }
    Body answer = streams().handle(ask);
    called = true;
    return Future.succeededFuture(answer);
  }

  private static Future<Body> answer(String key, Object value) {
    return Future.succeededFuture(Body.of(key, value));
  }

  private boolean isFunction(String export) {
    return blueprint.modules().module().export(export) instanceof ExternType.Function;
  }

  private Streams streams() {
    return lives
        .now()
        .flatMap(Blueprint.Life::streams)
        .orElseThrow(
            () ->
                Failure.BAD_REQUEST.because(
                    "instance `%s` has no streams: its spec has no `wasi`", id));
  }

  private Operations.Operation readFile(Body body) {
    String path = body.string("path");
    long offset = body.has("offset") ? body.whole("offset") : 0;
    int most = (int) Math.min(Integer.MAX_VALUE, node.operations.sliceBytes());
    return (exports, job) -> Body.of("bytes", lives.guest(job).readFile(path, offset, most));
  }

  private Future<Body> submit(Ask ask, Operations.Operation operation, Roster.Permit permit) {
    node.callers.checkChain(ask, id);
    OptionalLong fuel = ask.fuel();
    if (fuel.isPresent()) {
      lives.now().ifPresent(life -> life.guest().checkMetered());
    }
    Job<Body> job =
        new Job<>(
            running -> {
              permit.check();
              return run(ask, fuel, running, operation);
            },
            Job.Asker.of(ask),
            Job.Time.from(time(ask, limits)));
    return node.inbox
        .accept(ask.body(), () -> lane.submit(job))
        .onComplete((answer, thrown) -> count(ask, job, thrown));
  }

  /** What was stopped has no result, even where the guest did not notice it any more. */
  private Body run(Ask ask, OptionalLong fuel, Job<Body> job, Operations.Operation operation) {
    long before = lives.fuelUsed();
    called = true;
    try {
      Body answer = operation.on(() -> guest(job, fuel, before), job);
      if (!answer.has("answers")) { // several calls at once tell themselves which came to an end
        job.checkNotStopped();
      }
      return answer;
    } finally {
      if (isMetered()) {
        ask.spent(lives.fuelUsed() - before);
      }
      lives.settle(job);
    }
  }

  /** The guest, which may still use what the operation has not used of its fuel. */
  private Guest guest(Job<?> job, OptionalLong fuel, long before) {
    Guest guest = lives.guest(job);
    long spent = lives.fuelUsed() - before;
    guest.allowFuel(fuel.isPresent() ? Math.max(0, fuel.getAsLong() - spent) : Long.MAX_VALUE);
    return guest;
  }

  private boolean isMetered() {
    return limits.has(Limit.FUEL);
  }

  private void count(Ask ask, Job<?> job, Throwable thrown) {
    operations.increment();
    if (job.hasBegun()) {
      recent.add(ask, thrown);
    }
    if (thrown != null) {
      failures.increment();
      traps.add(thrown instanceof WasmException e && e.failure() == Failure.TRAP ? 1 : 0);
    }
  }

  /** The asker's time, but never more than the instance's own. */
  static Duration time(Ask ask, Limits limits) {
    Duration asked = ask.timeout();
    Duration most = limits.deadline();
    return asked.isZero() || asked.compareTo(most) > 0 ? most : asked;
  }

  /** What lists show. */
  Map<String, Object> listed() {
    Map<String, Object> fields = summary();
    user().ifPresent(user -> fields.put("user", user));
    return fields;
  }

  /** Who and where it is. */
  Map<String, Object> summary() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("module", module.id().toString());
    fields.put("node", node.node);
    if (addressed) {
      fields.put("address", node.addresses.instance(id));
    }
    parked().ifPresent(reason -> fields.put("parked", reason));
    return fields;
  }

  private Map<String, Object> describe(Ask ask) {
    Map<String, Object> fields = listed();
    fields.put("epoch", lives.epoch());
    if (epoch > 1) {
      fields.put("fresh", true);
    }
    fields.put("started", started.toString());
    fields.put("machine", blueprint.modules().module().isCompiled() ? "compiled" : "interpreted");
    fields.put("spec", Codec.about(blueprint.spec()));
    fields.put("limits", Codec.fields(limits));
    fields.put("exports", Codec.exports(module));
    fields.put("imports", Codec.imports(module));
    lives.now().ifPresent(life -> describe(fields, life.guest()));
    fields.put("reserved", seat.budget().reserved());
    fields.put("queue", lane.queued());
    fields.put("running", lane.isRunning());
    fields.put("counters", counters());
    if (ask.body().optionalBoolean("recent").orElse(false)) {
      fields.put("recent", recent.toldTo(ask.reach(), user()));
    }
    return fields;
  }

  private void describe(Map<String, Object> fields, Guest guest) {
    guest
        .firstMemory()
        .ifPresent(memory -> fields.put("memory", Operations.memorySize(guest, null)));
    if (isMetered()) {
      fields.put("fuel", guest.fuel());
    }
  }

  private Map<String, Object> counters() {
    Map<String, Object> counters = new LinkedHashMap<>();
    counters.put("operations", operations.sum());
    counters.put("failures", failures.sum());
    counters.put("traps", traps.sum());
    counters.put("restarts", lives.epoch() - epoch);
    if (isMetered()) {
      counters.put("fuel", lives.fuelUsed());
    }
    return counters;
  }

  /** The mailbox size an instance with these limits has. */
  static int mailbox(Limits limits) {
    return Math.toIntExact(limits.get(Limit.MAILBOX));
  }
}
