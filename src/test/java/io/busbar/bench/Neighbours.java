package io.busbar.bench;

import io.busbar.Config;
import io.busbar.WasmHost;
import io.busbar.client.Bus;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Addresses;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** What an honest user gets done while three others throw memory bombs at the same node. */
public final class Neighbours {
  /** Grows to its quota in one call: again and again, and touches what it gets. */
  private static final String GROWS =
      """
      (module
        (memory 1)
        (table 1 funcref)
        (func (export "bomb") (param $pages i32) (result i32)
          (loop $more
            (br_if $more (i32.ne (memory.grow (local.get $pages)) (i32.const -1))))
          (loop $more
            (br_if $more
              (i32.ne (table.grow (ref.null func) (i32.const 1000)) (i32.const -1))))
          (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536)))
          (memory.size)))
      """;

  private static final List<String> ATTACKERS = List.of("mallory", "trudy", "eve");
  private static final int ATTACKS = 4; // of each at the same time
  private static final int TURNS = 5; // of which the median counts
  private static final Duration TURN = Duration.ofSeconds(2);

  private static final long ROUND_TRIP = 10; // ms between an attacker's answer and next question

  private final Vertx vertx;
  private final WasmHost host;
  private final Bus bus;

  private Neighbours(Vertx vertx, WasmHost host) {
    this.vertx = vertx;
    this.host = host;
    this.bus = new Bus(vertx, Addresses.STANDARD);
  }

  /**
   * What came of one run.
   *
   * @param calls those of the honest user that were answered
   * @param errors those that failed
   * @param attacks the attackers' operations that ended, either way
   */
  public record Result(long calls, long errors, long attacks) {}

  /** A node of so many bytes for guests, a quarter of them for each user. */
  public static Config config(long bytes) {
    return Config.from(
        new JsonObject()
            .put("memory", new JsonObject().put("maxBytes", bytes))
            .put("tenants", new JsonObject().put("memoryBytes", bytes / 4)));
  }

  /** On this node, for so long; the honest user has so many calls in flight. */
  public static Result run(
      Vertx vertx, WasmHost host, Duration time, int inFlight, boolean attacked) {
    return new Neighbours(vertx, host).run(time, inFlight, attacked);
  }

  private Result run(Duration time, int inFlight, boolean attacked) {
    host.client().put(Guests.binary("sum"), "sum").await();
    host.client().put(binary(GROWS), "grows").await();
    host.client().put(binary("(module (memory 400))"), "large").await();
    InstanceRef honest = start("honest", InstanceSpec.of("sum")).await();
    honest.call("sum", 20, 22).await();
    LongAdder calls = new LongAdder();
    LongAdder errors = new LongAdder();
    LongAdder attacks = new LongAdder();
    long end = System.nanoTime() + time.toNanos();
    List<Future<?>> chains = new ArrayList<>();
    if (attacked) {
      for (String attacker : ATTACKERS) {
        for (int i = 0; i < ATTACKS; i++) {
          Supplier<Future<?>> attack = attack(attacker, i, time);
          chains.add(
              repeat(
                  end,
                  () ->
                      attack
                          .get()
                          .onComplete(done -> attacks.increment())
                          .eventually(() -> vertx.timer(ROUND_TRIP, TimeUnit.MILLISECONDS))));
        }
      }
    }
    for (int i = 0; i < inFlight; i++) {
      chains.add(
          repeat(
              end,
              () ->
                  honest
                      .call("sum", 20, 22)
                      .onSuccess(sum -> calls.increment())
                      .onFailure(e -> errors.increment())));
    }
    Future.join(chains).await();
    honest.stop().await();
    return new Result(calls.sum(), errors.sum(), attacks.sum());
  }

  private static byte[] binary(String wat) {
    return Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8));
  }

  private Future<InstanceRef> start(String user, InstanceSpec spec) {
    Bus.Question question = Bus.Question.of("start", Codec.body(spec)).as(user).withShared();
    return bus.ask(Addresses.STANDARD.instances(), question)
        .map(body -> host.client().instance(body.string("id")));
  }

  /** Starts something, lets it grow so long, and stops it; whatever fails is part of it. */
  private Supplier<Future<?>> attack(String user, int number, Duration time) {
    InstanceSpec spec = InstanceSpec.of(number % 4 == 3 ? "large" : "grows");
    int pages = number % 4 == 0 ? 1 : 100;
    return () ->
        start(user, spec)
            .compose(
                bomb ->
                    bomb.withTimeout(time)
                        .call("bomb", pages)
                        .transform(called -> bomb.stop())
                        .otherwiseEmpty())
            .otherwiseEmpty();
  }

  /** One step after the other until the time is over. */
  private static Future<?> repeat(long end, Supplier<Future<?>> step) {
    Promise<Void> over = Promise.promise();
    repeat(end, step, over);
    return over.future();
  }

  private static void repeat(long end, Supplier<Future<?>> step, Promise<Void> over) {
    step.get()
        .onComplete(
            done -> {
              if (System.nanoTime() - end < 0) {
                repeat(end, step, over);
              } else {
                over.complete();
              }
            });
  }

  /** Prints what the honest user got done alone and under attack, in turns of a few seconds. */
  public static void main(String[] args) {
    Vertx vertx = Vertx.vertx();
    long bytes = Runtime.getRuntime().maxMemory() * 6 / 10;
    WasmHost host = WasmHost.start(vertx, config(bytes)).await();
    for (int inFlight : new int[] {1, 16}) {
      run(vertx, host, TURN, inFlight, true); // warms up
      long[] quiet = new long[TURNS];
      long[] attacked = new long[TURNS];
      long errors = 0;
      long attacks = 0;
      for (int i = 0; i < TURNS; i++) {
        quiet[i] = run(vertx, host, TURN, inFlight, false).calls / TURN.toSeconds();
        Result result = run(vertx, host, TURN, inFlight, true);
        attacked[i] = result.calls / TURN.toSeconds();
        errors += result.errors;
        attacks += result.attacks;
      }
      System.out.printf(
          "%d in flight: %,d calls a second alone, %,d under attack (%d %%);"
              + " %d errors, %,d attacks%n",
          inFlight,
          median(quiet),
          median(attacked),
          median(attacked) * 100 / median(quiet),
          errors,
          attacks);
    }
    host.close().eventually(vertx::close).await();
  }

  private static long median(long[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
