package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.Tenant;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An instance tells which operations ran in it last. */
class RecentTest {
  private static final String GUEST =
      """
      (module
        (import "env" "f" (func $f))
        (memory (export "memory") 1)
        (func (export "wait") (call $f))
        (func (export "trap") unreachable)
        (func (export "seven") (param i32) (result i32) (i32.const 7)))
      """;

  private final Promise<List<Object>> opened = Promise.promise();
  private TestNode node;
  private InstanceRef guest;

  @BeforeEach
  void open() {
    node = TestNode.start();
    node.host().asyncFunction("gate", (caller, args) -> opened.future());
    guest = node.start(spec().withId("common"));
  }

  @AfterEach
  void close() {
    node.close();
  }

  private static InstanceSpec spec() {
    return TestNode.inlineText(GUEST)
        .withImport("env", "f", Signature.of(List.of(), List.of()), "gate");
  }

  private List<JsonObject> recent(String id) {
    JsonObject message = new JsonObject().put("id", id).put("recent", true);
    return all(
        node.vertx()
            .eventBus()
            .<JsonObject>request(
                "wasm.instances", message, new DeliveryOptions().addHeader("action", "describe"))
            .await()
            .body());
  }

  private static List<JsonObject> all(JsonObject described) {
    JsonArray recent = described.getJsonArray("recent");
    return IntStream.range(0, recent.size()).mapToObj(recent::getJsonObject).toList();
  }

  private static String shown(JsonObject one) {
    return one.getString("action")
        + " "
        + one.getString("function")
        + " "
        + one.getString("status");
  }

  private List<String> shown() {
    return recent("common").stream().map(RecentTest::shown).toList();
  }

  @Test
  void operationsThatRan_areTold_oldestFirst() {
    long before = System.currentTimeMillis();
    assertEquals(List.of(), shown());
    guest.call("seven", 1).await();
    Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    Failing.with(Failure.BAD_PARAMS, () -> guest.call("seven").await());
    guest.memory().pages().await();
    guest.exists("seven").await();
    assertEquals(
        List.of("call seven ok", "call trap TRAP", "call seven BAD_PARAMS", "memory null ok"),
        shown());
    JsonObject first = recent("common").get(0);
    assertTrue(first.getLong("at") >= before && first.getLong("at") <= System.currentTimeMillis());
    assertTrue(first.getLong("micros") >= 0 && first.getLong("micros") < 20_000_000);
    assertFalse(first.containsKey("fuel"));
    assertFalse(guest.describe().await().containsKey("recent"));
  }

  @Test
  void operationThatNeverBegan_isNotTold() {
    var running = guest.call("wait");
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(1)).call("seven", 1).await());
    opened.complete(List.of());
    running.await();
    assertEquals(List.of("call wait ok"), shown());
  }

  @Test
  void onlyTheLastAreKept() {
    for (int i = 0; i < 70; i++) {
      guest.call("seven", i).await();
    }
    Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    List<String> last = shown();
    assertEquals(64, last.size());
    assertEquals("call seven ok", last.get(0));
    assertEquals("call trap TRAP", last.get(63));
  }

  @Test
  void fuel_isTold_whereItIsMetered() {
    InstanceRef metered = node.start(spec().withId("metered").withLimit(Limit.FUEL, 1000));
    metered.call("seven", 1).await();
    assertTrue(recent("metered").get(0).getLong("fuel") > 0);
  }

  @Test
  void longName_isToldByItsBeginning() {
    Failing.with(Failure.NO_SUCH_EXPORT, () -> guest.call("x".repeat(10_000)).await());
    assertEquals("call " + "x".repeat(128) + "… NO_SUCH_EXPORT", shown().get(0));
  }

  /** Who shares an instance with others learns nothing of what those ask. */
  @Test
  void user_ofTheOperatorsInstance_isToldOfTheirOwn() {
    Tenant ann = Tenant.of(node.vertx(), "ann").withShared();
    Tenant bob = Tenant.of(node.vertx(), "bob").withShared();
    guest.call("seven", 1).await();
    ann.call("common", "trap");
    bob.call("common", "seven");
    JsonObject body = new JsonObject().put("recent", true);
    JsonObject seen = ann.askOf("wasm.instances", "common", "describe", body);
    assertEquals(List.of("call trap TRAP"), all(seen).stream().map(RecentTest::shown).toList());
    assertEquals(3, shown().size());
  }
}
