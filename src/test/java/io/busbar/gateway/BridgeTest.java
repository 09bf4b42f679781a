package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.model.Limit;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The frames of the event-bus bridge, as a client writes them. */
class BridgeTest {
  private static final TestGateway GATEWAY = TestGateway.dev();

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private static String start() {
    return GATEWAY.node.start("wasm_test").id();
  }

  private static TestSocket open() {
    return GATEWAY.bridge(Map.of());
  }

  private static JsonObject call(String id, JsonObject headers) {
    return new JsonObject()
        .put("type", "send")
        .put("address", "wasm.instance." + id)
        .put("headers", headers.copy().put("action", "call"))
        .put(
            "body",
            new JsonObject().put("function", "sum").put("params", new JsonArray(List.of(1, 2))));
  }

  private static JsonObject json(String text) {
    return new JsonObject(text);
  }

  private static void assertAnswers(TestSocket socket) {
    socket.send(
        new JsonObject()
            .put("type", "send")
            .put("address", "wasm.nodes")
            .put("headers", json("{\"action\":\"list\"}"))
            .put("replyAddress", "there"));
    assertEquals("there", socket.next().getString("address"));
  }

  @Test
  void ping_hasNoAnswer() {
    TestSocket socket = open();
    socket.send(json("{\"type\":\"ping\"}"));
    assertAnswers(socket);
  }

  @Test
  void answer_isTheReply() {
    TestSocket socket = open();
    String id = start();
    socket.send(call(id, json("{\"id\":\"7\"}")).put("replyAddress", "r1"));
    assertEquals(
        "{\"type\":\"rec\",\"address\":\"r1\",\"headers\":{\"status\":\"ok\",\"id\":\"7\",\"instance\":\""
            + id
            + "\"},\"body\":{\"results\":[3]}}",
        socket.next().encode());
    socket.send(
        call(id, json("{\"instance\":\"" + id + "\"}"))
            .put("address", "wasm.instances")
            .put("replyAddress", "r2"));
    assertEquals(json("{\"results\":[3]}"), socket.next().getJsonObject("body"));
  }

  @Test
  void failure_isAnError_orABodyWhereThatIsAskedFor() {
    TestSocket socket = open();
    socket.send(call("none", new JsonObject()).put("replyAddress", "r"));
    assertEquals(
        "{\"type\":\"err\",\"address\":\"r\",\"failureCode\":4040,"
            + "\"failureType\":\"RECIPIENT_FAILURE\",\"message\":\"instance `none` not found\"}",
        socket.next().encode());
    socket.send(call("none", json("{\"errors\":\"body\"}")).put("replyAddress", "r"));
    JsonObject failed = socket.next();
    assertEquals("rec", failed.getString("type"));
    assertEquals("error", failed.getJsonObject("headers").getString("status"));
    assertEquals(4040, failed.getJsonObject("body").getJsonObject("error").getInteger("code"));
  }

  @Test
  void answer_goesToTheSocketsOwnName_whereFromSaysSo() {
    TestSocket socket = open();
    String id = start();
    socket.send(json("{\"type\":\"register\",\"address\":\"client.mine\",\"headers\":{}}"));
    socket.send(call(id, json("{\"from\":\"client.mine\",\"id\":\"9\"}")).put("replyAddress", "r"));
    assertEquals("{\"accepted\":true}", socket.next().getJsonObject("body").encode());
    assertEquals(
        "{\"type\":\"rec\",\"address\":\"client.mine\","
            + "\"headers\":{\"status\":\"ok\",\"from\":\"client.mine\",\"id\":\"9\",\"instance\":\""
            + id
            + "\"},\"body\":{\"results\":[3]}}",
        socket.next().encode());
    socket.send(call(id, json("{\"from\":\"client.other\"}")).put("replyAddress", "r"));
    assertEquals(
        "bad from `client.other`: you do not listen there", socket.next().getString("message"));
  }

  @Test
  void cancel_reachesTheOwnOperationsOfASocket_andNobodyElses() {
    String id = start();
    TestSocket socket = open();
    TestSocket other = open();
    socket.send(operation(id, "call", "{\"function\":\"endless_loop\"}", "7", "spin"));
    Until.isTrue(() -> GATEWAY.node.client().instance(id).describe().await().getBoolean("running"));
    other.send(operation(id, "cancel", "{\"id\":\"7\"}", "8", "other"));
    assertEquals(json("{\"cancelled\":false}"), other.next().getJsonObject("body"));
    socket.send(operation(id, "cancel", "{\"id\":\"7\"}", "8", "cancel"));
    Map<String, JsonObject> answers = new HashMap<>();
    for (int i = 0; i < 2; i++) {
      JsonObject answer = socket.next();
      answers.put(answer.getString("address"), answer);
    }
    assertEquals(json("{\"cancelled\":true}"), answers.get("cancel").getJsonObject("body"));
    assertEquals(4990, answers.get("spin").getInteger("failureCode"));
  }

  private static JsonObject operation(
      String instance, String action, String body, String id, String reply) {
    JsonObject headers = new JsonObject().put("action", action).put("id", id).put("timeout", "0");
    return new JsonObject()
        .put("type", "send")
        .put("address", "wasm.instance." + instance)
        .put("headers", headers)
        .put("body", json(body))
        .put("replyAddress", reply);
  }

  @Test
  void fuel_isTold_whereItIsMetered() {
    GATEWAY.node.start(TestNode.inline("wasm_test").withId("metered").withLimit(Limit.FUEL, 1000));
    TestSocket socket = open();
    socket.send(call("metered", json("{\"fuel\":\"100\"}")).put("replyAddress", "r"));
    assertEquals("4", socket.next().getJsonObject("headers").getString("fuel"));
    JsonObject spin = operation("metered", "call", "{\"function\":\"endless_loop\"}", "7", "r");
    spin.getJsonObject("headers").put("fuel", "100");
    socket.send(spin);
    assertEquals(4225, socket.next().getInteger("failureCode"));
    assertEquals(896, GATEWAY.node.client().instance("metered").fuel().await());
  }

  @Test
  void events_areHeard() {
    TestSocket socket = open();
    socket.send(json("{\"type\":\"register\",\"address\":\"wasm.events\",\"headers\":{}}"));
    assertAnswers(socket);
    String id = start();
    JsonObject heard = socket.next();
    while (!id.equals(heard.getJsonObject("body").getString("id"))) {
      heard = socket.next();
    }
    assertEquals("rec", heard.getString("type"));
    assertEquals("wasm.events", heard.getString("address"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"register\",\"address\":\"wasm.caller.x\"}",
        "{\"type\":\"register\",\"address\":\"wasm.node.x\"}",
        "{\"type\":\"register\",\"address\":\"wasm.instance.calc\"}",
        "{\"type\":\"register\",\"address\":\"__vertx.reply.1\"}",
        "{\"type\":\"register\",\"address\":\"my.service\"}",
        "{\"type\":\"send\",\"address\":\"my.service\",\"headers\":{\"action\":\"x\"}}",
        "{\"type\":\"send\",\"address\":\"wasm.node.x\",\"headers\":{\"action\":\"x\"}}",
        "{\"type\":\"send\",\"address\":\"__vertx.reply.1\",\"headers\":{\"action\":\"x\"}}"
      })
  void otherAddresses_areDenied(String frame) {
    TestSocket socket = open();
    socket.send(json(frame));
    JsonObject answer = socket.next();
    assertEquals("err", answer.getString("type"));
    assertEquals("access_denied", answer.getString("body"), answer::encode);
    assertEquals(4030, answer.getInteger("failureCode"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "[]",
        "null",
        "{}",
        "{\"type\":5}",
        "{\"type\":\"explode\",\"address\":\"a\"}",
        "{\"type\":\"publish\",\"address\":\"wasm.events\",\"body\":{}}",
        "{\"type\":\"send\"}",
        "{\"type\":\"send\",\"address\":5}",
        "{\"type\":\"send\",\"address\":\"wasm.instances\"}",
        "{\"type\":\"send\",\"address\":\"wasm.instances\",\"headers\":null}",
        "{\"type\":\"send\",\"address\":\"wasm.instances\",\"headers\":[]}",
        "{\"type\":\"send\",\"address\":\"wasm.instances\",\"headers\":{\"action\":7}}",
        "{\"type\":\"send\",\"address\":\"wasm.instances\",\"headers\":{\"a\\r\\nb\":\"x\"}}",
        "{\"type\":\"send\",\"address\":\"wasm.instances\",\"body\":[]}",
        "{\"type\":\"unregister\",\"address\":\"wasm.events\"}"
      })
  void malformedFrames_getOneErrorEach_andTheSocketStays(String text) {
    TestSocket socket = open();
    socket.socket.writeTextMessage(text);
    JsonObject answer = socket.next();
    assertEquals("err", answer.getString("type"), answer::encode);
    assertEquals(4000, answer.getInteger("failureCode"), answer::encode);
    assertAnswers(socket);
    assertTrue(socket.hasNothing());
  }
}
