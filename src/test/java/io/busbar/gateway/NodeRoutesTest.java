package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.busbar.model.Failure;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Draining and moving over HTTP: what the addresses of nodes and instances are asked. */
class NodeRoutesTest {
  private final Vertx vertx = Vertx.vertx();
  private final LinkedBlockingQueue<String> asked = new LinkedBlockingQueue<>();
  private Future<Body> answer = Future.succeededFuture(Body.of("done", true));
  private WebClient web;

  @BeforeEach
  void start() {
    SendPolicy policy = new SendPolicy(Addresses.STANDARD, List.of());
    Endpoint.open(vertx, "wasm.nodes", policy, ask -> noted("nodes", ask)).await();
    Endpoint.open(vertx, "wasm.instances", policy, ask -> noted("instances", ask)).await();
    HttpGateway gateway =
        HttpGateway.open(
                vertx,
                HttpGateway.Options.dev("127.0.0.1", 0),
                Addresses.STANDARD,
                1000,
                Duration.ofMinutes(1))
            .await();
    web =
        WebClient.create(
            vertx,
            new WebClientOptions().setDefaultHost("127.0.0.1").setDefaultPort(gateway.port()));
  }

  @AfterEach
  void stop() {
    vertx.close().await();
  }

  private Future<Body> noted(String address, Ask ask) {
    String body = ask.body().toJson().encode();
    asked.add(address + " " + ask.action() + " " + body + " " + ask.timeout().toMillis());
    return answer;
  }

  private HttpResponse<Buffer> post(String path, String body) {
    return web.request(HttpMethod.POST, "/api/v1" + path).sendBuffer(Buffer.buffer(body)).await();
  }

  @Test
  void drain_isAskedOfTheNodes() {
    HttpResponse<Buffer> drained = post("/nodes/n1/drain", "{\"fresh\":true}");
    assertEquals(200, drained.statusCode());
    assertEquals("{\"done\":true}", drained.bodyAsString());
    assertEquals("nodes drain {\"fresh\":true,\"node\":\"n1\"} 300000", asked.remove());
    post("/nodes/n1/drain?timeout=7000", "");
    assertEquals("nodes drain {\"node\":\"n1\"} 7000", asked.remove());
  }

  @Test
  void move_isAskedOfTheInstances() {
    assertEquals(200, post("/instances/i/move", "{\"node\":\"n2\",\"fresh\":true}").statusCode());
    assertEquals(
        "instances move {\"node\":\"n2\",\"fresh\":true,\"id\":\"i\"} 300000", asked.remove());
    post("/instances/i/move", "");
    assertEquals("instances move {\"id\":\"i\"} 300000", asked.remove());
  }

  @Test
  void pathNamesThem_whateverTheBodySays() {
    post("/nodes/n1/drain", "{\"node\":\"n2\"}");
    assertEquals("nodes drain {\"node\":\"n1\"} 300000", asked.remove());
    post("/instances/i/move", "{\"id\":\"j\",\"node\":\"n2\"}");
    assertEquals("instances move {\"id\":\"i\",\"node\":\"n2\"} 300000", asked.remove());
  }

  @Test
  void bodyThatIsNoObject_isRefusedUnasked() {
    for (String body : List.of("[]", "7", "fresh=true", "{", "null", "{\"fresh\":true}}")) {
      assertEquals(400, post("/nodes/n1/drain", body).statusCode());
      assertEquals(400, post("/instances/i/move", body).statusCode());
    }
    assertNull(asked.poll());
  }

  @Test
  void failure_isTheStructuredError() {
    answer = Future.failedFuture(Failure.CONFLICT.because("called: `a`, `b`"));
    HttpResponse<Buffer> refused = post("/nodes/n1/drain", "{}");
    assertEquals(409, refused.statusCode());
    JsonObject error = refused.bodyAsJsonObject();
    assertEquals("CONFLICT", error.getString("name"));
    assertEquals("called: `a`, `b`", error.getString("message"));
  }

  @Test
  void otherMethods_areNotAllowed() {
    for (HttpMethod method : List.of(HttpMethod.GET, HttpMethod.PUT, HttpMethod.DELETE)) {
      for (String path : List.of("/nodes/n1/drain", "/instances/i/move")) {
        assertEquals(405, web.request(method, "/api/v1" + path).send().await().statusCode());
      }
    }
    assertNull(asked.poll());
  }
}
