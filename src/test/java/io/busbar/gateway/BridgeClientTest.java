package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.model.WasiSpec;
import io.busbar.wire.Addresses;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The standard client of the event-bus bridge, in Node. */
@Timeout(120)
class BridgeClientTest {
  private static final JsonObject STANDARD = new JsonObject();
  private static final String SUM = "{\"function\":\"sum\",\"params\":[1,2]}";

  /** SockJS has but one code for a server that closes. */
  private static final int GO_AWAY = 3000;

  private static TestGateway gateway;

  @BeforeAll
  static void start() throws Exception {
    NodeClient.install();
    gateway = TestGateway.dev();
    gateway.node.start(TestNode.inline("wasm_test").withId("calc"));
  }

  @AfterAll
  static void stop() {
    if (gateway != null) {
      gateway.close();
    }
  }

  private static NodeClient open(int port, JsonObject options) {
    NodeClient client = NodeClient.open(port, options);
    client.next("open");
    return client;
  }

  private static NodeClient open() {
    return open(gateway.gateway.port(), STANDARD);
  }

  private static JsonObject send(String address, String action, String headers, String body) {
    return new JsonObject()
        .put("address", address)
        .put("headers", new JsonObject(headers).put("action", action))
        .put("body", new JsonObject(body));
  }

  private static JsonObject at(String address) {
    return new JsonObject().put("address", address);
  }

  @Test
  void send_hasItsReply_orItsFailure() {
    try (NodeClient client = open()) {
      client.tell("send", send("wasm.instance.calc", "call", "{}", SUM));
      assertEquals("{\"results\":[3]}", client.nextObject("reply").getJsonObject("body").encode());
      client.tell("send", send("wasm.instance.nobody", "call", "{}", SUM));
      assertEquals(
          "{\"failureCode\":4040,\"failureType\":\"RECIPIENT_FAILURE\","
              + "\"message\":\"instance `nobody` not found\"}",
          client.nextObject("failure").encode());
      client.tell("send", send("my.service", "call", "{}", SUM));
      assertEquals(4030, client.nextObject("failure").getInteger("failureCode"));
    }
  }

  @Test
  void pings_areHeardOfByNobody() {
    try (NodeClient client =
        open(gateway.gateway.port(), new JsonObject().put("vertxbus_ping_interval", 1))) {
      for (int i = 0; i < 20; i++) {
        client.tell("send", send("wasm.instance.calc", "call", "{}", SUM));
        client.next("reply");
      }
      assertTrue(client.toldNothing());
    }
  }

  @Test
  void answer_goesToAPrivateName() {
    try (NodeClient client = open()) {
      client.tell("register", at("client.mine"));
      String headers = "{\"from\":\"client.mine\",\"id\":\"7\"}";
      client.tell("send", send("wasm.instance.calc", "call", headers, SUM));
      assertEquals(
          "{\"accepted\":true}", client.nextObject("reply").getJsonObject("body").encode());
      assertEquals(
          "{\"type\":\"rec\",\"address\":\"client.mine\","
              + "\"headers\":{\"status\":\"ok\",\"from\":\"client.mine\",\"id\":\"7\",\"instance\":\"calc\"},"
              + "\"body\":{\"results\":[3]}}",
          client.nextObject("heard").encode());
    }
  }

  @Test
  void events_areHeard_untilUnregistered() {
    try (NodeClient client = open()) {
      client.tell("register", at("wasm.events"));
      client.tell("send", send("wasm.instance.calc", "call", "{}", SUM));
      client.next("reply");
      String module = "{\"id\":\"heard\",\"module\":{\"wat\":\"(module)\"}}";
      gateway.node.start(TestNode.inlineText("(module)").withId("heard"));
      JsonObject heard = client.nextObject("heard");
      while (!"heard".equals(heard.getJsonObject("body").getString("id"))) {
        heard = client.nextObject("heard");
      }
      assertEquals("instance.started", heard.getJsonObject("body").getString("event"));
      client.tell("unregister", at("wasm.events"));
      client.tell(
          "send", send("wasm.instances", "start", "{}", module.replace("heard", "unheard")));
      client.next("reply");
      client.tell("send", send("wasm.instances", "list", "{}", "{}"));
      client.next("reply");
    }
  }

  @Test
  void output_isHeard() {
    try (NodeClient client = open()) {
      client.tell("register", at("wasm.stdio.program"));
      client.tell("send", send("wasm.instance.calc", "call", "{}", SUM));
      client.next("reply");
      WasiSpec wasi = WasiSpec.ISOLATED.withStdin("hi".getBytes()).withPublish(true);
      gateway
          .node
          .start(TestNode.inline("wasi_program").withId("program").withWasi(wasi))
          .call("_start")
          .await();
      JsonObject body = client.nextObject("heard").getJsonObject("body");
      assertEquals("stdout", body.getString("stream"));
      assertEquals("aGk=", body.getString("bytes"));
    }
  }

  @Test
  void addressesThatAreDenied_areAnError() {
    try (NodeClient client = open()) {
      client.tell("register", at("my.service"));
      JsonObject denied = client.nextObject("unhandled");
      assertEquals("err", denied.getString("type"));
      assertEquals("access_denied", denied.getString("body"));
    }
  }

  @Test
  void token_isInTheHeadersOfTheClient() {
    try (TestGateway guarded = TestGateway.of(TestGateway.guarded())) {
      String token = guarded.token("ann", "all");
      JsonObject headers = new JsonObject().put("authorization", "Bearer " + token);
      String spec =
          "{\"id\":\"anns\",\"module\":{\"wat\":\"(module (memory (export \\\"m\\\") 1))\"}}";
      try (NodeClient client =
          open(guarded.gateway.port(), new JsonObject().put("headers", headers))) {
        client.tell("register", at("wasm.events"));
        client.tell("send", send("wasm.instances", "start", "{}", spec));
        assertEquals("anns", started(client).getString("id"));
      }
      headers.put("authorization", "Bearer x.y.z");
      try (NodeClient client =
          open(guarded.gateway.port(), new JsonObject().put("headers", headers))) {
        client.tell("send", send("wasm.instance.anns", "memory", "{}", "{}"));
        assertEquals(4010, client.nextObject("failure").getInteger("failureCode"));
        assertEquals(GO_AWAY, client.next("closed"));
      }
      try (NodeClient client = open(guarded.gateway.port(), STANDARD)) {
        client.tell("send", send("wasm.instance.anns", "memory", "{}", "{}"));
        assertEquals(4010, client.nextObject("failure").getInteger("failureCode"));
      }
    }
  }

  /** The event, which may come before the reply to the start or after it. */
  private static JsonObject started(NodeClient client) {
    JsonObject body = new JsonObject();
    while (!"instance.started".equals(body.getString("event"))) {
      body = ((JsonObject) client.next("heard", "reply")).getJsonObject("body");
    }
    return body;
  }

  @Test
  void clientComesBack_afterTheGatewayWasAway() {
    HttpGateway first = listen(0);
    int port = first.port();
    try (NodeClient client = open(port, new JsonObject().put("vertxbus_reconnect_delay_min", 50))) {
      client.tell("reconnect");
      client.tell("send", send("wasm.instance.calc", "call", "{}", SUM));
      client.next("reply");
      first.close().await();
      assertEquals(GO_AWAY, client.next("closed"));
      HttpGateway second = listen(port);
      Object said = client.next("closed", "open");
      while (said instanceof Integer) {
        said = client.next("closed", "open");
      }
      client.next("reconnected");
      client.tell("send", send("wasm.instance.calc", "call", "{}", SUM));
      assertEquals("{\"results\":[3]}", client.nextObject("reply").getJsonObject("body").encode());
      client.tell("close");
      assertEquals(1000, client.next("closed"));
      second.close().await();
    }
  }

  private static HttpGateway listen(int port) {
    return HttpGateway.open(
            gateway.node.vertx(),
            HttpGateway.Options.dev("127.0.0.1", port),
            Addresses.STANDARD,
            1 << 20,
            Duration.ofMinutes(1))
        .await();
  }
}
