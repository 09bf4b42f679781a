package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node looks at before it becomes one of several. */
class TlsTest {
  @TempDir static Path folder;
  private static TestCa ca;
  private static JsonObject good;

  @BeforeAll
  static void make() throws Exception {
    ca = TestCa.in(folder.resolve("ours"));
    good = ca.node("good");
  }

  private static Config.Clustering on(String host, JsonObject tls) {
    JsonObject cluster = new JsonObject().put("enabled", true).put("host", host);
    if (tls != null) {
      cluster.put("tls", tls);
    }
    return Config.from(new JsonObject().put("cluster", cluster)).cluster();
  }

  private static void assertRefused(String key, Path file, String why) {
    JsonObject tls = good.copy().put(key, file.toString());
    Failing.with(
        Failure.BAD_REQUEST,
        "`cluster.tls." + key + "` `" + file + "`: " + why,
        () -> WasmHost.checkCluster(on("127.0.0.1", tls)));
  }

  @Test
  void otherAddresses_needTls() throws Exception {
    InetAddress host = WasmHost.checkCluster(on("192.0.2.1", good));
    assertEquals("192.0.2.1", host.getHostAddress());
    Failing.with(Failure.BAD_REQUEST, () -> WasmHost.checkCluster(on("192.0.2.1", null)));
    Failing.with(Failure.BAD_REQUEST, () -> WasmHost.checkCluster(on("0.0.0.0", good)));
    Failing.with(Failure.BAD_REQUEST, () -> WasmHost.checkCluster(on("::", good)));
    WasmHost.checkCluster(on("127.0.0.1", good));
    WasmHost.checkCluster(on("127.0.0.1", null));
  }

  @Test
  void hazelcast_isWarnedOf_whereOthersMayReachIt() throws Exception {
    assertEquals(Optional.empty(), WasmHost.exposed(InetAddress.getByName("127.0.0.1")));
    assertEquals(
        "Hazelcast at 192.0.2.1 has neither TLS nor passwords: who reaches its port is as good as a"
            + " node, so let only nodes reach it",
        WasmHost.exposed(InetAddress.getByName("192.0.2.1")).orElseThrow());
  }

  @Test
  void files_areLookedAt() throws Exception {
    Path none = folder.resolve("none.pem");
    for (String key : new String[] {"cert", "key", "ca"}) {
      assertRefused(key, none, "no such file");
    }
    assertRefused("cert", folder, "it cannot be read");
    Path text = Files.writeString(folder.resolve("text"), "no PEM");
    Path empty = Files.writeString(folder.resolve("empty"), "");
    for (Path file : new Path[] {text, empty, ca.file("good.key")}) {
      assertRefused("cert", file, "it has no certificate in PEM");
      assertRefused("ca", file, "it has no certificate in PEM");
    }
    for (Path file : new Path[] {text, empty, ca.file("good.crt")}) {
      assertRefused("key", file, "it has no private key in PEM: PKCS #8, without a password");
    }
    Path zeros =
        Files.writeString(
            folder.resolve("zeros"),
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----");
    assertRefused("key", zeros, "its private key is neither EC nor RSA");
  }

  @Test
  void keyOfAnotherCertificate_isRefused() throws Exception {
    WasmHost.checkCluster(on("192.0.2.1", ca.node("rsa", "-keyalg", "RSA", "-keysize", "2048")));
    String why = "it is not the key of `" + ca.file("good.crt") + "`";
    assertRefused("key", ca.file("ca.key"), why);
    assertRefused("key", ca.file("rsa.key"), why);
  }

  @Test
  void certificateOthersWouldRefuse_isRefused() throws Exception {
    TestCa theirs = TestCa.in(folder.resolve("theirs"));
    JsonObject foreign = theirs.node("foreign").put("ca", good.getString("ca"));
    JsonObject late = ca.node("late", "-startdate", "-9d", "-validity", "2");
    JsonObject server = ca.node("server", "-ext", "eku=serverAuth");
    for (JsonObject tls : new JsonObject[] {foreign, late, server}) {
      WasmException refused =
          Failing.with(Failure.BAD_REQUEST, () -> WasmHost.checkCluster(on("127.0.0.1", tls)));
      String start =
          String.format(
              "`cluster.tls.cert` `%s`: who trusts `%s` refuses it: ",
              tls.getString("cert"), tls.getString("ca"));
      assertTrue(refused.getMessage().startsWith(start), refused::getMessage);
    }
  }

  @Test
  void mistakes_areRefused_beforeAnythingStarts() {
    JsonObject tls = good.copy().put("key", "none.pem");
    JsonObject cluster = new JsonObject().put("enabled", true).put("tls", tls);
    Config config = Config.from(new JsonObject().put("cluster", cluster));
    Failing.with(
        Failure.BAD_REQUEST,
        "`cluster.tls.key` `none.pem`: no such file",
        () -> WasmHost.clustered(config).await());
  }

  @Test
  void settings_areRead() {
    JsonObject cluster =
        new JsonObject()
            .put("size", 3)
            .put("suspectMillis", 250)
            .put("kubernetes", new JsonObject().put("serviceDns", "busbar.default.svc"))
            .put("tls", good);
    Config.Clustering read = Config.from(new JsonObject().put("cluster", cluster)).cluster();
    assertEquals(3, read.members().size());
    assertEquals(250, read.members().patience().suspect().toMillis());
    assertEquals(Optional.of("busbar.default.svc"), read.members().serviceDns());
    assertEquals(Path.of(good.getString("ca")), read.tls().orElseThrow().ca());
    assertEquals(0, Config.standard().cluster().members().size());
    assertEquals(750, Config.standard().cluster().members().patience().suspect().toMillis());
  }

  @Test
  void settings_areChecked() {
    assertRefused("`size` must be 0 to 1000, not 1001", "size", 1001);
    assertRefused("`size` must be a whole number, 0 or more. Given `-1`.", "size", -1);
    assertRefused("`suspectMillis` must be 250 to 60000, not 249", "suspectMillis", 249);
    assertRefused("`suspectMillis` must be 250 to 60000, not 60001", "suspectMillis", 60_001);
    assertRefused("unknown setting `cluster.tsl`", "tsl", good);
    assertRefused("unknown setting `cluster.tls.cret`", "tls", good.copy().put("cret", "x"));
    for (String key : new String[] {"cert", "key", "ca"}) {
      JsonObject part = good.copy();
      part.remove(key);
      assertRefused(
          "`cluster.tls." + key + "` is missing: `cert`, `key` and `ca` go together", "tls", part);
    }
    assertRefused(
        "`cluster.tls.cert` is missing: `cert`, `key` and `ca` go together",
        "tls",
        new JsonObject());
    assertRefused("`tls` must be an object. Given `String`.", "tls", "on");
    assertRefused("`serviceDns` is missing", "kubernetes", new JsonObject());
    assertRefused(
        "unknown setting `cluster.kubernetes.namespace`",
        "kubernetes",
        new JsonObject().put("namespace", "x"));
    assertRefused(
        "`cluster.kubernetes.serviceDns` is no name in the DNS: `a b`",
        "kubernetes",
        new JsonObject().put("serviceDns", "a b"));
  }

  @Test
  void members_areLookedForInOneWay() {
    JsonObject cluster =
        new JsonObject()
            .put("join", new JsonArray().add("10.0.0.1:5701"))
            .put("kubernetes", new JsonObject().put("serviceDns", "busbar"));
    Failing.with(
        Failure.BAD_REQUEST,
        "`join` [10.0.0.1:5701] and `kubernetes.serviceDns` `busbar`: only one of them can say where"
            + " members are",
        () -> Config.from(new JsonObject().put("cluster", cluster)));
  }

  private static void assertRefused(String text, String key, Object value) {
    JsonObject cluster = new JsonObject().put(key, value);
    Failing.with(
        Failure.BAD_REQUEST, text, () -> Config.from(new JsonObject().put("cluster", cluster)));
  }
}
