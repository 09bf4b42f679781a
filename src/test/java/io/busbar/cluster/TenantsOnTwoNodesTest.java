package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.Tenant;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Body;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is one user's is so on whichever node it lives, and is asked for. */
class TenantsOnTwoNodesTest {
  private static final JsonObject EMPTY = new JsonObject();
  private static final JsonArray ANSWER = new JsonArray("[7]");
  private static final String SEVEN =
      "(module (func (export \"seven\") (result i32) (i32.const 7)))";

  private static TestCluster cluster;

  @BeforeAll
  static void open() {
    cluster = TestCluster.of(2);
  }

  @AfterAll
  static void close() {
    cluster.close();
  }

  @AfterEach
  void stopAll() {
    cluster.client(0).instances().await().stream()
        .map(about -> about.getString("id"))
        .distinct()
        .forEach(id -> cluster.client(0).instance(id).stop().await());
  }

  private static Tenant ann(int node) {
    return Tenant.of(cluster.vertx(node), "ann");
  }

  private static Tenant bob(int node) {
    return Tenant.of(cluster.vertx(node), "bob");
  }

  private static JsonObject spec(String id, int node) {
    return new JsonObject()
        .put("id", id)
        .put("module", Tenant.text(SEVEN))
        .put("placement", labels(node));
  }

  private static JsonObject labels(int node) {
    return new JsonObject().put("labels", new JsonObject().put("node", "n" + node));
  }

  private static JsonObject start(Tenant tenant, JsonObject spec) {
    JsonObject started = tenant.ask("wasm.instances", "start", spec);
    assertEquals(spec.getString("id"), started.getString("id"), started::encode);
    return started;
  }

  private static void assertAbsent(String key, JsonObject answer) {
    assertEquals(
        "NO_SUCH_INSTANCE: instance `" + key + "` not found", Tenant.error(answer), answer::encode);
    JsonObject error = answer.getJsonObject("error");
    error.remove("instance"); // as it was asked for, if in a header
    assertEquals(Set.of("code", "name", "message"), error.fieldNames());
  }

  @Test
  void instanceOfAnother_isNotThere_onNeitherNode() {
    start(ann(0), spec("anns", 1));
    cluster.client(0).start(inline("common", 0)).await();
    for (int node = 0; node < 2; node++) {
      Tenant bob = bob(node);
      assertEquals(ANSWER, ann(node).call("anns", "seven").getJsonArray("results"));
      for (String action : List.of("call", "describe", "stop", "cancel", "read-stdout", "move")) {
        JsonObject body = new JsonObject().put("function", "seven").put("node", "n0");
        assertAbsent("anns", bob.askOf("wasm.instances", "anns", action, body));
        assertAbsent("anns", bob.askOf("wasm.node.n1", "anns", action, body));
        assertAbsent("common", bob.askOf("wasm.instances", "common", action, body));
      }
      for (String action : List.of("describe", "stop", "move")) {
        JsonObject body = new JsonObject().put("id", "anns").put("node", "n0");
        assertAbsent("anns", bob.ask("wasm.instances", action, body));
        assertAbsent("anns", bob.ask("wasm.node.n1", action, body));
        assertAbsent("common", bob.ask("wasm.instances", action, body.put("id", "common")));
      }
      assertEquals(ANSWER, bob.withShared().call("common", "seven").getJsonArray("results"));
    }
  }

  private static InstanceSpec inline(String id, int node) {
    return TestNode.inlineText(SEVEN)
        .withId(id)
        .withHome(Home.ANYWHERE.withLabel("node", "n" + node));
  }

  @Test
  void client_ofEitherNode_askingForAUser_isToldTheSame() {
    start(ann(0), spec("anns", 1));
    Bus.Question question = Bus.Question.of("call", Body.of("function", "seven"));
    for (int node = 0; node < 2; node++) {
      Bus bus = cluster.bus(node);
      for (String id : List.of("anns", "never")) {
        Failing.with(
            Failure.NO_SUCH_INSTANCE,
            "instance `" + id + "` not found",
            () -> bus.askInstance(id, question.as("bob").withShared()).await());
      }
      assertEquals(List.of(7), bus.askInstance("anns", question.as("ann")).await().list("results"));
    }
  }

  private static Set<String> listed(Tenant tenant) {
    return tenant.ask("wasm.instances", "list", EMPTY).getJsonArray("instances").stream()
        .map(about -> ((JsonObject) about).getString("id"))
        .collect(Collectors.toSet());
  }

  @Test
  void list_showsWhatIsOnesOwn_ofAllNodes() {
    start(ann(0), spec("anns-0", 0));
    start(ann(0), spec("anns-1", 1));
    start(bob(1), spec("bobs", 0));
    cluster.client(0).start(inline("common", 1)).await();
    for (int node = 0; node < 2; node++) {
      assertEquals(Set.of("anns-0", "anns-1"), listed(ann(node)));
      assertEquals(Set.of("bobs", "common"), listed(bob(node).withShared()));
    }
    cluster
        .client(1)
        .instances()
        .await()
        .forEach(
            about -> {
              String id = about.getString("id");
              assertEquals(
                  id.equals("common") ? null : id.substring(0, 3), about.getString("user"));
            });
    assertEquals(
        "ann", ann(0).askOf("wasm.instances", "anns-1", "describe", EMPTY).getString("user"));
  }

  @Test
  void copiesOfAnother_areNotThere_togetherOrEach() {
    JsonObject spec = spec("many", 0).put("replicas", 2);
    spec.remove("placement");
    start(ann(0), spec);
    for (int node = 0; node < 2; node++) {
      for (String key : List.of("many", "many/1", "many/2")) {
        for (String action : List.of("describe", "stop", "move")) {
          JsonObject body = new JsonObject().put("id", key).put("node", "n0");
          assertAbsent(key, bob(node).ask("wasm.instances", action, body));
        }
        assertAbsent(key, bob(node).call(key, "seven"));
        assertEquals(ANSWER, ann(node).call(key, "seven").getJsonArray("results"));
      }
      Tenant bob = bob(node);
      ReplyException thrown =
          assertThrows(
              ReplyException.class,
              () -> bob.ask("wasm.instance.many", "call", new JsonObject().put("function", "f")));
      assertEquals("No handlers for address wasm.instance.many", thrown.getMessage());
      JsonObject all = ann(node).askOf("wasm.instances", "many", "describe", EMPTY);
      assertEquals("ann", all.getString("user"));
      assertEquals(2, all.getJsonArray("copies").size());
    }
    assertTrue(
        ann(1)
            .ask("wasm.instances", "stop", new JsonObject().put("id", "many"))
            .getBoolean("stopped"));
  }

  @Test
  void idOfAnothersInstance_isTaken() {
    start(ann(0), spec("anns", 1));
    for (int node = 0; node < 2; node++) {
      assertEquals(
          "CONFLICT: instance `anns` exists already",
          Tenant.error(bob(0).ask("wasm.instances", "start", spec("anns", node))));
    }
  }

  private static String put(Tenant tenant, String wat, String name) {
    JsonObject body = new JsonObject().put("wat", wat).put("name", name);
    JsonObject answer = tenant.ask("wasm.modules", "put", body);
    assertTrue(answer.getBoolean("new", false), answer::encode);
    return answer.getString("module");
  }

  private static JsonObject module(Tenant tenant, String action, String ref) {
    return tenant.ask("wasm.modules", action, new JsonObject().put("module", ref));
  }

  @Test
  void modules_areEachUsersOwn_onBothNodes() {
    String text = "(module (func (export \"own\")))";
    String digest = put(ann(0), text, "calc");
    for (int node = 0; node < 2; node++) {
      for (Tenant tenant : List.of(bob(node), bob(node).withShared())) {
        for (String ref : List.of("calc", digest)) {
          for (String action : List.of("get", "describe", "remove")) {
            assertEquals(
                "NO_SUCH_MODULE: module `" + ref + "` not found",
                Tenant.error(module(tenant, action, ref)));
          }
          assertEquals(
              "NO_SUCH_MODULE: module `" + ref + "` not found",
              Tenant.error(tenant.start("none", ref)));
        }
      }
      JsonObject seen = module(ann(node), "describe", "calc");
      assertEquals(new JsonArray("[\"calc\"]"), seen.getJsonArray("tags"));
    }
    cluster.client(1).put(text.getBytes(StandardCharsets.UTF_8), "calc").await();
    assertEquals(digest, put(bob(1), text, "mine"));
    assertEquals(
        new JsonArray("[\"ann/calc\",\"bob/mine\",\"calc\"]"),
        cluster.client(0).describeModule("calc").await().getJsonArray("tags"));
    assertTrue(module(ann(1), "remove", "calc").getBoolean("gone"));
    assertEquals(
        "NO_SUCH_MODULE: module `calc` not found",
        Tenant.error(module(ann(0), "describe", "calc")));
    cluster.client(0).remove("calc").await();
    assertEquals(digest, module(bob(0), "describe", "mine").getString("module"));
    assertTrue(module(bob(0), "remove", digest).getBoolean("gone"));
    Failing.with(Failure.NO_SUCH_MODULE, () -> cluster.client(1).describeModule(digest).await());
  }

  @Test
  void moduleInUse_onTheOtherNode_isNotRemoved_andNamesOnlyOnesOwnInstances() {
    String text = "(module (func (export \"used\")))";
    String digest = put(ann(0), text, "used");
    JsonObject byName = spec("anns", 1).put("module", "used");
    start(ann(0), byName);
    start(bob(0), spec("bobs", 1).put("module", Tenant.text(text)));
    assertEquals(
        "CONFLICT: module " + digest + " is in use by 1 instances: `anns`",
        Tenant.error(module(ann(0), "remove", "used")));
    assertEquals(
        new JsonArray("[\"anns\"]"), module(ann(0), "describe", "used").getJsonArray("instances"));
    ann(0).ask("wasm.instances", "stop", new JsonObject().put("id", "anns"));
    assertEquals(
        "CONFLICT: module " + digest + " is in use",
        Tenant.error(module(ann(0), "remove", "used")));
    bob(0).ask("wasm.instances", "stop", new JsonObject().put("id", "bobs"));
    assertTrue(module(ann(0), "remove", "used").getBoolean("gone"));
  }

  /**
   * What its user does not keep any more, or never did, is started by the next node all the same.
   */
  @Test
  void instanceThatMoves_takesItsModulesAlong_whoeverKeepsThem() {
    String digest = put(ann(0), "(module (func (export \"moving\")))", "moving");
    cluster
        .client(0)
        .put("(module (func (export \"common\")))".getBytes(StandardCharsets.UTF_8), "common")
        .await();
    Set<String> heard = ConcurrentHashMap.newKeySet();
    cluster
        .vertx(0)
        .eventBus()
        .<JsonObject>consumer(
            "wasm.events",
            event ->
                heard.add(
                    event.headers().get("user")
                        + " "
                        + event.body().getString("event")
                        + " "
                        + event.body().getString("id")));
    JsonObject link = new JsonObject().put("module", "moving");
    Map<String, JsonObject> specs =
        Map.of(
            "named", spec("named", 0).put("module", "moving"),
            "brought", spec("brought", 0),
            "linked", spec("linked", 0).put("links", new JsonObject().put("m", link)),
            "common", spec("common", 0).put("module", "common"));
    specs.forEach(
        (id, spec) -> {
          spec.remove("placement");
          start(ann(0).withShared(), spec);
          String node = ann(0).askOf("wasm.instances", id, "describe", EMPTY).getString("node");
          String target = node.equals("n0") ? "n1" : "n0";
          JsonObject body = new JsonObject().put("id", id).put("node", target);
          JsonObject moved = ann(0).ask("wasm.instances", "move", body);
          assertEquals(target, moved.getString("node"), moved::encode);
          JsonObject seen = ann(1).askOf("wasm.instances", id, "describe", EMPTY);
          assertEquals(target, seen.getString("node"));
          assertEquals("ann", seen.getString("user"));
          ann(1).ask("wasm.instances", "stop", new JsonObject().put("id", id));
          Until.isTrue(() -> heard.contains("ann instance.moved " + id));
        });
    assertTrue(module(ann(1), "remove", digest).getBoolean("gone"));
  }
}
