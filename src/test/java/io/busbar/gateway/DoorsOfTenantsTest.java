package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one tenant can do to another, and to the operator, through every door. */
@Timeout(60)
class DoorsOfTenantsTest {
  private static final String GUEST =
      """
      (module
        (import "env" "ask" (func $ask (param i32) (result i32)))
        (memory (export "memory") 1)
        (global (export "count") (mut i32) (i32.const 7))
        (func (export "one") (result i32) (i32.const 1))
        (func (export "two") (result i32) (i32.const 2))
        (func (export "ask") (param i32) (result i32) (call $ask (local.get 0))))
      """;

  private static final TestGateway GATEWAY = TestGateway.of(TestGateway.guarded());
  private static final String A = GATEWAY.token("a", "all");
  private static final String B = GATEWAY.token("a.b", "all");

  @BeforeAll
  static void startOnes() {
    assertEquals(201, start(A, "of-a", "b.x").statusCode());
    assertEquals(201, start(B, "of-b", "x").statusCode());
    GATEWAY.node.client().start(io.busbar.TestNode.inlineText("(module)").withId("ours")).await();
  }

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private static JsonObject spec(String id, String address) {
    JsonObject ask =
        new JsonObject()
            .put("params", new JsonArray().add("i32"))
            .put("results", new JsonArray().add("i32"))
            .put("address", address)
            .put("timeout", 3000);
    return new JsonObject()
        .put("id", id)
        .put("module", new JsonObject().put("wat", GUEST))
        .put("imports", new JsonObject().put("env", new JsonObject().put("ask", ask)));
  }

  private static HttpResponse<Buffer> start(String token, String id, String address) {
    return GATEWAY.send(HttpMethod.POST, "/instances", spec(id, address), token);
  }

  private static HttpResponse<Buffer> get(String path, String token) {
    return GATEWAY.send(HttpMethod.GET, path, null, token);
  }

  private static JsonObject frame(String json) {
    return new JsonObject(json);
  }

  @Test
  void instanceOfAnother_isAnsweredLikeOneThatIsNotThere_throughEveryDoor() {
    TestSocket socket = GATEWAY.socket(A);
    TestSocket bridge = GATEWAY.bridge(Map.of("Authorization", "Bearer " + A));
    for (String other : List.of("of-b", "ours")) {
      for (String path :
          List.of(
              "",
              "/exports/one",
              "/globals/count",
              "/memory",
              "/memory?offset=0&length=1",
              "/fuel")) {
        String there = get("/instances/" + other + path, A).bodyAsString();
        String absent = get("/instances/none" + path, A).bodyAsString();
        assertEquals(absent.replace("none", other), there);
      }
      for (String action : List.of("call/one", "invoke/one", "move", "memory/grow")) {
        String there =
            GATEWAY
                .send(HttpMethod.POST, "/instances/" + other + "/" + action, "{}", A)
                .bodyAsString();
        String absent =
            GATEWAY.send(HttpMethod.POST, "/instances/none/" + action, "{}", A).bodyAsString();
        assertEquals(absent.replace("none", other), there);
      }
      assertEquals(
          404, GATEWAY.send(HttpMethod.DELETE, "/instances/" + other, null, A).statusCode());
      for (String action :
          List.of("call", "describe", "stop", "snapshot", "read-stdout", "cancel")) {
        JsonObject body = frame("{\"function\":\"one\",\"id\":\"x\"}");
        JsonObject there = socket.ask(other, action, body).put("id", "");
        JsonObject absent = socket.ask("none", action, body).put("id", "");
        assertEquals(absent.encode().replace("none", other), there.encode());
        bridge.send(ask(other, action));
        String heard = bridge.next().encode();
        bridge.send(ask("none", action));
        assertEquals(bridge.next().encode().replace("none", other), heard);
      }
    }
    assertEquals(200, get("/instances/of-b", B).statusCode(), "it is still there");
  }

  private static JsonObject ask(String instance, String action) {
    return new JsonObject()
        .put("type", "send")
        .put("address", "wasm.instance." + instance)
        .put("replyAddress", "r")
        .put("headers", new JsonObject().put("action", action).put("errors", "body"))
        .put("body", frame("{\"function\":\"one\",\"id\":\"x\"}"));
  }

  @Test
  void guessing_tellsNothing_howeverOften() {
    Set<String> said = new HashSet<>();
    TestSocket socket = GATEWAY.socket(GATEWAY.token("c", "all"));
    for (int i = 0; i < 500; i++) {
      String id = i % 2 == 0 ? "of-b" : "none" + i;
      said.add(
          socket
              .ask(id, "describe", new JsonObject())
              .getJsonObject("error")
              .encode()
              .replace(id, "?"));
    }
    assertEquals(1, said.size(), said::toString);
  }

  @Test
  void lists_holdTheOwnOnly() {
    HttpResponse<Buffer> put =
        GATEWAY.send(HttpMethod.POST, "/modules?name=mine", "(module (func))", A);
    assertEquals(201, put.statusCode(), put::bodyAsString);
    for (String token : List.of(A, B)) {
      JsonArray listed = get("/instances", token).bodyAsJsonObject().getJsonArray("instances");
      assertEquals(1, listed.size(), listed::encode);
      assertFalse(listed.encode().contains(token.equals(A) ? "of-b" : "of-a"));
    }
    String modules = get("/modules", A).bodyAsString();
    assertTrue(modules.contains("mine"), modules);
    assertFalse(get("/modules", B).bodyAsString().contains("mine"));
    assertEquals(
        get("/modules/none", B).bodyAsString().replace("none", "mine"),
        get("/modules/mine", B).bodyAsString());
    assertEquals("{\"nodes\":[]}", get("/nodes", A).bodyAsString());
    assertEquals(
        403, GATEWAY.send(HttpMethod.POST, "/nodes/x/drain", "{}", A).statusCode(), "of a node");
  }

  @Test
  void servedImports_areForTheOwnGuestsOnly_whateverTenantsAreCalled() {
    TestSocket serving = GATEWAY.socket(A); // at `b.x` of `a`, beside `x` of `a.b`
    assertEquals(
        "ok", serving.ask(frame("{\"action\":\"serve\",\"import\":\"b.x\"}")).getString("status"));
    TestSocket other = GATEWAY.socket(B);
    JsonObject answer = other.ask(TestSocket.call("of-b", "ask", 1));
    assertEquals("error", answer.getString("status"), answer::encode);
    assertTrue(serving.hasNothing(), "it hears nothing of what another's guest asks");
    other.send(TestSocket.call("of-b", "one").put("id", "q"));
    assertEquals("ok", other.next().getString("status"));
    TestSocket own = GATEWAY.socket(A);
    own.send(TestSocket.call("of-a", "ask", 1).put("id", "q"));
    JsonObject call = serving.next();
    serving.send(
        new JsonObject()
            .put("id", call.getString("id"))
            .put("status", "ok")
            .put("body", frame("{\"results\":[5]}")));
    assertEquals("{\"results\":[5]}", own.next().getJsonObject("body").encode());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "client.a/b.x",
        "client.a.b.x",
        "client.",
        "wasm.instances",
        "wasm.node.x",
        "wasm.events",
        "__vertx.reply.1",
        "__vertx.x"
      })
  void importsOfTheOperator_areNoneOfTheseAddresses(String address) {
    ConcurrentLinkedQueue<String> heard = new ConcurrentLinkedQueue<>();
    var consumer =
        GATEWAY.node.vertx().eventBus().consumer(address + ".spy", m -> heard.add(address));
    String rules =
        """
        [{"instances":["*"],"operations":["*"]},{"modules":["*"],"operations":["*"]},
         {"imports":["*"],"operations":["*"],"shared":true}]
        """;
    HttpResponse<Buffer> answer =
        start(GATEWAY.token("d", rules), "of-d", address.equals("client.") ? "client.x" : address);
    assertEquals(403, answer.statusCode(), answer::bodyAsString);
    consumer.unregister().await();
  }

  @Test
  void events_areHeardOfTheOwnOnly() {
    TestSocket socket = GATEWAY.socket(B);
    socket.ask(frame("{\"action\":\"subscribe\",\"address\":\"wasm.events\"}"));
    String c = GATEWAY.token("e", "all");
    assertEquals(201, start(c, "of-e", "x").statusCode());
    assertEquals(201, start(B, "of-b2", "x").statusCode());
    JsonObject event = socket.next().getJsonObject("event");
    while (!"of-b2".equals(event.getString("id"))) {
      assertFalse(event.encode().contains("of-e"), event::encode);
      event = socket.next().getJsonObject("event");
    }
    GATEWAY.send(HttpMethod.DELETE, "/instances/of-b2", null, B);
  }

  @Test
  void output_isHeardOfTheOwnOnly() {
    JsonObject subscribe = frame("{\"action\":\"subscribe\",\"address\":\"wasm.stdio.talker\"}");
    TestSocket other = GATEWAY.socket(A);
    TestSocket own = GATEWAY.socket(B);
    assertEquals("ok", other.ask(subscribe).getString("status"), "as for one that is not there");
    assertEquals("ok", own.ask(subscribe).getString("status"));
    JsonObject spec =
        new JsonObject()
            .put("id", "talker")
            .put("module", new JsonObject().put("wat", EventStreamTest.TALKER))
            .put("wasi", new JsonObject().put("publish", true));
    assertEquals(201, GATEWAY.send(HttpMethod.POST, "/instances", spec, B).statusCode());
    own.send(TestSocket.call("talker", "say").put("id", "c"));
    JsonObject first = own.next();
    JsonObject heard = first.containsKey("event") ? first : own.next();
    assertEquals("stdout", heard.getJsonObject("event").getString("stream"));
    JsonObject list = other.ask(frame("{\"action\":\"list\"}"));
    assertEquals("ok", list.getString("status"), "nothing came before the answer");
  }

  /** Each rule is about the tenant's own or about what is shared, with the exports it names. */
  @Test
  void ownRules_openNothingOfTheOperators() {
    String wat = "(module (func (export \"open\")) (func (export \"secret\")))";
    GATEWAY
        .node
        .client()
        .put(wat.getBytes(java.nio.charset.StandardCharsets.UTF_8), "private")
        .await();
    GATEWAY.node.client().put(wat.getBytes(java.nio.charset.StandardCharsets.UTF_8), "lib").await();
    GATEWAY.node.client().start(io.busbar.model.InstanceSpec.of("lib").withId("pricing")).await();
    String mixed =
        GATEWAY.token(
            "a",
            """
            [{"instances":["*"],"operations":["*"]},
             {"instances":["pricing"],"operations":["call","calls","describe","exists"],
              "functions":["open"],"shared":true},
             {"modules":["*"],"operations":["*"]},
             {"modules":["lib*"],"operations":["start","tag"],"shared":true}]
            """);
    TestSocket socket = GATEWAY.socket(mixed);
    assertEquals("ok", socket.ask(TestSocket.call("pricing", "open")).getString("status"));
    JsonObject refused = socket.ask(TestSocket.call("pricing", "secret"));
    assertEquals(4040, refused.getJsonObject("error").getInteger("code"), refused::encode);
    JsonObject calls = frame("{\"calls\":[{\"function\":\"open\"},{\"function\":\"secret\"}]}");
    refused = socket.ask("pricing", "calls", calls);
    assertEquals(4040, refused.getJsonObject("error").getInteger("code"), refused::encode);
    String described = socket.ask("pricing", "describe", new JsonObject()).encode();
    assertTrue(described.contains("\"open\""), described);
    assertFalse(described.contains("secret"), described);
    JsonObject start =
        frame("{\"action\":\"start\"}")
            .put("body", frame("{\"module\":\"private\",\"links\":{\"x\":{\"module\":\"lib\"}}}"));
    refused = socket.ask(start);
    assertEquals("error", refused.getString("status"), refused::encode);
    JsonObject tag = frame("{\"action\":\"tag\",\"address\":\"wasm.modules\"}");
    refused =
        socket.ask(tag.copy().put("body", frame("{\"module\":\"private\",\"name\":\"libx\"}")));
    assertEquals(4043, refused.getJsonObject("error").getInteger("code"), refused::encode);
    JsonObject tagged =
        socket.ask(tag.put("body", frame("{\"module\":\"lib\",\"name\":\"mine\"}")));
    assertEquals("ok", tagged.getString("status"), tagged::encode);
  }

  @Test
  void servingAgain_beforeItHasBegun_leavesNobodyBehind() {
    int others = GATEWAY.gateway.served().size();
    TestSocket socket = GATEWAY.socket(A);
    for (String action : List.of("serve", "unserve", "serve", "unserve", "serve")) {
      socket.send(new JsonObject().put("action", action).put("import", "again").put("id", action));
    }
    for (int i = 0; i < 5; i++) {
      socket.next();
    }
    assertEquals(
        "ok",
        socket.ask(frame("{\"action\":\"unserve\",\"import\":\"again\"}")).getString("status"));
    socket.socket.close();
    io.busbar.Until.isTrue(() -> GATEWAY.gateway.served().size() == others);
  }

  @Test
  void newName_opensNoModule_thatTheOldOneDoesNot() {
    GATEWAY.send(HttpMethod.POST, "/modules?name=secret", "(module (func (export \"s\")))", A);
    String narrow = GATEWAY.token("a", "[{\"modules\":[\"open*\"],\"operations\":[\"*\"]}]");
    JsonObject tag =
        frame("{\"action\":\"tag\",\"address\":\"wasm.modules\"}")
            .put("body", frame("{\"module\":\"secret\",\"name\":\"open\"}"));
    JsonObject refused = GATEWAY.socket(narrow).ask(tag);
    assertEquals("NO_SUCH_MODULE", refused.getJsonObject("error").getString("name"));
    assertEquals(404, get("/modules/open", narrow).statusCode());
  }

  @Test
  void functions_thatMayNotBeCalled_areNotThere() {
    String some =
        GATEWAY.token(
            "a",
            "[{\"instances\":[\"of-*\"],\"operations\":[\"call\",\"calls\",\"exists\",\"describe\"],"
                + "\"functions\":[\"one\"]}]");
    TestSocket socket = GATEWAY.socket(some);
    assertEquals("ok", socket.ask(TestSocket.call("of-a", "one")).getString("status"));
    JsonObject two = socket.ask(TestSocket.call("of-a", "two"));
    assertEquals("exported function `two` not found", message(two));
    JsonObject calls =
        socket.ask(
            "of-a", "calls", frame("{\"calls\":[{\"function\":\"one\"},{\"function\":\"two\"}]}"));
    assertEquals("exported function `two` not found", message(calls));
    for (String action : List.of("get-global", "read-memory", "set-global", "stop")) {
      JsonObject refused =
          socket.ask("of-a", action, frame("{\"global\":\"count\",\"offset\":0,\"length\":1}"));
      assertEquals("`" + action + "` of instance `of-a` is not allowed", message(refused));
    }
    JsonObject invoke = socket.ask("of-a", "invoke", frame("{\"function\":\"two\"}"));
    assertEquals("`invoke` of instance `of-a` is not allowed", message(invoke));
    String described = socket.ask("of-a", "describe", new JsonObject()).encode();
    assertTrue(described.contains("\"one\""), described);
    assertFalse(described.contains("\"two\""), described);
    assertEquals(404, get("/instances/of-a/exports/two", some).statusCode());
  }

  private static String message(JsonObject answer) {
    return answer.getJsonObject("error").getString("message");
  }

  @Test
  void callsPerSecond_andFuelPerMinute_areEachTenantsOwn() {
    HttpGateway.Options few =
        TestGateway.guarded()
            .withQuotas(
                new Quotas.Options(
                    Quotas.Quota.STANDARD,
                    Map.of("slow", new Quotas.Quota(5, 0), "poor", new Quotas.Quota(0, 1000))));
    try (TestGateway gateway = TestGateway.of(few)) {
      String slow = gateway.token("slow", "all");
      Set<Integer> said = new HashSet<>();
      for (int i = 0; i < 30; i++) {
        said.add(gateway.send(HttpMethod.GET, "/instances", null, slow).statusCode());
      }
      assertTrue(said.contains(429), said::toString);
      String other = gateway.token("other", "all");
      assertEquals(200, gateway.send(HttpMethod.GET, "/instances", null, other).statusCode());
      String poor = gateway.token("poor", "all");
      String spin = "(module (func (export \"spin\") (loop (br 0))))";
      JsonObject spec =
          new JsonObject().put("id", "s").put("module", new JsonObject().put("wat", spin));
      assertEquals(201, gateway.send(HttpMethod.POST, "/instances", spec, poor).statusCode());
      HttpResponse<Buffer> spun =
          gateway.send(HttpMethod.POST, "/instances/s/call/spin?fuel=1000000", "{}", poor);
      assertEquals(422, spun.statusCode(), spun::bodyAsString);
      spun = gateway.send(HttpMethod.POST, "/instances/s/call/spin", "{}", poor);
      assertEquals(429, spun.statusCode(), spun::bodyAsString);
    }
  }
}
