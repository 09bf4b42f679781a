package io.busbar.host;

import io.busbar.engine.Guest;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
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
      List<Path> roots) {}

  private final Context node;
  private final InstanceSpec spec;
  private final String id;
  private final Limits limits;
  private final ModuleService.Used modules;
  private final Guest guest; // only on the lane, except for what its Javadoc allows
  private final Optional<Streams> streams;
  private final Lane lane;
  private final boolean addressed;
  private final Instant started = Instant.now();
  private final LongAdder operations = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder traps = new LongAdder();
  private Endpoint endpoint;

  LiveInstance(
      Context node,
      InstanceSpec spec,
      Limits limits,
      ModuleService.Used modules,
      Guest guest,
      Optional<Streams> streams,
      Lane lane,
      boolean addressed) {
    this.node = node;
    this.spec = spec;
    this.id = spec.id().orElseThrow();
    this.limits = limits;
    this.modules = modules;
    this.guest = guest;
    this.streams = streams;
    this.lane = lane;
    this.addressed = addressed;
  }

  @Override
  public Future<?> start() {
    if (!addressed) {
      return Future.succeededFuture();
    }
    return Endpoint.open(vertx, node.addresses.instance(id), node.policy, this::handle)
        .onSuccess(opened -> endpoint = opened);
  }

  @Override
  public Future<?> stop() {
    Future<Void> silent = endpoint == null ? Future.succeededFuture() : endpoint.close();
    return silent.eventually(lane::close).eventually(this::release);
  }

  /** Closes what the guest has open; nothing may run in it any more. */
  Future<Void> release() {
    streams.ifPresent(Streams::close);
    return vertx.executeBlocking(
        () -> {
          guest.close();
          return null;
        });
  }

  ModuleService.Used modules() {
    return modules;
  }

  /** Runs one operation of PROTOCOL §5. */
  Future<Body> handle(Ask ask) {
    ask.concerns(id, node.node);
    return switch (ask.action()) {
      case "describe" -> Future.succeededFuture(Body.of(describe()));
      case "exists" -> answer("exists", guest.exists(ask.body().string("function")));
      case "cancel" -> answer("cancelled", lane.cancel(ask.body().string("id"), ask.user()));
      case "write-stdin", "close-stdin", "read-stdout" ->
          Future.succeededFuture(streams().handle(ask));
      case "read-file" -> submit(ask, readFile(ask.body()));
      default -> submit(ask, node.operations.read(ask));
    };
  }

  private static Future<Body> answer(String key, Object value) {
    return Future.succeededFuture(Body.of(key, value));
  }

  private Streams streams() {
    return streams.orElseThrow(
        () ->
            Failure.BAD_REQUEST.because(
                "instance `%s` has no streams: its spec has no `wasi`", id));
  }

  private Operations.Operation readFile(Body body) {
    String path = body.string("path");
    long offset = body.has("offset") ? body.whole("offset") : 0;
    int most = (int) Math.min(Integer.MAX_VALUE, node.operations.sliceBytes());
    return (exports, job) -> Body.of("bytes", guest.readFile(path, offset, most));
  }

  private Future<Body> submit(Ask ask, Operations.Operation operation) {
    node.callers.checkChain(ask, id);
    OptionalLong fuel = ask.fuel();
    if (fuel.isPresent()) {
      guest.checkMetered();
    }
    Job<Body> job =
        new Job<>(
            running -> run(ask, fuel, running, operation),
            Job.Asker.of(ask),
            Job.Time.from(time(ask, limits)));
    return lane.submit(job).onComplete(this::count);
  }

  /** What was stopped has no result, even where the guest did not notice it any more. */
  private Body run(Ask ask, OptionalLong fuel, Job<Body> job, Operations.Operation operation) {
    long before = guest.fuelUsed();
    guest.allowFuel(fuel.orElse(Long.MAX_VALUE));
    Body answer;
    try {
      answer = operation.on(guest, job);
    } finally {
      if (guest.isMetered()) {
        ask.spent(guest.fuelUsed() - before);
      }
    }
    if (!answer.has("answers")) { // several calls at once tell themselves which came to an end
      job.checkNotStopped();
    }
    return answer;
  }

  private void count(Body answer, Throwable thrown) {
    operations.increment();
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

  /** Who and where it is: what lists show. */
  Map<String, Object> summary() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("module", guest.info().id().toString());
    fields.put("node", node.node);
    if (addressed) {
      fields.put("address", node.addresses.instance(id));
    }
    return fields;
  }

  private Map<String, Object> describe() {
    Map<String, Object> fields = summary();
    fields.put("epoch", 1);
    fields.put("started", started.toString());
    fields.put("machine", guest.isCompiled() ? "compiled" : "interpreted");
    fields.put("spec", Codec.about(spec));
    fields.put("limits", Codec.fields(limits));
    fields.put("exports", Codec.exports(guest.info()));
    fields.put("imports", Codec.imports(guest.info()));
    guest
        .firstMemory()
        .ifPresent(memory -> fields.put("memory", Operations.memorySize(guest, null)));
    if (guest.isMetered()) {
      fields.put("fuel", guest.fuel());
    }
    fields.put("queue", lane.queued());
    fields.put("running", lane.isRunning());
    fields.put("counters", counters());
    return fields;
  }

  private Map<String, Object> counters() {
    Map<String, Object> counters = new LinkedHashMap<>();
    counters.put("operations", operations.sum());
    counters.put("failures", failures.sum());
    counters.put("traps", traps.sum());
    if (guest.isMetered()) {
      counters.put("fuel", guest.fuelUsed());
    }
    return counters;
  }

  /** The mailbox size an instance with these limits has. */
  static int mailbox(Limits limits) {
    return Math.toIntExact(limits.get(Limit.MAILBOX));
  }
}
