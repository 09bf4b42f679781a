package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that ask much and read nothing. */
@Timeout(60)
class UnreadTest {
  private static final int SMALL = 4 << 10; // of a receive buffer
  private static final TestGateway GATEWAY =
      TestGateway.of(
          HttpGateway.Options.dev("127.0.0.1", 0)
              .withBounds(TestGateway.patient(Duration.ofSeconds(2))));
  private static final String ID =
      GATEWAY.node.startText("(module (memory (export \"memory\") 64))").id();
  private static final String MEMORY =
      "/api/v1/instances/" + ID + "/memory?offset=0&length=" + (4 << 20);

  private final List<RawClient> clients = new ArrayList<>();

  @BeforeEach
  void awaitNobody() {
    GATEWAY.awaitNobody();
  }

  @AfterEach
  void closeClients() {
    clients.forEach(RawClient::close);
  }

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private RawClient client() {
    RawClient client = new RawClient(GATEWAY.gateway.port(), SMALL);
    clients.add(client);
    return client;
  }

  @Test
  void largeAnswer_isWhole_whereItIsRead() {
    var read =
        GATEWAY.send(
            HttpMethod.GET,
            MEMORY.substring("/api/v1".length()),
            null,
            Map.of("Connection", "close"));
    assertEquals(4 << 20, read.body().length());
    assertEquals("4194304", read.getHeader("content-length"));
  }

  @Test
  void largeAnswer_thatIsNotRead_endsTheConnection() {
    client().request("GET " + MEMORY).head();
    GATEWAY.awaitNobody();
  }

  @Test
  void manyRequests_whoseAnswersAreNotRead_areNotWorkedOff() {
    int before = operations();
    try {
      RawClient client = client();
      String path = "/api/v1/instances/" + ID + "/memory?offset=0&length=30000";
      for (int i = 0; i < 20_000; i++) {
        client.request("GET " + path);
      }
    } catch (UncheckedIOException e) {
      // it was closed before all was sent
    }
    GATEWAY.awaitNobody();
    int reads = operations() - before;
    assertTrue(reads > 0 && reads < 500, "so many were read: " + reads);
  }

  private static int operations() {
    JsonObject about = GATEWAY.node.client().instance(ID).describe().await();
    return about.getJsonObject("counters").getInteger("operations");
  }

  @Test
  void manyRefusals_thatAreNotRead_endTheConnection() {
    RawClient client = client();
    try {
      for (int i = 0; i < 100_000; i++) {
        client.request("GET /api/v1/nothing/" + "x".repeat(900));
      }
    } catch (UncheckedIOException e) {
      // it was closed before all was sent
    }
    GATEWAY.awaitNobody();
  }

  private void ask(int sockets) {
    JsonObject read =
        TestSocket.frame(
            ID, "read-memory", new JsonObject().put("offset", 0).put("length", 300_000));
    for (int i = 0; i < sockets; i++) {
      RawClient socket = client().upgrade("/api/v1/ws");
      for (int j = 0; j < 8; j++) {
        socket.text(read.encode());
      }
    }
  }

  @Test
  void answersOnSockets_thatAreNotRead_endThem() {
    ask(30);
    GATEWAY.awaitNobody();
  }

  @Test
  @Tag("slow")
  @Timeout(300)
  void answersOnAThousandSockets_thatAreNotRead_costLittle() {
    ask(1000);
    GATEWAY.awaitNobody();
  }

  @Test
  void events_thatAreNotRead_endSocketsStreamsAndBridges() {
    String events = "wasm.events";
    client()
        .upgrade("/api/v1/ws")
        .text("{\"action\":\"subscribe\",\"address\":\"" + events + "\"}")
        .frame();
    client().request("GET /api/v1/events").head();
    client()
        .upgrade("/eventbus/websocket")
        .text("{\"type\":\"register\",\"address\":\"" + events + "\"}")
        .text(
            "{\"type\":\"send\",\"address\":\"wasm.nodes\",\"replyAddress\":\"r\","
                + "\"headers\":{\"action\":\"list\"}}")
        .frame();
    JsonObject event = new JsonObject().put("event", "x").put("text", "y".repeat(50_000));
    for (int i = 0; i < 300; i++) {
      GATEWAY.node.vertx().eventBus().publish(events, event);
    }
    GATEWAY.awaitNobody();
  }

  @Test
  void answersOnTheBridge_thatAreNotRead_endIt() {
    RawClient socket = client().upgrade("/eventbus/websocket");
    JsonObject read =
        new JsonObject()
            .put("type", "send")
            .put("address", "wasm.instance." + ID)
            .put("replyAddress", "r")
            .put("headers", new JsonObject().put("action", "read-memory"))
            .put("body", new JsonObject().put("offset", 0).put("length", 300_000));
    for (int i = 0; i < 8; i++) {
      socket.text(read.encode());
    }
    GATEWAY.awaitNobody();
  }
}
