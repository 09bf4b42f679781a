package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients ask, hear and answer on a WebSocket. */
class SocketTest {
  private static final TestGateway GATEWAY = TestGateway.dev();
  private static final String GUEST =
      """
      (module
        (import "env" "ask" (func $ask (param i32 i64) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "hello")
        (global (export "count") (mut i32) (i32.const 0))
        (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1)))
        (func (export "ask") (param i32 i64) (result i32)
          (call $ask (local.get 0) (local.get 1)))
        (func (export "trap") unreachable)
        (func (export "spin") (loop (br 0))))
      """;

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private static String start(String id) {
    return GATEWAY
        .node
        .start(
            TestNode.inlineText(GUEST)
                .withId(id)
                .withImport(
                    "env",
                    "ask",
                    new Signature(List.of(ValueType.I32, ValueType.I64), List.of(ValueType.I32)),
                    "my." + id))
        .id();
  }

  private static JsonObject body(String json) {
    return new JsonObject(json);
  }

  private static void assertError(int code, String message, JsonObject answer) {
    JsonObject error = answer.getJsonObject("error");
    assertEquals("error", answer.getString("status"), answer::encode);
    assertEquals(message, error.getString("message"));
    assertEquals(code, error.getInteger("code"));
  }

  @Test
  void operations_areAnsweredWithTheirId() {
    String id = start("calc");
    TestSocket socket = GATEWAY.socket();
    assertEquals(
        "{\"body\":{\"results\":[3]},\"id\":\"t1\",\"status\":\"ok\"}",
        socket.ask(TestSocket.call(id, "sum", 1, 2)).encode());
    assertEquals(
        "{\"text\":\"hello\"}",
        socket
            .ask(id, "read-memory", body("{\"offset\":0,\"length\":5,\"as\":\"utf8\"}"))
            .getJsonObject("body")
            .encode());
    assertEquals(
        7,
        socket
            .ask(id, "set-global", body("{\"global\":\"count\",\"value\":7}"))
            .getJsonObject("body")
            .getInteger("value"));
    assertEquals(id, socket.ask(id, "describe", body("{}")).getJsonObject("body").getString("id"));
    JsonObject trapped = socket.ask(TestSocket.call(id, "trap"));
    assertError(4220, "wasm trap: wasm `unreachable` instruction executed", trapped);
    assertEquals("calc", trapped.getJsonObject("error").getString("instance"));
  }

  @Test
  void commonAddresses_areAskedWithoutAnInstance() {
    TestSocket socket = GATEWAY.socket();
    JsonObject started =
        socket.ask(
            body("{\"action\":\"start\"}")
                .put(
                    "body",
                    body("{\"id\":\"w\"}").put("module", new JsonObject().put("wat", "(module)"))));
    assertEquals("w", started.getJsonObject("body").getString("id"), started::encode);
    JsonObject list = socket.ask(body("{\"action\":\"list\",\"address\":\"wasm.modules\"}"));
    assertFalse(list.getJsonObject("body").getJsonArray("modules").isEmpty());
    JsonObject nodes = socket.ask(body("{\"action\":\"list\",\"address\":\"wasm.nodes\"}"));
    assertEquals(1, nodes.getJsonObject("body").getJsonArray("nodes").size());
    assertEquals(
        true,
        socket
            .ask(body("{\"action\":\"stop\",\"body\":{\"id\":\"w\"}}"))
            .getJsonObject("body")
            .getBoolean("stopped"));
    assertError(
        4040,
        "instance `w` not found",
        socket.ask(body("{\"action\":\"describe\",\"address\":\"wasm.instance.w\"}")));
    assertError(
        4030,
        "nothing may be asked at `wasm.node.x`",
        socket.ask(body("{\"action\":\"describe\",\"address\":\"wasm.node.x\"}")));
  }

  @Test
  void answers_comeInAnyOrder() {
    String slow = start("slow");
    String quick = start("quick");
    TestSocket socket = GATEWAY.socket();
    socket.send(TestSocket.call(slow, "spin").put("id", "a").put("timeout", 300));
    socket.send(TestSocket.call(quick, "sum", 1, 2).put("id", "b"));
    assertEquals("b", socket.next().getString("id"));
    JsonObject late = socket.next();
    assertEquals("a", late.getString("id"));
    assertEquals(5040, late.getJsonObject("error").getInteger("code"));
  }

  @Test
  void cancel_reachesTheOwnOperationsOfASocket_andNobodyElses() {
    String id = start("cancelled");
    TestSocket socket = GATEWAY.socket();
    TestSocket other = GATEWAY.socket();
    socket.send(TestSocket.call(id, "spin").put("id", "a").put("timeout", 0));
    Until.isTrue(
        () ->
            other
                .ask(id, "describe", new JsonObject())
                .getJsonObject("body")
                .getBoolean("running"));
    JsonObject cancel = body("{\"id\":\"a\"}");
    assertEquals(
        "{\"cancelled\":false}", other.ask(id, "cancel", cancel).getJsonObject("body").encode());
    socket.send(TestSocket.frame(id, "cancel", cancel).put("id", "c"));
    Set<String> said = new HashSet<>(Set.of(socket.next().encode(), socket.next().encode()));
    assertTrue(
        said.remove("{\"body\":{\"cancelled\":true},\"id\":\"c\",\"status\":\"ok\"}"),
        said::toString);
    assertTrue(said.iterator().next().contains("\"name\":\"CANCELLED\""), said::toString);
  }

  @Test
  void clientThatGoesAway_hasItsQueuedCallsCancelled() {
    String id = start("abandoned");
    TestSocket socket = GATEWAY.socket();
    TestSocket other = GATEWAY.socket();
    other.send(TestSocket.call(id, "spin").put("id", "spin").put("timeout", 60_000));
    Until.isTrue(() -> describe(id).getBoolean("running"));
    JsonObject set = body("{\"global\":\"count\",\"value\":9}");
    socket.send(TestSocket.frame(id, "set-global", set).put("id", "q").put("timeout", 60_000));
    Until.isTrue(() -> describe(id).getInteger("queue") == 1);
    socket.socket.close();
    Until.isTrue(() -> describe(id).getInteger("queue") == 0);
    assertTrue(describe(id).getBoolean("running"), "what another has asked goes on");
    other.send(TestSocket.frame(id, "cancel", body("{\"id\":\"spin\"}")).put("id", "c"));
    other.next();
    other.next();
    assertEquals(0, GATEWAY.node.client().instance(id).global("count").await());
  }

  private static JsonObject describe(String id) {
    return GATEWAY.node.client().instance(id).describe().await();
  }

  @Test
  void events_areHeardUntilUnsubscribed() {
    TestSocket socket = GATEWAY.socket();
    JsonObject subscribe = body("{\"action\":\"subscribe\",\"address\":\"wasm.events\"}");
    assertEquals("ok", socket.ask(subscribe).getString("status"));
    assertEquals("ok", socket.ask(subscribe).getString("status"), "again does nothing");
    String id = start("heard");
    JsonObject put = socket.next();
    while (!put.getJsonObject("event").getString("event").equals("instance.started")) {
      put = socket.next();
    }
    assertEquals("wasm.events", put.getString("address"));
    assertEquals(id, put.getJsonObject("event").getString("id"));
    assertFalse(put.containsKey("id"));
    assertEquals("ok", socket.ask(subscribe.put("action", "unsubscribe")).getString("status"));
    assertError(4000, "there is nothing to end at `wasm.events`", socket.ask(subscribe));
    assertError(
        4030,
        "nothing may be heard at `my.secret`",
        socket.ask(body("{\"action\":\"subscribe\",\"address\":\"my.secret\"}")));
  }

  @Test
  void client_servesAnImport_andMayAskWhoCalls() {
    String id = start("served");
    TestSocket socket = GATEWAY.socket();
    TestSocket caller = GATEWAY.socket();
    assertEquals(
        "ok",
        socket.ask(body("{\"action\":\"serve\",\"import\":\"my.served\"}")).getString("status"));
    caller.send(TestSocket.call(id, "ask", 1, "9007199254740993").put("id", "a"));
    JsonObject call = socket.next();
    assertEquals("import", call.getString("action"));
    assertEquals("my.served", call.getString("import"));
    assertEquals("env.ask", call.getString("name"));
    assertEquals(id, call.getString("instance"));
    assertEquals("{\"params\":[1,\"9007199254740993\"]}", call.getJsonObject("body").encode());
    JsonObject read = body("{\"offset\":0,\"length\":5,\"as\":\"utf8\"}");
    JsonObject question =
        new JsonObject()
            .put("action", "read-memory")
            .put("caller", call.getString("caller"))
            .put("body", read);
    assertEquals("hello", socket.ask(question).getJsonObject("body").getString("text"));
    socket.send(
        new JsonObject()
            .put("id", call.getString("id"))
            .put("status", "ok")
            .put("body", body("{\"results\":[42]}")));
    assertEquals("{\"results\":[42]}", caller.next().getJsonObject("body").encode());
    assertError(4045, "Caller is no longer valid", socket.ask(question));
    caller.send(TestSocket.call(id, "ask", 1, 2).put("id", "b"));
    call = socket.next();
    socket.send(
        new JsonObject()
            .put("id", call.getString("id"))
            .put("status", "error")
            .put("error", body("{\"message\":\"no such thing\"}")));
    JsonObject failed = caller.next();
    assertEquals(4222, failed.getJsonObject("error").getInteger("code"), failed::encode);
    assertTrue(failed.encode().contains("no such thing"));
    assertEquals(
        "ok",
        socket.ask(body("{\"action\":\"unserve\",\"import\":\"my.served\"}")).getString("status"));
  }

  @Test
  void clientThatServes_goesAway_andTheCallFailsAtOnce() {
    String id = start("vanishing");
    TestSocket socket = GATEWAY.socket();
    TestSocket caller = GATEWAY.socket();
    socket.ask(body("{\"action\":\"serve\",\"import\":\"my.vanishing\"}"));
    caller.send(TestSocket.call(id, "ask", 1, 2).put("id", "a").put("timeout", 60_000));
    socket.next();
    socket.socket.close();
    JsonObject failed = caller.next();
    assertEquals(4222, failed.getJsonObject("error").getInteger("code"), failed::encode);
    assertTrue(failed.encode().contains("the client that answers is gone"), failed::encode);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "[]",
        "null",
        "5",
        "{}",
        "{\"action\":5}",
        "{\"action\":null}",
        "{\"id\":5,\"action\":\"list\"}",
        "{\"action\":\"call\",\"instance\":5}",
        "{\"action\":\"call\",\"instance\":\"calc\",\"body\":[]}",
        "{\"action\":\"call\",\"instance\":\"../x\"}",
        "{\"action\":\"call\",\"caller\":{}}",
        "{\"action\":\"list\",\"timeout\":-1}",
        "{\"action\":\"list\",\"timeout\":1.5}",
        "{\"action\":\"list\",\"from\":\"admin.secret\"}",
        "{\"action\":\"subscribe\"}",
        "{\"action\":\"serve\",\"import\":\"wasm.instances\"}",
        "{\"action\":\"serve\",\"import\":\"__vertx.reply.1\"}",
        "{\"action\":\"serve\",\"import\":\"\"}",
        "{\"action\":\"explode\"}"
      })
  void malformedFrames_getOneErrorEach_andTheSocketStays(String text) {
    TestSocket socket = GATEWAY.socket();
    socket.socket.writeTextMessage(text);
    JsonObject answer = socket.next();
    assertEquals("error", answer.getString("status"), answer::encode);
    int code = answer.getJsonObject("error").getInteger("code");
    assertEquals(4000, code, answer::encode);
    assertEquals("ok", socket.ask(body("{\"action\":\"list\"}")).getString("status"));
  }

  @Test
  void deepNesting_isRefused_andTheSocketStays() {
    TestSocket socket = GATEWAY.socket();
    socket.socket.writeTextMessage(
        "{\"action\":\"list\",\"body\":" + "[".repeat(20_000) + "]".repeat(20_000) + "}");
    assertEquals(4000, socket.next().getJsonObject("error").getInteger("code"));
    assertEquals("ok", socket.ask(body("{\"action\":\"list\"}")).getString("status"));
  }

  @Test
  void whatIsNoTextOrTooLarge_endsTheSocket() {
    TestSocket binary = GATEWAY.socket();
    binary.socket.writeBinaryMessage(Buffer.buffer("x"));
    assertEquals(1003, binary.closed());
    int most = HttpGateway.Bounds.STANDARD.messageBytes();
    TestSocket full = GATEWAY.socket();
    full.socket.writeTextMessage("x".repeat(most));
    assertEquals(4000, full.next().getJsonObject("error").getInteger("code"));
    TestSocket over = GATEWAY.socket();
    over.socket.writeTextMessage("x".repeat(most + 1));
    assertEquals(1009, over.closed());
  }

  @Test
  void largeAnswers_areForHttp() {
    String id = GATEWAY.node.startText("(module (memory (export \"memory\") 32))").id();
    TestSocket socket = GATEWAY.socket();
    JsonObject read = body("{\"offset\":0,\"length\":1000000}");
    assertEquals(
        4130, socket.ask(id, "read-memory", read).getJsonObject("error").getInteger("code"));
    assertEquals("ok", socket.ask(body("{\"action\":\"list\"}")).getString("status"));
  }

  @Test
  void foreignOrigin_getsNoSocket() {
    UpgradeRejectedException refused =
        assertThrows(
            UpgradeRejectedException.class,
            () -> GATEWAY.socket(Map.of("Origin", "https://evil.example")));
    assertEquals(403, refused.getStatus());
    String own = "http://127.0.0.1:" + GATEWAY.gateway.port();
    GATEWAY.socket(Map.of("Origin", own)).socket.close();
  }

  @Test
  void results_keepTheirJson() {
    String id =
        GATEWAY
            .node
            .startText(
                """
                (module (func (export "all") (result i64 f64 i32)
                  (i64.const 9007199254740993) (f64.const nan) (i32.const -1)))
                """)
            .id();
    assertEquals(
        new JsonArray().add("9007199254740993").add("NaN").add(-1),
        GATEWAY
            .socket()
            .ask(TestSocket.call(id, "all"))
            .getJsonObject("body")
            .getJsonArray("results"));
  }
}
