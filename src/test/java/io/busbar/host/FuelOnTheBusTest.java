package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Fuel as it is set and read on the bus, in both machines. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class FuelOnTheBusTest {
  private static final Signature GIVES_I64 = Signature.of(List.of(), List.of(ValueType.I64));
  private static final Signature NOTHING = Signature.of(List.of(), List.of());

  @Parameter Compiler.Mode mode;

  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(mode);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private static InstanceSpec spec() {
    return TestNode.inline("fuel")
        .withId("fuel")
        .withImport("env", "left", GIVES_I64, "test.left")
        .withImport("env", "refuel", NOTHING, "test.refuel");
  }

  private InstanceRef guest(long fuel) {
    return node.start(spec().withLimit(Limit.FUEL, fuel));
  }

  private Message<Object> ask(String action, JsonObject body, DeliveryOptions options) {
    return node.vertx()
        .eventBus()
        .request("wasm.instance.fuel", body, options.addHeader("action", action))
        .await();
  }

  private static JsonObject call(String function, Object... params) {
    return new JsonObject().put("function", function).put("params", List.of(params));
  }

  @Test
  void fuel_isReadAndReplaced() {
    InstanceRef guest = guest(10);
    assertEquals(10, guest.fuel().await());
    assertEquals(List.of(42), guest.call("sum", 50, -8).await());
    assertEquals(6, guest.fuel().await());
    guest.setFuel(2).await();
    guest.call("nothing").await();
    assertEquals(1, guest.fuel().await());
    Failing.with(
        Failure.OUT_OF_FUEL,
        "wasm trap: all fuel consumed by WebAssembly",
        () -> guest.call("nothing").await());
    assertEquals(0, guest.fuel().await());
    guest.setFuel(5).await();
    assertEquals(List.of(42), guest.call("sum", 50, -8).await());
  }

  @Test
  void withoutALimit_nobodyCounts() {
    InstanceRef guest = node.start(spec());
    String text = "Could not %s fuel: fuel is not configured in this store";
    Failing.with(Failure.NO_FUEL, text.formatted("get"), () -> guest.fuel().await());
    Failing.with(Failure.NO_FUEL, text.formatted("set"), () -> guest.setFuel(1).await());
    Failing.with(
        Failure.NO_FUEL, text.formatted("set"), () -> guest.withFuel(9).call("nothing").await());
    Message<Object> answer = ask("call", call("nothing"), new DeliveryOptions());
    assertNull(answer.headers().get("fuel"));
    assertFalse(guest.describe().await().containsKey("fuel"));
  }

  @Test
  void answers_tellWhatTheyUsed() {
    guest(10_000);
    assertEquals("4", ask("call", call("sum", 1, 2), new DeliveryOptions()).headers().get("fuel"));
    JsonObject several =
        new JsonObject().put("calls", List.of(call("sum", 1, 2), call("nothing"), call("nope")));
    assertEquals("5", ask("calls", several, new DeliveryOptions()).headers().get("fuel"));
    Message<Object> failed =
        ask("call", call("trap", 0), new DeliveryOptions().addHeader("errors", "body"));
    assertEquals("error", failed.headers().get("status"));
    assertEquals("6", failed.headers().get("fuel"));
    JsonObject described = node.client().instance("fuel").describe().await();
    assertEquals(10_000 - 15, described.getLong("fuel"));
    assertEquals(15, described.getJsonObject("counters").getLong("fuel"));
  }

  @Test
  void operation_withItsOwnFuel_cannotUseMore() {
    InstanceRef guest = guest(1_000_000);
    Failing.with(Failure.OUT_OF_FUEL, () -> guest.withFuel(1000).call("forever").await());
    assertEquals(999_000, guest.fuel().await());
    assertEquals(List.of(3), guest.withFuel(5).call("sum", 1, 2).await());
    ReplyException bad =
        assertThrows(
            ReplyException.class,
            () -> ask("call", call("nothing"), new DeliveryOptions().addHeader("fuel", "lots")));
    assertEquals("header `fuel` must be a whole number. Given `lots`.", bad.getMessage());
    assertEquals(4000, bad.failureCode());
  }

  @Test
  void muchFuel_doesNotOutlastTheDeadline() {
    InstanceRef guest = guest(Limit.FUEL.highest());
    for (String function : List.of("forever", "forever-if")) {
      Failing.with(
          Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(200)).call(function).await());
      assertEquals(List.of(3), guest.call("sum", 1, 2).await());
    }
  }

  @Test
  void badAmounts_areRefused() {
    InstanceRef guest = guest(10);
    Failing.with(Failure.BAD_REQUEST, () -> guest.setFuel(-1).await());
    Failing.with(Failure.BAD_REQUEST, () -> guest.setFuel(Long.MAX_VALUE).await());
    assertEquals(10, guest.fuel().await());
  }

  @Test
  void callback_overTheBus_readsAndSetsFuel() {
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "test.left",
            message ->
                node.vertx()
                    .eventBus()
                    .<JsonObject>request(
                        message.headers().get("caller"),
                        new JsonObject(),
                        new DeliveryOptions().addHeader("action", "get-fuel"))
                    .onSuccess(
                        answer ->
                            message.reply(
                                new JsonObject()
                                    .put("results", List.of(answer.body().getLong("fuel"))))));
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "test.refuel",
            message ->
                node.vertx()
                    .eventBus()
                    .request(
                        message.headers().get("caller"),
                        new JsonObject().put("fuel", 1000),
                        new DeliveryOptions().addHeader("action", "set-fuel"))
                    .onSuccess(
                        answer -> message.reply(new JsonObject().put("results", List.of()))));
    InstanceRef guest = guest(10_000);
    assertEquals(List.of(9_998L), guest.call("left").await());
    assertEquals(List.of(999L), guest.call("refuel").await());
    assertEquals(999, guest.fuel().await());
  }

  @Test
  void startSection_paysToo() {
    InstanceSpec endless =
        TestNode.inlineText("(module (func $s (loop (br 0))) (start $s))")
            .withLimit(Limit.FUEL, 1000);
    Failing.with(Failure.OUT_OF_FUEL, () -> node.start(endless));
    InstanceSpec none =
        TestNode.inlineText("(module (func $s) (start $s))").withLimit(Limit.FUEL, 0);
    Failing.with(Failure.OUT_OF_FUEL, () -> node.start(none));
    assertEquals(List.of(), node.client().instances().await());
  }

  @Test
  void linkedModules_shareTheFuel() {
    InstanceSpec spec =
        TestNode.inlineText(
                """
                (module (import "m" "sum" (func $sum (param i32 i32) (result i32)))
                  (func (export "twice") (param i32) (result i32)
                    (call $sum (local.get 0) (local.get 0))))
                """)
            .withLink("m", LinkSpec.of(new ModuleRef.Inline(sum())))
            .withLimit(Limit.FUEL, 100);
    InstanceRef guest = node.start(spec);
    assertEquals(List.of(42), guest.call("twice", 21).await());
    assertEquals(100 - 4 - 4, guest.fuel().await());
  }

  private static byte[] sum() {
    return """
        (module (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1))))
        """
        .getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void oneModule_withAndWithoutFuel_isBoth() {
    node.client().put(Guests.text("fuel"), "fuel").await();
    InstanceRef metered = guest(100);
    InstanceRef free = node.start(spec().withId("free"));
    assertEquals(List.of(3), free.call("sum", 1, 2).await());
    assertEquals(List.of(3), metered.call("sum", 1, 2).await());
    assertEquals(96, metered.fuel().await());
  }
}
