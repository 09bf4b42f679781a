package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.Tenant;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Body;
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
}
