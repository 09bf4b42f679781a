package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.Tenant;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.Bus;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one user started is not there for another, however that asks. */
class TenantInstancesTest {
  private static final JsonObject EMPTY = new JsonObject();
  private static final JsonObject SEVEN =
      Tenant.text("(module (func (export \"seven\") (result i32) (i32.const 7)))");

  private static TestNode node;
  private static Tenant ann;
  private static Tenant bob;

  @BeforeAll
  static void open() {
    node = TestNode.start(Config.from(new JsonObject().put("node", "here")));
    ann = Tenant.of(node.vertx(), "ann");
    bob = Tenant.of(node.vertx(), "bob");
  }

  @AfterAll
  static void close() {
    node.close();
  }

  @AfterEach
  void stopAll() {
    node.client()
        .instances()
        .await()
        .forEach(about -> node.client().instance(about.getString("id")).stop().await());
  }

  /** What is said of an instance that is there, and of one that is not, but for the name. */
  private static void assertSame(JsonObject ofAbsent, JsonObject ofForeign) {
    assertEquals(ofAbsent.encode(), ofForeign.encode().replace("taken", "never"));
    assertTrue(Tenant.error(ofForeign).startsWith("NO_SUCH_INSTANCE: "), ofForeign::encode);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "call",
        "calls",
        "invoke",
        "exists",
        "get-global",
        "memory",
        "read-memory",
        "get-fuel",
        "set-fuel",
        "write-stdin",
        "read-stdout",
        "read-file",
        "describe",
        "cancel",
        "stop",
        "no-such-action"
      })
  void instanceOfAnother_isAskedAnything_answersAsOneThatIsNotThere(String action) {
    ann.start("taken", SEVEN);
    JsonObject body = new JsonObject().put("function", "seven").put("id", "x");
    for (String address : List.of("wasm.instances", "wasm.node.here")) {
      assertSame(
          bob.askOf(address, "never", action, body), bob.askOf(address, "taken", action, body));
    }
    assertEquals(new JsonArray("[7]"), ann.call("taken", "seven").getJsonArray("results"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"describe", "stop"})
  void instanceOfAnother_namedInTheBody_answersAsOneThatIsNotThere(String action) {
    ann.start("taken", SEVEN);
    for (String address : List.of("wasm.instances", "wasm.node.here")) {
      for (String key : List.of("%s", "%s/1")) {
        assertSame(
            bob.ask(address, action, new JsonObject().put("id", key.formatted("never"))),
            bob.ask(address, action, new JsonObject().put("id", key.formatted("taken"))));
      }
    }
    assertEquals(new JsonArray("[7]"), ann.call("taken", "seven").getJsonArray("results"));
  }

  @Test
  void addressOfAnothersInstance_isLikeOneWithoutAnybody() {
    ann.start("taken", SEVEN);
    JsonObject body = new JsonObject().put("function", "seven");
    ReplyException absent =
        assertThrows(ReplyException.class, () -> bob.ask("wasm.instance.never", "call", body));
    ReplyException foreign =
        assertThrows(ReplyException.class, () -> bob.ask("wasm.instance.taken", "call", body));
    assertEquals(absent.failureType(), foreign.failureType());
    assertEquals(absent.failureCode(), foreign.failureCode());
    assertEquals(absent.getMessage(), foreign.getMessage().replace("taken", "never"));
    assertEquals(
        new JsonArray("[7]"), ann.ask("wasm.instance.taken", "call", body).getJsonArray("results"));
  }

  @Test
  void client_askingForAUser_isToldTheSame() {
    ann.start("taken", SEVEN);
    Bus bus = new Bus(node.vertx(), Addresses.STANDARD);
    Bus.Question question = Bus.Question.of("call", Body.of("function", "seven"));
    Failing.with(
        Failure.NO_SUCH_INSTANCE,
        "instance `taken` not found",
        () -> bus.askInstance("taken", question.as("bob").withShared()).await());
    assertEquals(List.of(7), bus.askInstance("taken", question.as("ann")).await().list("results"));
    assertEquals(List.of(7), bus.askInstance("taken", question).await().list("results"));
  }

  @Test
  void operatorsInstance_isThereOnlyForWhomItIsShared() {
    node.client().start(spec("taken")).await();
    assertSame(bob.call("never", "seven"), bob.call("taken", "seven"));
    Tenant guest = bob.withShared();
    assertEquals(new JsonArray("[7]"), guest.call("taken", "seven").getJsonArray("results"));
    ann.start("anns", SEVEN);
    assertEquals(
        "NO_SUCH_INSTANCE: instance `anns` not found", Tenant.error(guest.call("anns", "seven")));
  }

  private static InstanceSpec spec(String id) {
    return TestNode.inlineText(SEVEN.getString("wat")).withId(id);
  }

  private static Set<String> listed(Tenant tenant) {
    return tenant.ask("wasm.instances", "list", EMPTY).getJsonArray("instances").stream()
        .map(about -> ((JsonObject) about).getString("id"))
        .collect(Collectors.toSet());
  }

  @Test
  void list_showsWhatIsOnesOwn_andTheOperatorsWhereShared() {
    ann.start("anns", SEVEN);
    bob.start("bobs", SEVEN);
    node.client().start(spec("common")).await();
    assertEquals(Set.of("anns"), listed(ann));
    assertEquals(Set.of("bobs", "common"), listed(bob.withShared()));
    List<JsonObject> all = node.client().instances().await();
    assertEquals(3, all.size());
    all.forEach(
        about ->
            assertEquals(
                about.getString("id").equals("common")
                    ? null
                    : about.getString("id").substring(0, 3),
                about.getString("user")));
    assertEquals("ann", ann.askOf("wasm.instances", "anns", "describe", EMPTY).getString("user"));
    JsonObject common = node.client().instance("common").describe().await();
    assertFalse(common.containsKey("user"));
  }

  @Test
  void idOfAnothersInstance_isTaken() {
    ann.start("taken", SEVEN);
    assertEquals(
        "CONFLICT: instance `taken` exists already", Tenant.error(bob.start("taken", SEVEN)));
    assertEquals("ann", node.client().instance("taken").describe().await().getString("user"));
  }

  @Test
  void callOfAnother_isNotCancelled() {
    Promise<List<Object>> opened = Promise.promise();
    Promise<Void> entered = Promise.promise();
    node.host()
        .asyncFunction(
            "gate",
            (caller, args) -> {
              entered.tryComplete();
              return opened.future();
            });
    InstanceSpec spec =
        TestNode.inlineText(
                "(module (import \"env\" \"f\" (func $f)) (func (export \"go\") (call $f)))")
            .withImport("env", "f", Signature.of(List.of(), List.of()), "gate")
            .withId("common");
    InstanceRef common = node.start(spec);
    Future<JsonObject> call =
        ann.withShared()
            .send(
                "wasm.instances",
                new JsonObject().put("function", "go"),
                ann.withShared()
                    .headers("call")
                    .addHeader("instance", "common")
                    .addHeader("id", "mine"));
    entered.future().await();
    JsonObject named = new JsonObject().put("id", "mine");
    assertEquals(
        new JsonObject("{\"cancelled\":false}"),
        bob.withShared().askOf("wasm.instances", "common", "cancel", named));
    assertEquals(
        "NO_SUCH_INSTANCE: instance `common` not found",
        Tenant.error(bob.askOf("wasm.instances", "common", "cancel", named)));
    opened.complete(List.of());
    assertEquals(new JsonArray(), call.await().getJsonArray("results"));
    Until.isTrue(() -> !common.describe().await().getBoolean("running"));
  }

  private static JsonObject program(String id, JsonObject preopen) {
    JsonArray preopens = new JsonArray().add(preopen.put("guest", "/data"));
    return new JsonObject()
        .put("id", id)
        .put("module", SEVEN)
        .put("wasi", new JsonObject().put("preopens", preopens));
  }

  @Test
  void directoriesOfTheNode_areNotForUsers() {
    for (Tenant tenant : List.of(ann, ann.withShared())) {
      assertEquals(
          "FORBIDDEN: preopens of this node's directories are not for user `ann`",
          Tenant.error(
              tenant.ask(
                  "wasm.instances", "start", program("real", new JsonObject().put("host", "/")))));
    }
    JsonObject files = new JsonObject().put("files", new JsonObject());
    assertEquals(
        "inMemory", ann.ask("wasm.instances", "start", program("inMemory", files)).getString("id"));
  }
}
