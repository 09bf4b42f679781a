package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.gateway.HttpGateway;
import io.busbar.model.Failure;
import io.busbar.wire.Addresses;
import io.vertx.core.Vertx;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClientOptions;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTP with a certificate, as the settings name it. */
class HttpTlsTest {
  @TempDir private static Path folder;
  private static final Vertx VERTX = Vertx.vertx();
  private static TestCa ca;
  private static JsonObject files; // of a certificate for localhost

  @BeforeAll
  static void makeCa() throws Exception {
    ca = TestCa.in(folder.resolve("ca"));
    JsonObject node = ca.node("web", "-ext", "san=dns:localhost,ip:127.0.0.1");
    files = new JsonObject().put("cert", node.getString("cert")).put("key", node.getString("key"));
  }

  @AfterAll
  static void stop() {
    VERTX.close().await();
  }

  private static HttpGateway.Options options(JsonObject http) {
    return Config.from(new JsonObject().put("http", http)).http();
  }

  private static HttpGateway open(HttpGateway.Options options) {
    return HttpGateway.open(VERTX, options, Addresses.STANDARD, 1 << 20, Duration.ofMinutes(1))
        .await();
  }

  @Test
  void clients_areServedOverTls_andNotWithoutIt() {
    JsonObject key =
        new JsonObject()
            .put("name", "ops")
            .put("sha256", io.busbar.gateway.Credentials.Key.digest("ops.secret"))
            .put("permissions", "all");
    JsonObject auth = new JsonObject().put("keys", new JsonArray().add(key));
    HttpGateway gateway =
        open(options(new JsonObject().put("port", 0).put("tls", files).put("auth", auth)));
    PemTrustOptions trust = new PemTrustOptions().addCertPath(ca.file("ca.crt").toString());
    WebClient web =
        WebClient.create(VERTX, new WebClientOptions().setSsl(true).setTrustOptions(trust));
    var answer = web.get(gateway.port(), "localhost", "/api/v1/instances").send().await();
    assertEquals(401, answer.statusCode());
    answer =
        web.get(gateway.port(), "localhost", "/api/v1/instances")
            .bearerTokenAuthentication("ops.secret")
            .send()
            .await();
    assertEquals(4040, answer.bodyAsJsonObject().getInteger("code"), "no node is on this bus");
    WebSocket socket =
        VERTX
            .createWebSocketClient(new WebSocketClientOptions().setSsl(true).setTrustOptions(trust))
            .connect(
                new WebSocketConnectOptions()
                    .setHost("localhost")
                    .setPort(gateway.port())
                    .setURI("/api/v1/ws")
                    .addHeader("Authorization", "Bearer ops.secret")
                    .addHeader("Origin", "https://localhost:" + gateway.port()))
            .await();
    socket.close().await();
    WebClient plain = WebClient.create(VERTX);
    assertThrows(
        Exception.class,
        () -> plain.get(gateway.port(), "localhost", "/api/v1/instances").send().await());
    gateway.close().await();
  }

  @Test
  void keyOfAnotherCertificate_isNamed() throws Exception {
    String other = ca.node("other").getString("key");
    JsonObject mixed = files.copy().put("key", other);
    Failing.with(
        Failure.BAD_REQUEST,
        "`http.tls.key` `" + other + "`: it is not the key of `" + files.getString("cert") + "`",
        () -> options(new JsonObject().put("tls", mixed)));
  }

  @Test
  void otherAddresses_needTlsOrAnOwnWord() {
    String said =
        Failing.with(
                Failure.BAD_REQUEST, () -> open(options(new JsonObject().put("host", "0.0.0.0"))))
            .getMessage();
    assertTrue(said.startsWith("cannot listen on `0.0.0.0`: without `http.tls`"), said);
  }
}
