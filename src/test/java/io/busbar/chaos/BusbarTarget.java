package io.busbar.chaos;

import io.busbar.Until;
import io.busbar.WasmHost;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.LongStream;

/** Calls of instances without state, every other by the Java client, the rest as raw messages. */
final class BusbarTarget implements Target {
  static final int INSTANCES = 12;

  private static final int FIRST_CALLS = 50; // of each instance
  private static final Duration TIMEOUT = Duration.ofSeconds(6);

  /** How much longer than its owner the asker waits, as the Java client does. */
  private static final Duration MARGIN = Duration.ofSeconds(2);

  private static final String GUEST =
      """
      (module
        (import "chaos" "ran" (func $ran (param i64)))
        (func (export "mark") (param $id i64) (result i64)
          (call $ran (local.get $id))
          (i64.add (i64.mul (local.get $id) (i64.const 3)) (i64.const 1))))
      """;

  private final WasmHost host;

  BusbarTarget(Place place) {
    host = WasmHost.clustered(ChaosNode.config(place, "driver")).await();
  }

  @Override
  public Vertx vertx() {
    return host.vertx();
  }

  @Override
  public void prepare(int workers) {
    Until.isTrue(() -> open() == workers + 1);
    host.client().put(GUEST.getBytes(StandardCharsets.UTF_8), "mark:1").await();
    for (int i = 0; i < INSTANCES; i++) {
      JsonObject spec = spec(i);
      Until.isTrue(() -> starts(spec).await());
    }
    for (int i = 0; i < FIRST_CALLS; i++) {
      settle();
    }
  }

  /** On a machine that is busy a node may be taken for lost before it has begun. */
  private Future<Boolean> starts(JsonObject spec) {
    return ask(new DeliveryOptions().addHeader("action", "start"), spec)
        .map(true)
        .otherwise(e -> outcome(e).equals(Failure.CONFLICT.name()));
  }

  @Override
  public void settle() {
    Until.isTrue(() -> all().map(true).otherwise(false).await());
  }

  /** Each instance by each entrance. */
  private Future<?> all() {
    return Future.all(LongStream.rangeClosed(1, 2 * INSTANCES).mapToObj(i -> call(-i)).toList());
  }

  private long open() {
    return host.client().nodes().await().stream().filter(node -> node.getBoolean("open")).count();
  }

  private static JsonObject spec(int instance) {
    JsonObject ran =
        new JsonObject()
            .put("params", new JsonArray().add("i64"))
            .put("results", new JsonArray())
            .put("address", ChaosNode.RAN);
    JsonObject labels = new JsonObject().put(ChaosNode.ROLE, ChaosNode.WORKER);
    return new JsonObject()
        .put("id", name(instance))
        .put("module", "mark:1")
        .put("imports", new JsonObject().put("chaos", new JsonObject().put("ran", ran)))
        .put("state", "none")
        .put("placement", new JsonObject().put("labels", labels));
  }

  private static String name(long instance) {
    return "i" + instance;
  }

  @Override
  public String entrance(long id) {
    return id % 2 == 0 ? "client" : "bus";
  }

  @Override
  public String instance(long id) {
    return name(Math.abs(id) / 2 % INSTANCES);
  }

  @Override
  public Future<Long> call(long id) {
    return id % 2 == 0 ? callByClient(id) : callByMessage(id);
  }

  private Future<Long> callByClient(long id) {
    return host.client()
        .instance(instance(id))
        .withTimeout(TIMEOUT)
        .call("mark", id)
        .map(results -> (Long) results.get(0));
  }

  private Future<Long> callByMessage(long id) {
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader("action", "call")
            .addHeader("instance", instance(id))
            .addHeader("timeout", Long.toString(TIMEOUT.toMillis()))
            .setSendTimeout(TIMEOUT.plus(MARGIN).toMillis());
    JsonObject call =
        new JsonObject().put("function", "mark").put("params", new JsonArray().add(id));
    return ask(options, call).map(reply -> reply.body().getJsonArray("results").getLong(0));
  }

  private Future<Message<JsonObject>> ask(DeliveryOptions options, JsonObject body) {
    return vertx().eventBus().request("wasm.instances", body, options.setLocalOnly(true));
  }

  @Override
  public String outcome(Throwable e) {
    if (e instanceof WasmException said) {
      return said.failure().name();
    }
    if (e instanceof ReplyException reply) {
      return reply.failureType() == ReplyFailure.RECIPIENT_FAILURE
          ? Failure.of(reply.failureCode()).name()
          : reply.failureType().name();
    }
    return e.getClass().getSimpleName();
  }
}
