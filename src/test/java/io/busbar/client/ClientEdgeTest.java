package io.busbar.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.gateway.HttpGateway;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.wire.Addresses;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.WebClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClientEdgeTest {
  private final TestNode node = TestNode.start();

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void get_givesACopyOfTheModule() {
    node.client().put("(module)".getBytes(StandardCharsets.UTF_8), "m").await();
    byte[] first = node.client().get("m").await();
    byte[] kept = first.clone();
    first[0] = 99;
    assertArrayEquals(kept, node.client().get("m").await(), "the store's own array was handed out");
  }

  @Test
  void timeoutBelowAMillisecond_isNotForEver() {
    InstanceRef guest = node.start(TestNode.inline("loops").withLimit(Limit.DEADLINE, 20_000));
    long start = System.nanoTime();
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofNanos(500_000)).call("br").await());
    long millis = (System.nanoTime() - start) / 1_000_000;
    assertTrue(millis < 1000, "answered after " + millis + " ms");
    Failing.with(Failure.NO_SUCH_EXPORT, () -> guest.call("the next in its lane").await());
  }

  @Test
  void hugeTimeout_isTakenAsTheInstancesOwn() {
    InstanceRef guest = node.start("multi");
    for (Duration huge :
        List.of(Duration.ofMillis(Long.MAX_VALUE), Duration.ofSeconds(Long.MAX_VALUE))) {
      assertDoesNotThrow(() -> guest.withTimeout(huge).call("next"), huge.toString());
    }
  }

  @Test
  void negativeTimeout_failsTheFuture() {
    InstanceRef guest = node.start("multi");
    Future<?> call =
        assertDoesNotThrow(() -> guest.withTimeout(Duration.ofSeconds(-10)).call("next"));
    Failing.with(Failure.BAD_REQUEST, call::await);
  }

  @Test
  void hugeTimeoutOverHttp_isNoInternalError() {
    node.start(TestNode.inline("multi").withId("m"));
    HttpGateway http =
        HttpGateway.open(
                node.vertx(),
                HttpGateway.Options.dev("127.0.0.1", 0),
                Addresses.STANDARD,
                1000,
                java.time.Duration.ofMinutes(1))
            .await();
    var answer =
        WebClient.create(node.vertx())
            .post(
                http.port(),
                "127.0.0.1",
                "/api/v1/instances/m/call/next?timeout=9223372036854775807")
            .sendJsonObject(new JsonObject())
            .await();
    assertEquals(200, answer.statusCode(), answer.bodyAsString());
  }

  @Test
  void cancelledCalls_sayCancelledForWhatNeverRan() throws Exception {
    InstanceRef guest = node.start(TestNode.inline("loops").withId("l"));
    JsonObject loop = new JsonObject().put("function", "br").put("params", new JsonArray());
    JsonObject body = new JsonObject().put("calls", new JsonArray().add(loop).add(loop));
    var answer =
        node.vertx()
            .eventBus()
            .<JsonObject>request(
                "wasm.instance.l",
                body,
                new DeliveryOptions().addHeader("action", "calls").addHeader("id", "x"));
    io.busbar.Until.isTrue(() -> guest.describe().await().getBoolean("running"));
    assertTrue(guest.cancel("x").await());
    JsonArray answers = answer.await().body().getJsonArray("answers");
    for (Object each : answers) {
      assertEquals(
          4990, ((JsonObject) each).getJsonObject("error").getInteger("code"), answers.encode());
    }
  }
}
