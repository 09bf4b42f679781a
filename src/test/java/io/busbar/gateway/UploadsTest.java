package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Until;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Request bodies that are large, cut off, packed, or not what they say. */
@Timeout(60)
class UploadsTest {
  private static final int MOST = (1 << 20) + (64 << 10);
  private final TestGateway gateway = TestGateway.of(options());
  private final String token = gateway.token("t", "all");
  private final String bearer = "Authorization: Bearer " + token;
  private final List<RawClient> clients = new ArrayList<>();

  private static HttpGateway.Options options() {
    return TestGateway.guarded()
        .withBounds(
            new HttpGateway.Bounds(
                10_000, 10_000, 4 << 20, 1 << 20, 5_000, 256, 1 << 20, Duration.ofSeconds(10)));
  }

  @AfterEach
  void stop() {
    clients.forEach(RawClient::close);
    gateway.close();
  }

  private RawClient client() {
    RawClient client = new RawClient(gateway.gateway.port());
    clients.add(client);
    return client;
  }

  private RawClient upload(int bytes) {
    return upload(bytes, bearer);
  }

  private RawClient upload(int bytes, String bearer) {
    return client().request("POST /api/v1/modules?name=m", bearer, "Content-Length: " + bytes);
  }

  private String bearer(String tenant) {
    return "Authorization: Bearer " + gateway.token(tenant, "all");
  }

  private void awaitRoom() {
    Until.isTrue(() -> gateway.gateway.room().taken() == 0);
  }

  private int put() {
    return gateway
        .send(HttpMethod.POST, "/modules?name=good", "(module (func))", token)
        .statusCode();
  }

  @Test
  void uploadsThatAreCutOff_leaveNothing() {
    for (int i = 0; i < 200; i++) {
      upload(1_000_000).send(new byte[i == 0 ? 990_000 : 10_000]).close();
    }
    awaitRoom();
    assertEquals(201, put());
    String modules = gateway.send(HttpMethod.GET, "/modules", null, token).bodyAsString();
    assertTrue(modules.contains("good") && !modules.contains("\"m\""), modules);
  }

  @Test
  void moreAtOnceThanThereIsRoomFor_areOverloaded_untilTheOthersEnd() {
    for (int i = 0; i < 4; i++) {
      upload(1_000_000, bearer(i < 2 ? "other" : "another")).send("x");
    }
    Until.isTrue(() -> gateway.gateway.room().taken() == 4_000_000);
    assertEquals(429, upload(1_000_000).status());
    assertEquals(
        429,
        client().request("POST /api/v1/modules", bearer, "Transfer-Encoding: chunked").status());
    assertEquals(201, put(), "a small one has room");
    clients.forEach(RawClient::close);
    awaitRoom();
    assertEquals(400, upload(1_000_000).send(new byte[1_000_000]).status());
    awaitRoom();
  }

  @Test
  void oneTenant_hasHalfOfTheRoom_andLeavesTheOthersTheirs() {
    upload(1_000_000).send("x");
    upload(1_000_000).send("x");
    Until.isTrue(() -> gateway.gateway.room().taken() == 2_000_000);
    assertEquals(429, upload(1_000_000).status());
    assertEquals(
        400, upload(1_000_000, bearer("other")).send(new byte[1_000_000]).status(), "it is read");
    clients.forEach(RawClient::close);
    awaitRoom();
    assertEquals(400, upload(1_000_000).send(new byte[1_000_000]).status());
  }

  @Test
  void oneByteTooMuch_isTooLarge_saidOrNot() {
    assertEquals(413, upload(MOST + 1).status());
    RawClient chunked =
        client().request("POST /api/v1/modules", bearer, "Transfer-Encoding: chunked");
    try {
      for (int i = 0; i < 17; i++) {
        chunked.send("10000\r\n").send(new byte[1 << 16]).send("\r\n");
      }
      chunked.send("1\r\nx\r\n0\r\n\r\n");
    } catch (UncheckedIOException e) {
      // it was closed
    }
    assertEquals(413, chunked.status());
    awaitRoom();
    assertEquals(201, put());
  }

  @Test
  void packedBodies_areNotUnpacked() throws Exception {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 300; i++) {
        gzip.write(zeros);
      }
    }
    for (String encoding : List.of("gzip", "deflate", "br", "x-gzip", "identity, gzip")) {
      RawClient client =
          client()
              .request(
                  "POST /api/v1/modules",
                  bearer,
                  "Content-Encoding: " + encoding,
                  "Content-Length: " + packed.size());
      assertEquals(400, client.send(packed.toByteArray()).status(), encoding);
    }
    awaitRoom();
  }

  @Test
  void lengthsThatContradict_areRefused_orTheRoomIsForAll() {
    for (List<String> headers :
        List.of(
            List.of("Content-Length: -1"),
            List.of("Content-Length: 99999999999999999999"),
            List.of("Content-Length: 5", "Content-Length: 6"),
            List.of("Content-Length: x"),
            List.of("Transfer-Encoding: chunked", "Content-Length: 5"),
            List.of("Transfer-Encoding: gzip"),
            List.of("Transfer-Encoding: xchunked"))) {
      List<String> all = new ArrayList<>(headers);
      all.add(bearer);
      RawClient client =
          client().request("POST /api/v1/modules", all.toArray(String[]::new)).send("0\r\n\r\n");
      int status = client.status();
      assertTrue(status >= 400 && status < 500, headers + " " + status);
    }
    awaitRoom();
  }

  /** A socket that keeps a new instance busy for so long. */
  private TestSocket spinning(String id, int millis) {
    String wat = "(module (memory (export \"memory\") 32) (func (export \"spin\") (loop (br 0))))";
    JsonObject spec =
        new JsonObject().put("id", id).put("module", new JsonObject().put("wat", wat));
    assertEquals(201, gateway.send(HttpMethod.POST, "/instances", spec, token).statusCode());
    TestSocket socket = gateway.socket(token);
    socket.send(TestSocket.call(id, "spin").put("id", "spin").put("timeout", millis));
    return socket;
  }

  @Test
  void questionsOnSockets_takeRoomUntilTheyAreAnswered() {
    TestSocket socket = spinning("s", 3000);
    JsonObject write = new JsonObject().put("offset", 0).put("text", "x".repeat(900_000));
    for (int i = 0; i < 2; i++) {
      socket.send(TestSocket.frame("s", "write-memory", write).put("id", "w" + i));
    }
    JsonObject over =
        socket.ask(TestSocket.frame("s", "write-memory", write.put("text", "y".repeat(900_000))));
    assertEquals(4290, over.getJsonObject("error").getInteger("code"), over::encode);
    socket.socket.close();
    awaitRoom();
  }

  @Test
  void answersOnSockets_haveNoMoreRoomThanThereIs() {
    TestSocket socket = spinning("r", 2000);
    JsonObject read = new JsonObject().put("offset", 0).put("length", 30_000);
    for (int i = 0; i < 69; i++) {
      socket.send(TestSocket.frame("r", "read-memory", read).put("id", "r" + i));
    }
    JsonObject over = socket.ask(TestSocket.frame("r", "read-memory", read));
    assertEquals(4290, over.getJsonObject("error").getInteger("code"), over::encode);
    String memory = "/instances/r/memory?offset=0&length=30000";
    assertEquals(429, gateway.send(HttpMethod.GET, memory, null, token).statusCode());
    assertEquals("spin", socket.next().getString("id"));
    for (int i = 0; i < 69; i++) {
      assertTrue(socket.next().getString("id").startsWith("r"), "each is answered");
    }
    awaitRoom();
    assertEquals(200, gateway.send(HttpMethod.GET, memory, null, token).statusCode());
    awaitRoom();
  }

  @Test
  void unknownClients_takeNoRoom() {
    RawClient client = client().request("POST /api/v1/modules", "Content-Length: 1000000");
    assertEquals(401, client.status());
    assertEquals(0, gateway.gateway.room().taken());
  }
}
