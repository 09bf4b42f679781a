package io.busbar.host;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Guest;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.FromPolicy;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
   * @param sliceBytes the most bytes one read or write of memory may move
   * @param callsAtOnce the most calls one {@code calls} may hold
   * @param roots the real directories below which guests may be given others
   */
  record Context(
      String node,
      Addresses addresses,
      FromPolicy policy,
      long sliceBytes,
      int callsAtOnce,
      List<Path> roots) {}

  private final Context node;
  private final InstanceSpec spec;
  private final String id;
  private final Limits limits;
  private final CompiledModule module;
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
      CompiledModule module,
      Guest guest,
      Optional<Streams> streams,
      Lane lane,
      boolean addressed) {
    this.node = node;
    this.spec = spec;
    this.id = spec.id().orElseThrow();
    this.limits = limits;
    this.module = module;
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

  CompiledModule module() {
    return module;
  }

  /** Runs one operation of PROTOCOL §5. */
  Future<Body> handle(Ask ask) {
    ask.concerns(id, node.node);
    Body body = ask.body();
    return switch (ask.action()) {
      case "call" -> call(ask, body);
      case "calls" -> calls(ask, body);
      case "exists" -> answer("exists", guest.exists(body.string("function")));
      case "get-global" -> getGlobal(ask, body.string("global"));
      case "set-global" -> setGlobal(ask, body.string("global"), body);
      case "memory" -> memory(ask, memoryName(body));
      case "read-memory" -> readMemory(ask, body);
      case "write-memory" -> writeMemory(ask, body);
      case "grow-memory" -> growMemory(ask, memoryName(body), body.whole("pages"));
      case "write-stdin", "close-stdin", "read-stdout" ->
          Future.succeededFuture(streams().handle(ask));
      case "read-file" -> readFile(ask, body);
      case "get-fuel" -> throw noFuel("get");
      case "set-fuel" -> throw noFuel("set");
      case "describe" -> Future.succeededFuture(Body.of(describe()));
      case "cancel" -> answer("cancelled", lane.cancel(body.string("id"), ask.user()));
      default -> throw ask.unknownAction();
    };
  }

  private static Future<Body> answer(String key, Object value) {
    return Future.succeededFuture(Body.of(key, value));
  }

  private static WasmException noFuel(String verb) {
    return Failure.NO_FUEL.because("Could not %s fuel: fuel is not configured in this store", verb);
  }

  /** The asker's time, but never more than the instance's own. */
  static Duration time(Ask ask, Limits limits) {
    Duration asked = ask.timeout();
    Duration most = limits.deadline();
    return asked.isZero() || asked.compareTo(most) > 0 ? most : asked;
  }

  private Future<Body> submit(Ask ask, Job.Work<Body> work) {
    Job<Body> job = new Job<>(work, ask.id(), ask.user(), time(ask, limits));
    return lane.submit(job).onComplete(this::count);
  }

  private void count(Body answer, Throwable thrown) {
    operations.increment();
    if (thrown != null) {
      failures.increment();
      traps.add(thrown instanceof WasmException e && e.failure() == Failure.TRAP ? 1 : 0);
    }
  }

  /** Work that a stop makes fail, even where the guest did not notice it any more. */
  private Future<Body> run(Ask ask, Job.Work<Body> work) {
    return submit(
        ask,
        job -> {
          Body answer = work.run(job);
          job.checkNotStopped();
          return answer;
        });
  }

  private Future<Body> call(Ask ask, Body body) {
    Call call = Call.of(body);
    return run(ask, job -> call.on(guest));
  }

  /** One call, read from its body before it waits. */
  private record Call(String function, List<Object> params) {
    static Call of(Body body) {
      return new Call(body.string("function"), params(body));
    }

    private static List<Object> params(Body body) {
      try {
        return body.list("params");
      } catch (WasmException e) {
        throw Failure.BAD_REQUEST.because("could not load 'function params': %s", e.getMessage());
      }
    }

    Body on(Guest guest) {
      return Body.of("results", guest.call(function, params));
    }
  }

  /** Each call on its own: one that fails leaves the others, unless the time is over. */
  private Future<Body> calls(Ask ask, Body body) {
    List<Object> calls = body.list("calls");
    if (calls.size() > node.callsAtOnce) {
      throw Failure.TOO_LARGE.because(
          "%d calls in one message; at most %d are taken", calls.size(), node.callsAtOnce);
    }
    return submit(ask, job -> Body.of("answers", answers(job, body, calls)));
  }

  private List<Object> answers(Job<Body> job, Body body, List<Object> calls) {
    List<Object> answers = new ArrayList<>(calls.size());
    for (Object call : calls) {
      answers.add(answerInTurn(job, body, call).fields());
    }
    return answers;
  }

  private Body answerInTurn(Job<Body> job, Body body, Object call) {
    if (job.verdict() != null) {
      return Failures.body(job.never());
    }
    try {
      return Call.of(body.item(call)).on(guest);
    } catch (RuntimeException e) {
      WasmException stopped = job.verdict();
      return Failures.body(stopped == null ? Failures.from(e) : stopped);
    }
  }

  private Future<Body> getGlobal(Ask ask, String name) {
    return run(ask, job -> Body.of("value", guest.global(name)));
  }

  private Future<Body> setGlobal(Ask ask, String name, Body body) {
    Object value = body.value("value");
    return run(ask, job -> Body.of("value", guest.setGlobal(name, value)));
  }

  private static String memoryName(Body body) {
    return body.optionalString("memory").orElse(null);
  }

  private Future<Body> memory(Ask ask, String memory) {
    return run(ask, job -> Body.of(memorySize(memory)));
  }

  private Map<String, Object> memorySize(String memory) {
    int pages = guest.pages(memory);
    Map<String, Object> size = new LinkedHashMap<>();
    size.put("memory", guest.memoryName(memory));
    size.put("pages", pages);
    size.put("bytes", pages * 65_536L);
    return size;
  }

  private Future<Body> readMemory(Ask ask, Body body) {
    String memory = memoryName(body);
    long offset = body.whole("offset");
    long length = body.whole("length");
    boolean text = isText(body);
    return run(
        ask,
        job -> {
          byte[] bytes = read(memory, offset, length);
          return text ? Body.of("text", utf8(bytes, offset)) : Body.of("bytes", bytes);
        });
  }

  /** Bytes that are not there are missed before it is said that there are too many. */
  private byte[] read(String memory, long offset, long length) {
    long size = guest.pages(memory) * 65_536L;
    if (offset <= size && length <= size - offset) {
      checkSlice(length);
    }
    return guest.read(memory, offset, length);
  }

  static boolean isText(Body body) {
    Optional<String> as = body.optionalString("as");
    as.filter(form -> !form.equals("utf8") && !form.equals("bytes"))
        .ifPresent(
            form -> {
              throw Failure.BAD_REQUEST.because(
                  "`as` must be `utf8` or `bytes`. Given `%s`.", Names.shown(form));
            });
    return as.filter("utf8"::equals).isPresent();
  }

  private long checkSlice(long length) {
    if (length > node.sliceBytes) {
      throw Failure.TOO_LARGE.because(
          "a slice of %d bytes; at most %d are moved at once", length, node.sliceBytes);
    }
    return length;
  }

  private static String utf8(byte[] bytes, long offset) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw Failure.BAD_REQUEST.because(
          "the %d bytes from %d on are not valid UTF-8", bytes.length, offset);
    }
  }

  private Future<Body> writeMemory(Ask ask, Body body) {
    String memory = memoryName(body);
    long offset = body.whole("offset");
    byte[] bytes =
        body.has("text")
            ? body.string("text").getBytes(StandardCharsets.UTF_8)
            : body.bytes("bytes");
    checkSlice(bytes.length);
    return run(
        ask,
        job -> {
          guest.write(memory, offset, bytes);
          return Body.of("written", bytes.length);
        });
  }

  private Future<Body> growMemory(Ask ask, String memory, long pages) {
    return run(ask, job -> Body.of("previous", guest.grow(memory, pages)));
  }

  private Streams streams() {
    return streams.orElseThrow(
        () ->
            Failure.BAD_REQUEST.because(
                "instance `%s` has no streams: its spec has no `wasi`", id));
  }

  private Future<Body> readFile(Ask ask, Body body) {
    String path = body.string("path");
    long offset = body.has("offset") ? body.whole("offset") : 0;
    int most = (int) Math.min(Integer.MAX_VALUE, node.sliceBytes);
    return run(ask, job -> Body.of("bytes", guest.readFile(path, offset, most)));
  }

  /** Who and where it is: what lists show. */
  Map<String, Object> summary() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("module", module.id().toString());
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
    fields.put("exports", Codec.exports(module.info()));
    fields.put("imports", Codec.imports(module.info()));
    guest.firstMemory().ifPresent(memory -> fields.put("memory", memorySize(null)));
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
    return counters;
  }

  /** The mailbox size an instance with these limits has. */
  static int mailbox(Limits limits) {
    return Math.toIntExact(limits.get(Limit.MAILBOX));
  }
}
