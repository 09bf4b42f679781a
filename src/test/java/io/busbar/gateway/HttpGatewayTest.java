package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.TestNode;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row of the HTTP table, and what a careless caller sends. */
class HttpGatewayTest {
  private final TestNode node =
      TestNode.start(
          Config.from(
              new JsonObject(
                  "{\"modules\":{\"maxBytes\":100000},\"messages\":{\"maxSliceBytes\":50000}}")));
  private HttpGateway gateway;
  private WebClient web;

  @BeforeEach
  void start() {
    var addresses = io.busbar.wire.Addresses.STANDARD;
    var options = HttpGateway.Options.dev("127.0.0.1", 0);
    gateway =
        HttpGateway.open(node.vertx(), options, addresses, 100_000, java.time.Duration.ofMinutes(1))
            .await();
    web =
        WebClient.create(
            node.vertx(),
            new WebClientOptions().setDefaultHost("127.0.0.1").setDefaultPort(gateway.port()));
  }

  @AfterEach
  void stop() {
    gateway.close().await();
    node.close();
  }

  private HttpResponse<Buffer> send(HttpMethod method, String path, Object body) {
    return send(method, path, body, Map.of());
  }

  private HttpResponse<Buffer> send(
      HttpMethod method, String path, Object body, Map<String, String> headers) {
    var request = web.request(method, "/api/v1" + path);
    headers.forEach(request::putHeader);
    if (body == null) {
      return request.send().await();
    }
    Buffer bytes = body instanceof byte[] b ? Buffer.buffer(b) : Buffer.buffer(body.toString());
    return request.sendBuffer(bytes).await();
  }

  private HttpResponse<Buffer> get(String path) {
    return send(HttpMethod.GET, path, null);
  }

  private static void assertJson(int status, String json, HttpResponse<Buffer> response) {
    assertEquals(json, response.bodyAsString());
    assertEquals(status, response.statusCode());
    assertEquals("application/json", response.getHeader("content-type"));
  }

  private static void assertError(Failure failure, String text, HttpResponse<Buffer> response) {
    JsonObject error = response.bodyAsJsonObject();
    assertEquals(text, error.getString("message"));
    assertEquals(failure.code(), error.getInteger("code"));
    assertEquals(failure.name(), error.getString("name"));
    assertEquals(failure.code() / 10, response.statusCode());
  }

  private void startCalc() {
    node.start(TestNode.inline("wasm_test").withId("calc"));
  }

  @Test
  void modules_arePutDescribedFetchedAndRemoved() {
    byte[] wasm = Compiler.toBinary(Guests.text("multi"));
    HttpResponse<Buffer> put =
        send(HttpMethod.POST, "/modules?name=calc&version=1.2", Guests.text("multi"));
    assertEquals(201, put.statusCode());
    String id = put.bodyAsJsonObject().getString("module");
    assertEquals(1, get("/modules").bodyAsJsonObject().getJsonArray("modules").size());
    assertEquals(id, get("/modules/calc:1.2").bodyAsJsonObject().getString("module"));
    HttpResponse<Buffer> fetched = get("/modules/" + id + "/wasm");
    assertArrayEquals(wasm, fetched.body().getBytes());
    assertEquals("application/wasm", fetched.getHeader("content-type"));
    assertEquals(200, send(HttpMethod.DELETE, "/modules/" + id, null).statusCode());
    assertError(Failure.NO_SUCH_MODULE, "module `calc` not found", get("/modules/calc"));
  }

  @Test
  void instances_areStartedListedDescribedAndStopped() {
    send(HttpMethod.POST, "/modules?name=m", Guests.text("multi"));
    HttpResponse<Buffer> started =
        send(HttpMethod.POST, "/instances", "{\"id\":\"i\",\"module\":\"m\"}");
    assertEquals(201, started.statusCode());
    assertEquals("wasm.instance.i", started.bodyAsJsonObject().getString("address"));
    assertEquals(1, get("/instances").bodyAsJsonObject().getJsonArray("instances").size());
    assertEquals("i", get("/instances/i").bodyAsJsonObject().getString("id"));
    assertJson(
        200, "{\"id\":\"i\",\"stopped\":true}", send(HttpMethod.DELETE, "/instances/i", null));
    assertError(Failure.NO_SUCH_INSTANCE, "instance `i` not found", get("/instances/i"));
  }

  @Test
  void functions_areCalled() {
    startCalc();
    assertJson(
        200,
        "{\"results\":[3]}",
        send(HttpMethod.POST, "/instances/calc/call/sum", "{\"params\":[1,2]}"));
    assertJson(
        200, "{\"results\":[42]}", send(HttpMethod.POST, "/instances/calc/call/arity_0", null));
    assertJson(
        200,
        "{\"results\":[\"9223372036854775807\"]}",
        send(
            HttpMethod.POST, "/instances/calc/call/i64_i64", "{\"params\":[9223372036854775807]}"));
    assertError(
        Failure.NO_SUCH_EXPORT,
        "exported function `nope` not found",
        send(HttpMethod.POST, "/instances/calc/call/nope", "{}"));
    assertError(
        Failure.BAD_PARAMS,
        "number of params does not match. expected 2, got 1",
        send(HttpMethod.POST, "/instances/calc/call/sum", "{\"params\":[1]}"));
    HttpResponse<Buffer> trap =
        send(HttpMethod.POST, "/instances/calc/call/divide", "{\"params\":[1,0]}");
    assertError(Failure.TRAP, "wasm trap: wasm `unreachable` instruction executed", trap);
    assertEquals(
        List.of("wasmex_test!divide"), trap.bodyAsJsonObject().getJsonArray("frames").getList());
  }

  @Test
  void timeout_isInTheQuery() {
    startCalc();
    assertError(
        Failure.DEADLINE,
        "deadline of 50 ms exceeded (interrupted)",
        send(HttpMethod.POST, "/instances/calc/call/endless_loop?timeout=50", null));
    assertError(
        Failure.BAD_REQUEST,
        "`timeout` must be a whole number, 0 or more. Given `soon`.",
        send(HttpMethod.POST, "/instances/calc/call/sum?timeout=soon", null));
  }

  @ParameterizedTest
  @CsvSource({
    "application/octet-stream,application/octet-stream",
    "application/json,application/json",
    "Text/Plain; charset=utf-8,Text/Plain; charset=utf-8",
    "text/html,application/octet-stream",
    "application/jsonp,application/octet-stream",
    ";,application/octet-stream",
  })
  void invoke_isBytes_ofTheTypeTheyCameWith(String type, String answered) {
    node.start(TestNode.inlineBinary("greet").withId("g"));
    HttpResponse<Buffer> greeting =
        send(
            HttpMethod.POST,
            "/instances/g/invoke/greet",
            new byte[] {0, -1},
            Map.of("Content-Type", type));
    byte[] expected = {'H', 'e', 'l', 'l', 'o', ',', ' ', 0, -1, '!'};
    assertArrayEquals(expected, greeting.body().getBytes());
    assertEquals(200, greeting.statusCode());
    assertEquals(answered, greeting.getHeader("content-type"));
  }

  @Test
  void invoke_withoutBodyOrWithTooMuch() {
    node.start(TestNode.inlineBinary("greet").withId("g"));
    HttpResponse<Buffer> greeting = send(HttpMethod.POST, "/instances/g/invoke/greet", null);
    assertEquals("Hello, !", greeting.bodyAsString());
    assertEquals("application/octet-stream", greeting.getHeader("content-type"));
    assertError(
        Failure.NO_SUCH_EXPORT,
        "exported function `nope` not found",
        send(HttpMethod.POST, "/instances/g/invoke/nope", "x"));
    assertError(
        Failure.TOO_LARGE,
        "an input of 50001 bytes; at most 50000 are taken",
        send(HttpMethod.POST, "/instances/g/invoke/greet", new byte[50_001]));
    assertError(
        Failure.TOO_LARGE,
        "`greet` answered 50008 bytes; at most 50000 are taken",
        send(HttpMethod.POST, "/instances/g/invoke/greet", new byte[50_000]));
    assertError(
        Failure.TOO_LARGE,
        "a request body of 1000000 bytes; at most 165536",
        send(HttpMethod.POST, "/instances/g/invoke/greet", new byte[1_000_000]));
  }

  @Test
  void exports_areThereOrNot() {
    startCalc();
    assertEquals(204, get("/instances/calc/exports/sum").statusCode());
    assertError(
        Failure.NO_SUCH_EXPORT,
        "exported function `memory` not found",
        get("/instances/calc/exports/memory"));
    assertError(
        Failure.NO_SUCH_INSTANCE, "instance `no` not found", get("/instances/no/exports/memory"));
  }

  @Test
  void globals_areReadAndSet() {
    node.start(TestNode.inline("globals").withId("g"));
    assertJson(200, "{\"value\":-64}", get("/instances/g/globals/count_64"));
    assertJson(
        200,
        "{\"value\":7}",
        send(HttpMethod.PUT, "/instances/g/globals/count_64", "{\"value\":7}"));
    assertError(
        Failure.IMMUTABLE_GLOBAL,
        "Could not set global: immutable global cannot be set",
        send(HttpMethod.PUT, "/instances/g/globals/meaning_of_life", "{\"value\":7}"));
    assertError(
        Failure.NO_SUCH_GLOBAL, "exported global `x` not found", get("/instances/g/globals/x"));
  }

  @Test
  void memory_isBytes() {
    startCalc();
    byte[] bytes = {0, 1, (byte) 0xff, 65};
    assertJson(
        200, "{\"written\":4}", send(HttpMethod.PUT, "/instances/calc/memory?offset=9", bytes));
    HttpResponse<Buffer> read = get("/instances/calc/memory?offset=9&length=4");
    assertArrayEquals(bytes, read.body().getBytes());
    assertEquals("application/octet-stream", read.getHeader("content-type"));
    assertJson(
        200,
        "{\"memory\":\"memory\",\"pages\":17,\"bytes\":1114112}",
        get("/instances/calc/memory"));
    assertJson(
        200,
        "{\"previous\":17}",
        send(HttpMethod.POST, "/instances/calc/memory/grow", "{\"pages\":3}"));
    assertError(
        Failure.OUT_OF_BOUNDS,
        "out of bounds memory access",
        get("/instances/calc/memory?offset=1310720&length=1"));
    assertError(
        Failure.BAD_REQUEST, "`length` is missing", get("/instances/calc/memory?offset=1310720"));
    assertError(
        Failure.BAD_REQUEST,
        "`offset` must be a whole number, 0 or more. Given `-1`.",
        get("/instances/calc/memory?offset=-1&length=1"));
  }

  @Test
  void fuel_isNotConfigured() {
    startCalc();
    assertError(
        Failure.NO_FUEL,
        "Could not get fuel: fuel is not configured in this store",
        get("/instances/calc/fuel"));
    assertError(
        Failure.NO_FUEL,
        "Could not set fuel: fuel is not configured in this store",
        send(HttpMethod.PUT, "/instances/calc/fuel", "{\"fuel\":1}"));
  }

  @Test
  void nodes_areListed() {
    JsonObject only = get("/nodes").bodyAsJsonObject().getJsonArray("nodes").getJsonObject(0);
    assertEquals(node.host().node(), only.getString("node"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1]", "7", "\"x\"", "{", "{\"params\":", "nul", "\u0000"})
  void bodyThatIsNoObject_isRefused(String body) {
    startCalc();
    HttpResponse<Buffer> refused = send(HttpMethod.POST, "/instances/calc/call/sum", body);
    assertEquals(400, refused.statusCode());
    assertEquals(4000, refused.bodyAsJsonObject().getInteger("code"));
  }

  @Test
  void bodyNestedWithoutEnd_isRefused() {
    startCalc();
    String deep = "{\"params\":" + "[".repeat(20_000) + "]".repeat(20_000) + "}";
    assertEquals(400, send(HttpMethod.POST, "/instances/calc/call/sum", deep).statusCode());
    assertEquals(
        200, send(HttpMethod.POST, "/instances/calc/call/sum", "{\"params\":[1,2]}").statusCode());
  }

  @Test
  void bodyOverTheLimit_isTooLarge() {
    assertError(
        Failure.TOO_LARGE,
        "a module of 100001 bytes; this node takes at most 100000",
        send(HttpMethod.POST, "/modules", new byte[100_001]));
    assertError(
        Failure.TOO_LARGE,
        "a request body of 1000000 bytes; at most 165536",
        send(HttpMethod.POST, "/modules", new byte[1_000_000]));
  }

  @ParameterizedTest
  @CsvSource({
    "GET,/nothing,404",
    "PATCH,/nodes,405",
    "DELETE,/nodes,405",
    "GET,/instances/a/b/c,404",
    "GET,/instances/-bad,400",
    "GET,/modules/a:b:c,400",
  })
  void requestsThatLeadNowhere_getAnError(String method, String path, int status) {
    HttpResponse<Buffer> response = send(HttpMethod.valueOf(method), path, null);
    assertEquals(status, response.statusCode());
    assertEquals(4000, response.bodyAsJsonObject().getInteger("code"));
  }

  @Test
  void pagesOfOtherSites_areRefused() {
    for (Map<String, String> foreign :
        List.of(
            Map.of("Origin", "http://evil.example"),
            Map.of("Origin", "null"),
            Map.of("Origin", "http://127.0.0.1:1"),
            Map.of("Origin", "https://127.0.0.1:" + gateway.port()),
            Map.of("Origin", "http://127.0.0.1.evil.example"),
            Map.of("Host", "evil.example"))) {
      HttpResponse<Buffer> response = send(HttpMethod.GET, "/nodes", null, foreign);
      assertEquals(403, response.statusCode(), foreign::toString);
      assertEquals(4030, response.bodyAsJsonObject().getInteger("code"));
    }
    String own = "http://127.0.0.1:" + gateway.port();
    assertEquals(200, send(HttpMethod.GET, "/nodes", null, Map.of("Origin", own)).statusCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a@b", "[::1", "localhost:abc", "localhost:99999", ""})
  void hostsThatAreNone_areTheClientsMistake(String host) {
    int status = send(HttpMethod.GET, "/nodes", null, Map.of("Host", host)).statusCode();
    assertTrue(status == 400 || status == 403, "status " + status);
  }

  @Test
  void bodies_areTakenAsTheyAre_whateverTheirType() {
    startCalc();
    String form = "application/x-www-form-urlencoded";
    String body = "{\"params\":[1,2],\"x\":\"100% & more " + "&".repeat(10_000) + "\"}";
    for (String type : List.of(form, "multipart/form-data; boundary=x", "text/plain")) {
      assertEquals(
          "{\"results\":[3]}",
          send(HttpMethod.POST, "/instances/calc/call/sum", body, Map.of("Content-Type", type))
              .bodyAsString());
    }
  }

  @Test
  void drainingGateway_takesNothingNew() {
    gateway.drain();
    assertError(Failure.UNAVAILABLE, "the node is closing", get("/nodes"));
  }

  @Test
  void otherHosts_thanLoopback_areNotListenedOn() {
    for (String host : List.of("0.0.0.0", "::", "192.0.2.1")) {
      String said =
          Failing.with(
                  Failure.BAD_REQUEST,
                  () ->
                      HttpGateway.open(
                              node.vertx(),
                              HttpGateway.Options.dev(host, 0),
                              io.busbar.wire.Addresses.STANDARD,
                              1,
                              java.time.Duration.ofMinutes(1))
                          .await())
              .getMessage();
      assertTrue(said.contains("only loopback is allowed"), said);
    }
  }
}
