package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Tenant;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.engine.Compiler;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleId;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each user has modules and names of their own, and learns nothing of those of others. */
class TenantModulesTest {
  private static final String ONE = "(module (func (export \"get\") (result i32) (i32.const 1)))";
  private static final String TWO = "(module (func (export \"get\") (result i32) (i32.const 2)))";
  private static final String ONE_ID = digest(ONE);
  private static final String TWO_ID = digest(TWO);
  private static final JsonObject EMPTY = new JsonObject();

  private TestNode node;
  private Tenant ann;
  private Tenant bob;

  @BeforeEach
  void open() {
    node = TestNode.start();
    ann = Tenant.of(node.vertx(), "ann");
    bob = Tenant.of(node.vertx(), "bob");
  }

  @AfterEach
  void close() {
    node.close();
  }

  private static byte[] bytes(String wat) {
    return wat.getBytes(StandardCharsets.UTF_8);
  }

  private static String digest(String wat) {
    return ModuleId.of(Compiler.toBinary(bytes(wat))).toString();
  }

  private static JsonObject module(Tenant tenant, String action, JsonObject body) {
    return tenant.ask("wasm.modules", action, body);
  }

  private static JsonObject module(Tenant tenant, String action, String ref) {
    return module(tenant, action, new JsonObject().put("module", ref));
  }

  private static JsonObject put(Tenant tenant, String wat, String name) {
    JsonObject body = new JsonObject().put("wat", wat);
    int colon = name.indexOf(':');
    if (!name.isEmpty()) {
      body.put("name", colon < 0 ? name : name.substring(0, colon));
    }
    if (colon >= 0) {
      body.put("version", name.substring(colon + 1));
    }
    JsonObject answer = module(tenant, "put", body);
    assertFalse(answer.containsKey("error"), answer::encode);
    return answer;
  }

  private static JsonArray tags(JsonObject module) {
    return module.getJsonArray("tags");
  }

  private static JsonArray list(Tenant tenant) {
    return module(tenant, "list", EMPTY).getJsonArray("modules");
  }

  private static void assertAbsent(String ref, JsonObject answer) {
    assertEquals(
        new JsonObject()
            .put("code", 4043)
            .put("name", "NO_SUCH_MODULE")
            .put("message", "module `" + ref + "` not found"),
        answer.getJsonObject("error"),
        answer::encode);
  }

  /** In no operation that takes one. */
  private static void assertAbsent(Tenant tenant, String ref) {
    for (String action : List.of("get", "describe", "remove")) {
      assertAbsent(ref, module(tenant, action, ref));
    }
    assertAbsent(
        ref, module(tenant, "tag", new JsonObject().put("module", ref).put("name", "mine")));
    assertNotStarted(ref, tenant.start("none", ref));
    for (JsonObject link :
        List.of(
            new JsonObject().put("module", ref),
            new JsonObject()
                .put("module", Tenant.text(ONE))
                .put("links", links(new JsonObject().put("module", ref))))) {
      JsonObject spec = new JsonObject().put("id", "none").put("module", Tenant.text(ONE));
      assertNotStarted(ref, tenant.ask("wasm.instances", "start", spec.put("links", links(link))));
    }
  }

  private static JsonObject links(JsonObject link) {
    return new JsonObject().put("other", link);
  }

  private static void assertNotStarted(String ref, JsonObject answer) {
    assertEquals(
        "NO_SUCH_MODULE: module `" + ref + "` not found", Tenant.error(answer), answer::encode);
  }

  @Test
  void names_areEachUsersOwn() {
    put(ann, ONE, "calc:1");
    put(bob, TWO, "calc:1");
    assertEquals(ONE_ID, module(ann, "describe", "calc:1").getString("module"));
    assertEquals(TWO_ID, module(bob, "describe", "calc").getString("module"));
    assertEquals(new JsonArray("[\"calc\",\"calc:1\"]"), tags(module(ann, "describe", "calc")));
    ann.start("anns", "calc");
    bob.start("bobs", "calc:1");
    assertEquals(new JsonArray("[1]"), ann.call("anns", "get").getJsonArray("results"));
    assertEquals(new JsonArray("[2]"), bob.call("bobs", "get").getJsonArray("results"));
    assertEquals(
        "CONFLICT: `calc:1` is already " + ONE_ID,
        Tenant.error(
            module(
                ann,
                "put",
                new JsonObject().put("wat", TWO).put("name", "calc").put("version", "1"))));
  }

  @Test
  void operator_seesAll_theNamesOfUsersWithWhoseTheyAre() {
    put(ann, ONE, "calc:1");
    node.client().put(bytes(ONE), "one").await();
    JsonObject seen = node.client().describeModule(ONE_ID).await();
    assertEquals(new JsonArray("[\"ann/calc\",\"ann/calc:1\",\"one\"]"), tags(seen));
    assertEquals(1, node.client().modules().await().size());
    assertEquals(new JsonArray("[\"calc\",\"calc:1\"]"), tags(module(ann, "describe", ONE_ID)));
  }

  @Test
  void moduleOfAnother_isNotThere_byNameOrDigest() {
    put(ann, ONE, "calc");
    put(ann, TWO, "");
    for (Tenant other : List.of(bob, bob.withShared())) {
      assertAbsent(other, "calc");
      assertAbsent(other, ONE_ID);
      assertAbsent(other, TWO_ID);
      assertEquals(new JsonArray(), list(other));
    }
    assertEquals(2, list(ann).size());
  }

  @Test
  void operatorsModule_isThereOnlyForWhomItIsShared() {
    node.client().put(bytes(ONE), "calc").await();
    assertAbsent(bob, "calc");
    assertAbsent(bob, ONE_ID);
    Tenant guest = bob.withShared();
    assertEquals(ONE_ID, module(guest, "describe", "calc").getString("module"));
    assertEquals(1, list(guest).size());
    guest.start("bobs", "calc");
    assertAbsent("calc", module(guest, "remove", "calc"));
    assertAbsent(ONE_ID, module(guest, "remove", ONE_ID));
    put(bob, TWO, "calc");
    assertEquals(TWO_ID, module(guest, "describe", "calc").getString("module"));
    assertEquals(new JsonArray(), tags(module(guest, "describe", ONE_ID)));
  }

  @Test
  void operatorsModule_namedByAUser_staysTheUsers() {
    node.client().put(bytes(ONE), "calc").await();
    JsonObject body = new JsonObject().put("module", "calc").put("name", "mine");
    assertEquals(new JsonArray("[\"calc\",\"mine\"]"), tags(module(bob.withShared(), "tag", body)));
    node.client().remove("calc").await();
    assertEquals(ONE_ID, module(bob, "describe", "mine").getString("module"));
  }

  @Test
  void sameBytes_areNewToEach_andStayUntilTheLastHasRemovedThem() {
    node.client().put(bytes(ONE), "calc").await();
    assertTrue(put(ann, ONE, "calc").getBoolean("new"));
    assertFalse(put(ann, ONE, "calc").getBoolean("new"));
    assertTrue(put(bob, ONE, "").getBoolean("new"));
    JsonObject gone = new JsonObject().put("removed", ONE_ID).put("gone", true);
    assertEquals(gone, module(ann, "remove", ONE_ID));
    assertAbsent(ann, ONE_ID);
    assertAbsent(ann, "calc");
    node.client().remove("calc").await();
    assertArrayEquals(
        Compiler.toBinary(bytes(ONE)),
        Base64.getDecoder().decode(module(bob, "get", ONE_ID).getString("bytes")));
    assertEquals(gone, module(bob, "remove", ONE_ID));
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void operator_takesAwayFromAll_whatIsOnlyTheirs() {
    put(ann, ONE, "calc");
    put(bob, ONE, "calc");
    node.client().put(bytes(ONE)).await();
    node.client().remove(ONE_ID).await();
    assertEquals(ONE_ID, module(ann, "describe", "calc").getString("module"));
    node.client().remove(ONE_ID).await();
    assertAbsent(ann, "calc");
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void moduleInUse_isNotRemoved_andNamesOnlyOnesOwnInstances() {
    put(ann, ONE, "calc");
    ann.start("anns", "calc");
    bob.start("bobs", Tenant.text(ONE));
    assertEquals(
        "CONFLICT: module " + ONE_ID + " is in use by 1 instances: `anns`",
        Tenant.error(module(ann, "remove", "calc")));
    assertEquals(
        new JsonArray("[\"anns\"]"), module(ann, "describe", "calc").getJsonArray("instances"));
    ann.ask("wasm.instances", "stop", new JsonObject().put("id", "anns"));
    assertEquals(
        "CONFLICT: module " + ONE_ID + " is in use", Tenant.error(module(ann, "remove", "calc")));
    assertAbsent(bob, ONE_ID); // it was brought along, not put
    put(bob, ONE, "");
    assertTrue(module(ann, "remove", "calc").getBoolean("gone"));
    assertEquals(
        new JsonArray("[\"bobs\"]"), module(bob, "describe", ONE_ID).getJsonArray("instances"));
  }

  /** A version that looks like a digest makes nobody see what has that digest. */
  @Test
  void nameThatLooksLikeADigest_opensNothing() {
    put(ann, ONE, "");
    put(bob, TWO, "sha256:" + ONE_ID.substring("sha256:".length()));
    assertAbsent("calc", module(bob, "describe", "calc"));
    for (String action : List.of("get", "describe", "remove")) {
      assertAbsent(ONE_ID, module(bob, action, ONE_ID));
    }
    assertEquals(1, list(bob).size());
  }

  @Test
  void restartAfterATrap_needsNoNameAnyMore() {
    put(ann, "(module (func (export \"go\") unreachable))", "trap");
    JsonObject spec =
        new JsonObject().put("id", "anns").put("module", "trap").put("afterTrap", "restart");
    ann.ask("wasm.instances", "start", spec);
    put(ann, TWO, "trap"); // the name has moved on
    assertTrue(Tenant.error(ann.call("anns", "go")).startsWith("TRAP: "));
    assertTrue(Tenant.error(ann.call("anns", "go")).startsWith("TRAP: "));
    Until.isTrue(
        () -> ann.askOf("wasm.instances", "anns", "describe", EMPTY).getInteger("epoch") == 3);
  }

  /** The operator's function may name the operator's modules. */
  @Test
  void startOutOfACallback_findsTheGuestsModules_andTheOperators() {
    put(ann, TWO, "hers");
    node.client().put(bytes(ONE), "common").await();
    node.host()
        .asyncFunction(
            "starter",
            (caller, args) ->
                caller
                    .start(InstanceSpec.of("hers").withId("first"))
                    .compose(first -> caller.start(InstanceSpec.of("common").withId("second")))
                    .map(started -> List.of()));
    JsonObject go =
        new JsonObject()
            .put("params", new JsonArray())
            .put("results", new JsonArray())
            .put("address", "starter");
    JsonObject spec =
        new JsonObject()
            .put("id", "anns")
            .put(
                "module",
                Tenant.text(
                    "(module (import \"env\" \"f\" (func $f)) (func (export \"go\") (call $f)))"))
            .put("imports", new JsonObject().put("env", new JsonObject().put("f", go)));
    ann.ask("wasm.instances", "start", spec);
    assertEquals(new JsonArray(), ann.call("anns", "go").getJsonArray("results"));
    assertEquals(new JsonArray("[2]"), ann.call("first", "get").getJsonArray("results"));
    assertEquals(new JsonArray("[1]"), ann.call("second", "get").getJsonArray("results"));
  }
}
