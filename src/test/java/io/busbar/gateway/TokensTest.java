package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.model.Failure;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import io.vertx.ext.web.client.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in with what. */
@Timeout(60)
class TokensTest {
  private static final Vertx VERTX = Vertx.vertx();
  private static final String KEY = "device.0123456789abcdef";

  @AfterAll
  static void stop() {
    VERTX.close().await();
  }

  private static JsonObject claims() {
    return new JsonObject().put("tenant", "t").put("permissions", "all");
  }

  private static String part(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String signed(JsonObject key, String algorithm, JsonObject claims) {
    return JWTAuth.create(VERTX, new JWTAuthOptions().addJwk(key))
        .generateToken(claims, new JWTOptions().setAlgorithm(algorithm));
  }

  private static JsonObject secret(int bytes, int fill) {
    byte[] secret = new byte[bytes];
    java.util.Arrays.fill(secret, (byte) fill);
    return new JsonObject()
        .put("kty", "oct")
        .put("alg", "HS256")
        .put("k", Base64.getUrlEncoder().withoutPadding().encodeToString(secret));
  }

  private static long in(int seconds) {
    return System.currentTimeMillis() / 1000 + seconds;
  }

  private static JsonObject rsa(KeyPair pair) {
    RSAPublicKey key = (RSAPublicKey) pair.getPublic();
    var encoder = Base64.getUrlEncoder().withoutPadding();
    return new JsonObject()
        .put("kty", "RSA")
        .put("alg", "RS256")
        .put("n", encoder.encodeToString(key.getModulus().toByteArray()))
        .put("e", encoder.encodeToString(key.getPublicExponent().toByteArray()));
  }

  /** Each with what is wrong with it. */
  private static Map<String, String> bad(KeyPair pair) throws Exception {
    JsonObject good = claims().put("exp", in(600));
    String body = part(good.encode());
    String token = signed(TestGateway.SECRET, "HS256", good);
    String publicKey = Base64.getEncoder().encodeToString(pair.getPublic().getEncoded());
    JsonObject asSecret =
        new JsonObject().put("kty", "oct").put("alg", "HS256").put("k", publicKey);
    Map<String, String> bad = new java.util.LinkedHashMap<>();
    bad.put("garbage", "xyzzy-garbage");
    bad.put("three of it", "xyzzy.garbage.plugh");
    bad.put("dots", "..");
    bad.put("alg none", part("{\"alg\":\"none\",\"typ\":\"JWT\"}") + "." + body + ".");
    bad.put("alg None", part("{\"alg\":\"None\"}") + "." + body + ".x");
    bad.put("no alg", part("{\"typ\":\"JWT\"}") + "." + body + ".");
    bad.put("two parts", part("{\"alg\":\"none\"}") + "." + body);
    bad.put("no signature", token.substring(0, token.lastIndexOf('.') + 1));
    bad.put("four parts", token + ".x");
    bad.put("changed", token.replace("." + token.split("\\.")[1] + ".", "." + body + "x."));
    bad.put("wrong key", signed(secret(32, 9), "HS256", good));
    bad.put("public key as secret", signed(asSecret, "HS256", good));
    bad.put("expired", signed(TestGateway.SECRET, "HS256", claims().put("exp", in(-1))));
    bad.put("not yet", signed(TestGateway.SECRET, "HS256", good.copy().put("nbf", in(60))));
    bad.put("without end", signed(TestGateway.SECRET, "HS256", claims()));
    for (Object end : List.of("soon", true, new JsonArray(), 1e300)) {
      bad.put("end " + end, signed(TestGateway.SECRET, "HS256", claims().put("exp", end)));
    }
    for (Object tenant : List.of("", "../x", "a/b", "t\n", 5, "x".repeat(129))) {
      JsonObject other = good.copy().put("tenant", tenant);
      bad.put("tenant " + tenant, signed(TestGateway.SECRET, "HS256", other));
    }
    JsonObject nobody = good.copy();
    nobody.remove("tenant");
    bad.put("no tenant", signed(TestGateway.SECRET, "HS256", nobody));
    for (String permissions :
        List.of(
            "\"everything\"",
            "5",
            "[5]",
            "[{}]",
            "[{\"instances\":\"*\",\"operations\":[\"*\"]}]",
            "[{\"instances\":[\"*\"]}]",
            "[{\"instances\":[\"\"],\"operations\":[\"*\"]}]",
            "[{\"instances\":[\"*\"],\"modules\":[\"*\"],\"operations\":[\"*\"]}]",
            "[{\"instances\":[\"*\"],\"operations\":[\"*\"],\"shared\":\"yes\"}]",
            "[{\"instances\":[\"*\"],\"operations\":[\"*\"],\"admin\":true}]",
            "[" + "{\"events\":[\"*\"]},".repeat(100) + "{\"events\":[\"*\"]}]")) {
      JsonObject other =
          good.copy().put("permissions", io.vertx.core.json.Json.decodeValue(permissions));
      bad.put("permissions " + permissions, signed(TestGateway.SECRET, "HS256", other));
    }
    JsonObject large = good.copy().put("x", "y".repeat(17 << 10));
    bad.put("large", signed(TestGateway.SECRET, "HS256", large));
    bad.put("key", KEY + "x");
    bad.put("key's name", "device.");
    bad.put("other key", "other." + KEY);
    return bad;
  }

  private static final class Memory extends Handler {
    final Queue<String> lines = new ConcurrentLinkedQueue<>();

    @Override
    public void publish(LogRecord line) {
      StringBuilder text = new StringBuilder(String.valueOf(line.getMessage()));
      for (Object param : line.getParameters() == null ? new Object[0] : line.getParameters()) {
        text.append(' ').append(param);
      }
      for (Throwable t = line.getThrown(); t != null; t = t.getCause()) {
        text.append(' ').append(t);
      }
      lines.add(text.toString());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void badCredentials_areRefusedAlike_andNeverSaidOrLogged() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    KeyPair pair = generator.generateKeyPair();
    Tokens.Options tokens =
        new Tokens.Options(
            List.of(TestGateway.SECRET, rsa(pair)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            0);
    Credentials.Key key =
        new Credentials.Key(
            "device", Credentials.Key.digest(KEY), Optional.of("t"), Permissions.ALL);
    Memory log = new Memory();
    Logger root = Logger.getLogger("io.busbar");
    Logger all = Logger.getLogger("io.vertx");
    try (TestGateway gateway =
        TestGateway.of(
            HttpGateway.Options.STANDARD.withCredentials(
                new Credentials.Options(List.of(key), Optional.of(tokens), new Roles(Map.of()))))) {
      for (Logger logger : List.of(root, all)) {
        logger.setLevel(Level.ALL);
        logger.addHandler(log);
        logger.setUseParentHandlers(false);
      }
      assertEquals(200, gateway.send(HttpMethod.GET, "/nodes", null, KEY).statusCode());
      List<String> used = new ArrayList<>();
      for (var bad : bad(pair).entrySet()) {
        HttpResponse<Buffer> answer = gateway.send(HttpMethod.GET, "/nodes", null, bad.getValue());
        assertEquals(401, answer.statusCode(), bad.getKey());
        assertEquals(
            "{\"code\":4010,\"name\":\"UNAUTHENTICATED\",\"message\":\"the token or key is not"
                + " valid\"}",
            answer.bodyAsString(),
            bad.getKey());
        TestSocket socket = gateway.socket();
        JsonObject said =
            socket.ask(
                new JsonObject()
                    .put("action", "authenticate")
                    .put("body", new JsonObject().put("token", bad.getValue())));
        assertEquals(4010, said.getJsonObject("error").getInteger("code"), bad.getKey());
        assertEquals(1008, socket.closed());
        used.add(bad.getValue());
      }
      for (String header : List.of("Basic abc", "Bearer", KEY, "bearer" + KEY)) {
        assertEquals(
            401,
            gateway
                .send(HttpMethod.GET, "/nodes", null, Map.of("Authorization", header))
                .statusCode());
      }
      String logged = String.join("\n", log.lines);
      for (String credential : used) {
        for (String piece : credential.split("\\.")) {
          assertFalse(piece.length() > 4 && logged.contains(piece), piece);
        }
      }
      assertFalse(logged.contains("xyzzy") || logged.contains("plugh"), "garbage was logged");
    } finally {
      for (Logger logger : List.of(root, all)) {
        logger.removeHandler(log);
        logger.setLevel(null);
        logger.setUseParentHandlers(true);
      }
    }
  }

  @Test
  void longTokens_areTaken_alsoOverHttp() {
    try (TestGateway gateway = TestGateway.of(TestGateway.guarded())) {
      JsonObject large = claims().put("exp", in(600)).put("x", "y".repeat(11_500));
      String token = signed(TestGateway.SECRET, "HS256", large);
      assertTrue(token.length() > 15 << 10 && token.length() <= Credentials.LONGEST);
      assertEquals(200, gateway.send(HttpMethod.GET, "/nodes", null, token).statusCode());
      gateway.socket(token).socket.close();
    }
  }

  @Test
  void socket_isClosedWhenItsTokenEnds() {
    try (TestGateway gateway = TestGateway.of(TestGateway.guarded())) {
      String token = gateway.token(claims(), 5);
      TestSocket socket = gateway.socket(token);
      TestSocket bridge = gateway.bridge(Map.of("Authorization", "Bearer " + token));
      assertEquals(1008, socket.closed());
      assertEquals(1008, bridge.closed());
      gateway.awaitNobody();
    }
  }

  private static Tokens.Options file(Path file) {
    return new Tokens.Options(List.of(), Optional.of(file), Optional.empty(), Optional.empty(), 0);
  }

  private static Tokens open(Path file) {
    return Tokens.open(VERTX, file(file), new Roles(Map.of())).await();
  }

  private static String set(JsonObject... keys) {
    return new JsonObject().put("keys", new JsonArray(List.of(keys))).encode();
  }

  @Test
  void keyFiles_ofNoUse_areRefused(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("keys.json");
    Failing.with(Failure.BAD_REQUEST, () -> open(file));
    for (String text :
        List.of(
            "",
            "x",
            "[]",
            "null",
            "{}",
            "{\"keys\":[]}",
            "{\"keys\":5}",
            "{\"keys\":[5]}",
            "{\"keys\":[{}]}",
            "{\"keys\":[{\"kty\":5}]}",
            "{\"keys\":[{\"kty\":\"oct\",\"k\":5}]}",
            "{\"keys\":[{\"kty\":\"oct\",\"kid\":5,\"k\":\"AAAA\"}]}",
            set(secret(31, 1)))) {
      Files.writeString(file, text);
      Failing.with(Failure.BAD_REQUEST, () -> open(file));
    }
  }

  /**
   * Keys to encrypt with check no signature: with only those, unsigned tokens would be believed.
   */
  @Test
  void keysThatSignNothing_areNoKeys(@TempDir Path dir) throws Exception {
    JsonObject key = TestGateway.SECRET.copy().put("use", "enc");
    Path file =
        Files.writeString(
            dir.resolve("enc.json"),
            new JsonObject().put("keys", new JsonArray().add(key)).encode());
    Failing.with(Failure.BAD_REQUEST, "there is no key to check tokens with", () -> open(file));
  }

  @Test
  void keyFile_thatHasChanged_isTaken_unlessItIsOfNoUse(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("keys.json");
    Files.writeString(file, set(secret(32, 1)));
    Tokens tokens = open(file);
    String old = signed(secret(32, 1), "HS256", claims().put("exp", in(600)));
    String young = signed(secret(32, 2), "HS256", claims().put("exp", in(600)));
    Memory log = new Memory();
    Logger logger = Logger.getLogger(Tokens.class.getName());
    logger.addHandler(log);
    logger.setUseParentHandlers(false);
    try {
      for (String text : List.of("", "{", "{\"keys\":[]}", set(secret(3, 1)), "null")) {
        Files.writeString(file, text);
        tokens.readAgain().transform(done -> io.vertx.core.Future.succeededFuture()).await();
        assertEquals("t", tokens.check(old).await().tenant().orElseThrow(), text);
      }
      Files.delete(file);
      tokens.readAgain().transform(done -> io.vertx.core.Future.succeededFuture()).await();
      assertEquals("t", tokens.check(old).await().tenant().orElseThrow());
      assertEquals(6, log.lines.size(), log.lines::toString);
      Files.writeString(file, set(secret(32, 2)));
      tokens.readAgain().await();
      assertEquals("t", tokens.check(young).await().tenant().orElseThrow());
      assertTrue(
          tokens
              .check(old)
              .transform(d -> io.vertx.core.Future.succeededFuture(d.failed()))
              .await());
    } finally {
      logger.removeHandler(log);
      logger.setUseParentHandlers(true);
      tokens.close();
    }
  }
}
