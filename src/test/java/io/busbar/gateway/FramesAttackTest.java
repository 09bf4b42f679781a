package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Until;
import io.vertx.core.Handler;
import io.vertx.core.eventbus.DeliveryContext;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames that are meant to reach what they should not, on WebSockets and the bridge. */
@Timeout(60)
class FramesAttackTest {
  private static final TestGateway GATEWAY = TestGateway.of(TestGateway.guarded());
  private static final String TOKEN = GATEWAY.token("t", "all");
  private static final String BEARER = "Authorization: Bearer " + TOKEN;
  private static final String ID = start();

  private static final List<String> INTERNAL =
      List.of(
          "admin.secret",
          "__vertx.nodeInfo",
          "__vertx.reply.1",
          "__vertx.reply.2",
          "wasm.node.x",
          "wasm.caller.x",
          "my.service",
          "client.mine",
          "client.t",
          "client.t/x");

  /** A question in the frames of both doors. */
  private static final String LIST =
      "{\"type\":\"send\",\"address\":\"wasm.instances\",\"replyAddress\":\"r\","
          + "\"headers\":{\"action\":\"list\"},\"action\":\"list\"}";

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private static String start() {
    TestSocket socket = GATEWAY.socket(TOKEN);
    JsonObject started =
        socket.ask(
            new JsonObject()
                .put("action", "start")
                .put(
                    "body",
                    new JsonObject()
                        .put(
                            "module",
                            new JsonObject()
                                .put(
                                    "wat",
                                    """
                                    (module (func (export "one") (result i32) (i32.const 1))
                                      (func (export "spin") (loop (br 0))))
                                    """))));
    return started.getJsonObject("body").getString("id");
  }

  private static TestSocket bridge() {
    return GATEWAY.bridge(Map.of("Authorization", "Bearer " + TOKEN));
  }

  private static JsonObject send(String address, JsonObject headers) {
    return new JsonObject()
        .put("type", "send")
        .put("address", address)
        .put("headers", headers)
        .put("body", new JsonObject().put("function", "one"));
  }

  private static JsonObject call(JsonObject headers) {
    return send("wasm.instance." + ID, headers.copy().put("action", "call"));
  }

  private static List<String> froms() {
    List<String> froms =
        new ArrayList<>(
            List.of(
                "",
                " ",
                ".",
                "*",
                "admin.secret ",
                "ADMIN.SECRET",
                "admin.secret\u0000",
                "admin．secret",
                "аdmin.secret",
                "__vertx",
                "__vertx.",
                "__vertx.reply.00000000-0000-0000-0000-000000000000",
                "＿＿vertx.reply.1",
                "wasm",
                "wasm.",
                "wasm.instances",
                "wasm.modules",
                "wasm.nodes",
                "wasm.events",
                "wasm.instance." + ID,
                "wasm.stdio." + ID,
                "WASM.instances",
                "wаsm.instances",
                "wasm.instances\r\n",
                "client.other",
                "client.",
                "client.*",
                "client.mine\u200b",
                "x".repeat(10_000),
                "client." + "x".repeat(10_000)));
    froms.addAll(INTERNAL);
    return froms;
  }

  @Test
  void from_isNeverAnAddressOnTheBus() {
    ConcurrentLinkedQueue<String> heard = new ConcurrentLinkedQueue<>();
    List<MessageConsumer<Object>> spies =
        froms().stream()
            .filter(name -> !name.startsWith("wasm.in") && !name.startsWith("wasm.mod"))
            .filter(name -> !name.isEmpty() && !name.equals("wasm.nodes"))
            .map(
                name ->
                    GATEWAY
                        .node
                        .vertx()
                        .eventBus()
                        .consumer(name, message -> heard.add(name + message.body())))
            .toList();
    TestSocket other = bridge();
    other.send(new JsonObject("{\"type\":\"register\",\"address\":\"client.mine\"}"));
    TestSocket socket = bridge();
    TestSocket plain = GATEWAY.socket(TOKEN);
    for (String from : froms()) {
      socket.send(call(new JsonObject().put("from", from)).put("replyAddress", "r"));
      assertEquals("err", socket.next().getString("type"), from);
      JsonObject frame = TestSocket.call(ID, "one").put("from", from);
      assertEquals("error", plain.ask(frame).getString("status"), from);
    }
    heard.removeIf(text -> text.startsWith("wasm.events")); // that is published by the node
    assertTrue(heard.isEmpty(), heard::toString);
    assertTrue(other.hasNothing());
    spies.forEach(spy -> spy.unregister().await());
  }

  @Test
  void answers_areNotForged_andPrivateNamesAreNotShared() {
    TestSocket asking = bridge();
    TestSocket forging = bridge();
    asking.send(new JsonObject("{\"type\":\"register\",\"address\":\"client.x\"}"));
    forging.send(new JsonObject("{\"type\":\"register\",\"address\":\"client.x\"}"));
    forging.send(new JsonObject("{\"type\":\"register\",\"address\":\"reply-a\"}"));
    assertEquals("err", forging.next().getString("type"));
    asking.send(
        send("wasm.instance." + ID, new JsonObject().put("action", "call").put("timeout", "1500"))
            .put("body", new JsonObject().put("function", "spin"))
            .put("replyAddress", "reply-a"));
    JsonObject forged = new JsonObject().put("results", new JsonArray().add(666));
    for (int i = 1; i <= 1000; i++) {
      forging.send(
          send("__vertx.reply." + i, new JsonObject().put("action", "call")).put("body", forged));
      assertEquals("access_denied", forging.next().getString("body"));
    }
    forging.send(send("reply-a", new JsonObject().put("action", "x")).put("body", forged));
    assertEquals("access_denied", forging.next().getString("body"));
    JsonObject answer = asking.next();
    assertEquals("err", answer.getString("type"), answer::encode);
    assertEquals(5040, answer.getInteger("failureCode"));
    for (int i = 0; i < 10; i++) {
      asking.send(call(new JsonObject().put("from", "client.x")));
      assertEquals("client.x", asking.next().getString("address"));
    }
    assertTrue(forging.hasNothing());
  }

  private static List<String> names() {
    return List.of(
        "user",
        "shared",
        "tenant",
        "epoch",
        "copy",
        "chain",
        "via",
        "term",
        "caller",
        "import",
        "status",
        "errors",
        "node",
        "spent",
        "a\r\nb",
        "",
        "x".repeat(10_000),
        "User",
        "USER ",
        "x-user");
  }

  @Test
  void headersOfClients_stayAtTheDoor() {
    Set<String> known =
        Set.of("action", "errors", "timeout", "user", "id", "fuel", "instance", "shared");
    ConcurrentLinkedQueue<String> bad = new ConcurrentLinkedQueue<>();
    Handler<DeliveryContext<Object>> spy =
        delivery -> {
          delivery
              .message()
              .headers()
              .forEach(
                  (name, value) -> {
                    if (value.contains("forged") || name.equals("user") && !value.equals("t")) {
                      bad.add(name + "=" + value);
                    }
                    if (delivery.message().address().equals("wasm.instance." + ID)
                        && !known.contains(name)) {
                      bad.add(name);
                    }
                  });
          delivery.next();
        };
    GATEWAY.node.vertx().eventBus().addOutboundInterceptor(spy);
    TestSocket socket = bridge();
    TestSocket plain = GATEWAY.socket(TOKEN);
    for (String name : names()) {
      for (Object value : Stream.of("forged", 5, new JsonObject()).toList()) {
        socket.send(call(new JsonObject().put(name, value)).put("replyAddress", "r"));
        String type = socket.next().getString("type");
        assertTrue(type.equals("rec") || !(value instanceof String), name + value);
      }
      socket.send(call(new JsonObject().putNull(name)).put("replyAddress", "r"));
      assertEquals("rec", socket.next().getString("type"), name);
      if (!Set.of("caller", "status").contains(name)) {
        assertEquals(
            "ok", plain.ask(TestSocket.call(ID, "one").put(name, "forged")).getString("status"));
      }
      if (name.matches("[a-zA-Z-]+")) {
        assertEquals(
            200,
            GATEWAY
                .send(
                    io.vertx.core.http.HttpMethod.GET,
                    "/instances/" + ID,
                    null,
                    Map.of(name, "forged", "Authorization", "Bearer " + TOKEN))
                .statusCode());
      }
    }
    GATEWAY.node.vertx().eventBus().removeOutboundInterceptor(spy);
    assertTrue(bad.isEmpty(), bad::toString);
  }

  private static RawClient raw(String path) {
    return new RawClient(GATEWAY.gateway.port()).upgrade(path, BEARER);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/ws", "/eventbus/websocket"})
  void messageThatNeverEnds_isCutAtTheBound(String path) {
    try (RawClient client = raw(path)) {
      byte[] part = new byte[100_000];
      client.frame(0x01, part);
      for (int i = 0; i < 10; i++) {
        client.frame(0x00, part);
      }
      assertEquals(1009, client.closeCode());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/ws", "/eventbus/websocket"})
  void oneByteTooMuch_isCut_andTheBoundIsNot(String path) {
    int most = HttpGateway.Bounds.STANDARD.messageBytes();
    try (RawClient client = raw(path)) {
      client.frame(0x81, new byte[most]);
      assertNotEquals(8, client.frame().opcode());
      try {
        client.frame(0x81, new byte[most + 1]).drain();
      } catch (UncheckedIOException e) {
        // closed before all of it was sent
      }
    }
  }

  @Test
  void textThatIsNoUtf8_endsTheSocket() {
    try (RawClient client = raw("/api/v1/ws")) {
      assertEquals(1007, client.frame(0x81, new byte[] {(byte) 0xe2, (byte) 0x82}).closeCode());
    }
    try (RawClient client = raw("/api/v1/ws")) {
      client.frame(0x01, new byte[] {'"', (byte) 0xe2});
      client.frame(0x80, new byte[] {(byte) 0x82, (byte) 0xac, '"'});
      assertTrue(client.frame().text().contains("must be a JSON object"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/ws", "/eventbus/websocket"})
  void badFrames_endTheSocketOnly(String path) {
    for (int first : List.of(0x83, 0x8b, 0xf1, 0x80, 0x09)) {
      try (RawClient client = raw(path)) {
        client.frame(first, new byte[1]).drain();
      }
    }
    try (RawClient client = raw(path)) {
      client.frame(0x89, new byte[126]).drain(); // a ping may have 125
    }
    assertEquals("ok", GATEWAY.socket(TOKEN).ask(TestSocket.call(ID, "one")).getString("status"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/ws", "/eventbus/websocket"})
  void pings_areAnswered_alsoBetweenFragments(String path) {
    try (RawClient client = raw(path)) {
      for (int i = 0; i < 2000; i++) {
        client.frame(0x89, new byte[100]);
        assertEquals(10, client.frame().opcode());
      }
      byte[] list = LIST.getBytes(StandardCharsets.UTF_8);
      client.frame(0x01, java.util.Arrays.copyOf(list, 5)).frame(0x89, new byte[1]);
      assertEquals(10, client.frame().opcode());
      client.frame(0x80, java.util.Arrays.copyOfRange(list, 5, list.length));
      assertEquals(1, client.frame().opcode());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/ws", "/eventbus/websocket"})
  void deepNesting_isRefused_andTheSocketStays(String path) {
    try (RawClient client = raw(path)) {
      client.text("{\"type\":\"send\",\"body\":" + "{\"a\":".repeat(20_000) + "1");
      assertTrue(client.frame().text().contains("4000"));
      client.text(LIST);
      assertEquals(1, client.frame().opcode());
    }
  }

  @Test
  void lengths_oneOverEach_areRefused() {
    TestSocket socket = GATEWAY.socket(TOKEN);
    socket.send(TestSocket.call(ID, "one").put("id", "i".repeat(129)));
    assertEquals(4000, socket.next().getJsonObject("error").getInteger("code"));
    socket.send(TestSocket.call(ID, "one").put("id", "i".repeat(128)));
    assertEquals("ok", socket.next().getString("status"));
    for (int length : List.of(256, 257)) {
      JsonObject served =
          socket.ask(new JsonObject().put("action", "serve").put("import", "i".repeat(length)));
      assertEquals(length == 256 ? "ok" : "error", served.getString("status"));
    }
    TestSocket bridge = bridge();
    bridge.send(send("wasm.instance." + "a".repeat(187), new JsonObject().put("action", "call")));
    assertEquals("rejected", bridge.next().getString("body"));
    bridge.send(call(new JsonObject()).put("replyAddress", "r".repeat(200)));
    assertEquals("rec", bridge.next().getString("type"));
    bridge.send(call(new JsonObject()).put("replyAddress", "r".repeat(201)));
    assertEquals("err", bridge.next().getString("type"));
    bridge.send(call(new JsonObject().put("id", "i".repeat(201))).put("replyAddress", "r"));
    assertEquals("err", bridge.next().getString("type"));
  }

  @Test
  void numbers_oneOverEach_areRefused() {
    int heard = GATEWAY.gateway.topics().size();
    int served = GATEWAY.gateway.served().size();
    TestSocket socket = GATEWAY.socket(TOKEN);
    for (int i = 0; i <= 100; i++) {
      JsonObject serves =
          socket.ask(new JsonObject().put("action", "serve").put("import", "f" + i));
      assertEquals(i < 100 ? "ok" : "error", serves.getString("status"));
      JsonObject subscribed =
          socket.ask(
              new JsonObject().put("action", "subscribe").put("address", "wasm.stdio.i" + i));
      assertEquals(i < 100 ? "ok" : "error", subscribed.getString("status"));
    }
    socket.socket.close();
    Until.isTrue(
        () ->
            GATEWAY.gateway.topics().size() == heard && GATEWAY.gateway.served().size() == served);
    TestSocket bridge = bridge();
    for (int i = 0; i <= 100; i++) {
      bridge.send(new JsonObject().put("type", "register").put("address", "client." + i));
    }
    assertEquals(4290, bridge.next().getInteger("failureCode"));
  }

  @Test
  void inFlight_oneTooMany_isOverloaded_andBadOnesTakeNoPlace() {
    int most = HttpGateway.Bounds.STANDARD.inFlight();
    String id = start();
    TestSocket socket = GATEWAY.socket(TOKEN);
    for (int i = 0; i < most + 10; i++) {
      JsonObject bad = socket.ask(id, "cancel", new JsonObject());
      assertEquals(4000, bad.getJsonObject("error").getInteger("code"), bad::encode);
    }
    for (int i = 0; i < most; i++) {
      socket.send(TestSocket.call(id, "spin").put("id", "i" + i).put("timeout", 3000));
    }
    JsonObject over = socket.ask(TestSocket.call(id, "one"));
    assertEquals(4290, over.getJsonObject("error").getInteger("code"), over::encode);
    socket.socket.close();
    TestSocket other = GATEWAY.socket(TOKEN);
    Until.isTrue(
        () ->
            other.ask(id, "describe", new JsonObject()).getJsonObject("body").getInteger("queue")
                == 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/api/v1/ws", "/eventbus/websocket"})
  void flood_isToldAndSlowed_andOthersAreAnswered(String path) {
    HttpGateway.Bounds standard = HttpGateway.Bounds.STANDARD;
    HttpGateway.Bounds few =
        new HttpGateway.Bounds(100, 100, 1 << 20, 1 << 20, 50, 256, 1 << 20, standard.patience());
    try (TestGateway gateway = TestGateway.of(TestGateway.guarded().withBounds(few));
        RawClient flooding = new RawClient(gateway.gateway.port())) {
      flooding.upgrade(path, "Authorization: Bearer " + gateway.token("t", "all"));
      for (int i = 0; i < 300; i++) {
        flooding.text(i % 2 == 0 ? "nonsense" : LIST);
      }
      TestSocket other = gateway.socket(gateway.token("u", "all"));
      assertEquals("ok", other.ask(new JsonObject().put("action", "list")).getString("status"));
      int refused = 0;
      for (int i = 0; i < 300; i++) {
        refused += flooding.frame().text().contains("messages a second") ? 1 : 0;
      }
      assertTrue(refused > 5, "so many were refused: " + refused);
    }
  }

  @Test
  void deflate_isNotNegotiated() {
    for (String path : List.of("/api/v1/ws", "/eventbus/websocket")) {
      try (RawClient client = new RawClient(GATEWAY.gateway.port())) {
        client.ask(path, BEARER, "Sec-WebSocket-Extensions: permessage-deflate");
        String head = client.head();
        assertTrue(head.startsWith("HTTP/1.1 101"), head);
        assertTrue(!head.toLowerCase().contains("deflate"), head);
        client.frame(0xc1, new byte[] {1, 2, 3}).drain(); // compressed, as it was not agreed on
      }
    }
  }
}
