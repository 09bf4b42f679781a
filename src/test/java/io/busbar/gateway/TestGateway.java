package io.busbar.gateway;

import io.busbar.Config;
import io.busbar.TestNode;
import io.busbar.Until;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import io.vertx.ext.web.client.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A node with a gateway, and who asks it over HTTP and sockets. */
final class TestGateway implements AutoCloseable {
  /** The key by which the tokens of tests are signed. */
  static final JsonObject SECRET =
      new JsonObject()
          .put("kty", "oct")
          .put("alg", "HS256")
          .put("k", Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[32]));

  final TestNode node;
  final HttpGateway gateway;
  final TestClients clients;

  private TestGateway(TestNode node, HttpGateway.Options options) {
    this.node = node;
    this.gateway =
        HttpGateway.open(node.vertx(), options, node.host().bus(), 1 << 20, Duration.ofMinutes(1))
            .await();
    this.clients = TestClients.of(node.vertx(), gateway);
  }

  /** Whose door is open. */
  static TestGateway dev() {
    return of(HttpGateway.Options.dev("127.0.0.1", 0));
  }

  static TestGateway of(HttpGateway.Options options) {
    return of(Config.standard(), options);
  }

  /** Of a node with these settings. */
  static TestGateway of(Config config, HttpGateway.Options options) {
    return new TestGateway(TestNode.start(config), options.at("127.0.0.1", 0));
  }

  /** The standard ones, with less patience: what is closed late is closed after this time. */
  static HttpGateway.Bounds patient(Duration patience) {
    HttpGateway.Bounds standard = HttpGateway.Bounds.STANDARD;
    return new HttpGateway.Bounds(
        standard.connections(),
        standard.connectionsPerAddress(),
        standard.uploadBytes(),
        standard.messageBytes(),
        standard.messagesPerSecond(),
        standard.inFlight(),
        standard.unreadBytes(),
        patience);
  }

  /** Done when nobody is connected any more. */
  void awaitNobody() {
    Until.isTrue(() -> gateway.connections().open() == 0);
  }

  /** That believes tokens of {@link #SECRET}. */
  static HttpGateway.Options guarded() {
    Tokens.Options tokens =
        new Tokens.Options(
            List.of(SECRET), Optional.empty(), Optional.empty(), Optional.empty(), 0);
    return HttpGateway.Options.STANDARD
        .at("127.0.0.1", 0)
        .withCredentials(
            new Credentials.Options(List.of(), Optional.of(tokens), new Roles(Map.of())));
  }

  /** A token for this tenant with these permissions: {@code all}, or rules as JSON. */
  String token(String tenant, String permissions) {
    Object rules = permissions.startsWith("[") ? new JsonArray(permissions) : permissions;
    return token(
        new JsonObject().put("tenant", tenant).put("permissions", rules).put("sub", "test"), 600);
  }

  String token(JsonObject claims, int seconds) {
    return JWTAuth.create(node.vertx(), new JWTAuthOptions().addJwk(SECRET))
        .generateToken(claims, new JWTOptions().setAlgorithm("HS256").setExpiresInSeconds(seconds));
  }

  HttpResponse<Buffer> send(
      HttpMethod method, String path, Object body, Map<String, String> headers) {
    return clients.send(method, path, body, headers);
  }

  /** With a token. */
  HttpResponse<Buffer> send(HttpMethod method, String path, Object body, String token) {
    return send(method, path, body, Map.of("Authorization", "Bearer " + token));
  }

  /** A socket whose request has these headers. */
  TestSocket socket(Map<String, String> headers) {
    return clients.socket(headers);
  }

  /** A socket of the event-bus bridge whose request has these headers. */
  TestSocket bridge(Map<String, String> headers) {
    return clients.bridge(headers);
  }

  TestSocket socket() {
    return socket(Map.of());
  }

  /** A socket that has said who it is. */
  TestSocket socket(String token) {
    TestSocket socket = socket();
    JsonObject said =
        socket.ask(
            new JsonObject()
                .put("action", "authenticate")
                .put("body", new JsonObject().put("token", token)));
    if (!said.getString("status").equals("ok")) {
      throw new AssertionError(said.encode());
    }
    return socket;
  }

  @Override
  public void close() {
    gateway.close().await();
    node.close();
  }
}
