package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.gateway.HttpGateway;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code nodes}, {@code ps}, {@code drain} and {@code move}, asked of real gateways. */
class NodeCommandsTest {
  private static final HttpGateway.Options ANYWHERE = HttpGateway.Options.dev("127.0.0.1", 0);

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final LinkedBlockingQueue<JsonObject> asked = new LinkedBlockingQueue<>();
  private Vertx vertx; // of a stand-in; null where there is none

  @AfterEach
  void close() {
    if (vertx != null) {
      vertx.close().await();
    }
  }

  private int run(String... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.line(new PrintWriter(out, true), new PrintWriter(err, true)).execute(args);
  }

  private static String api(HttpGateway http) {
    return "--api=http://127.0.0.1:" + http.port();
  }

  private List<String> lines() {
    return out.toString().lines().toList();
  }

  private void assertFails(int code, String said, String... args) {
    assertEquals(code, run(args), err::toString);
    assertEquals("busbar: " + said + "\n", err.toString());
    assertEquals("", out.toString());
  }

  @Test
  void nodes_ofACluster_areATable() {
    try (TestCluster cluster = TestCluster.of(2)) {
      assertEquals(0, run("nodes", api(cluster.http(0))), err::toString);
      String limit = Runtime.getRuntime().maxMemory() * 6 / 10 / (1 << 20) + " MiB";
      List<List<String>> words = lines().stream().map(l -> List.of(l.split(" {2,}"))).toList();
      assertEquals(
          List.of(
              List.of("NODE", "STATE", "INSTANCES", "MEMORY", "LABELS"),
              List.of("n0", "open", "0", "0 of " + limit, "odd=no,zone=z0"),
              List.of("n1", "open", "0", "0 of " + limit, "odd=yes,zone=z1")),
          words);
    }
  }

  @Test
  void ps_ofACluster_isSortedById() {
    try (TestCluster cluster = TestCluster.of(2)) {
      for (String id : List.of("b", "a-long-id", "c")) {
        Home there = Home.ANYWHERE.withLabel("node", "n1");
        cluster
            .client(0)
            .start(TestNode.inline("wasm_test").withId(id).withHome(there).withAddress(false))
            .await();
      }
      assertEquals(0, run("ps", api(cluster.http(0)) + "/api/v1/"), err::toString);
      String module = cluster.client(0).instances().await().get(0).getString("module");
      assertEquals(
          List.of(
              "INSTANCE   NODE  STATE  MODULE",
              "a-long-id  n1    live   " + module,
              "b          n1    live   " + module,
              "c          n1    live   " + module),
          lines());
    }
  }

  @Test
  void json_isTheAnswerAsItCame() {
    try (TestNode node = TestNode.start()) {
      node.start(TestNode.inline("wasm_test").withId("i"));
      HttpGateway http = http(node.vertx());
      assertEquals(0, run("ps", "--json", api(http)));
      JsonObject answer = new JsonObject(out.toString());
      assertEquals(answer.encode() + "\n", out.toString());
      assertEquals("i", answer.getJsonArray("instances").getJsonObject(0).getString("id"));
      assertEquals(0, run("nodes", api(http)));
      assertTrue(lines().get(1).contains("  open   1          "), out::toString);
      assertTrue(lines().get(1).endsWith("  -"), "a node that is alone has no labels");
    }
  }

  @Test
  void nodeThatCannotDrainOrMove_isHeard() {
    try (TestNode node = TestNode.start()) {
      HttpGateway http = http(node.vertx());
      assertFails(3, "unknown action `drain`", "drain", api(http), "n1");
      assertFails(3, "unknown action `move`", "move", api(http), "i", "n1");
    }
  }

  private static HttpGateway http(Vertx vertx) {
    return HttpGateway.open(vertx, ANYWHERE, Addresses.STANDARD, 1 << 20, Duration.ofMinutes(1))
        .await();
  }

  @Test
  void key_isMadeAndLetsIn(@TempDir Path folder) throws IOException {
    assertEquals(0, run("key", "ops"));
    String key = lines().get(0);
    JsonObject known = new JsonObject(lines().get(1));
    assertEquals("all", known.remove("permissions"));
    JsonObject config =
        new JsonObject()
            .put(
                "http",
                new JsonObject()
                    .put(
                        "auth",
                        new JsonObject()
                            .put("keys", new JsonArray().add(known.put("permissions", "all")))));
    try (TestNode node = TestNode.start()) {
      HttpGateway http =
          HttpGateway.open(
                  node.vertx(),
                  Config.from(config).http().at("127.0.0.1", 0),
                  Addresses.STANDARD,
                  1 << 20,
                  Duration.ofMinutes(1))
              .await();
      assertFails(3, "a token or key is missing: `Authorization: Bearer …`", "ps", api(http));
      Path file = Files.writeString(folder.resolve("key"), key + "\n");
      assertEquals(0, run("ps", api(http), "--token-file", file.toString()), err::toString);
      Files.writeString(file, key + "x");
      assertFails(
          3, "the token or key is not valid", "ps", api(http), "--token-file", file.toString());
    }
    assertFails(2, "bad key name `a.b`: it must have no dot (see busbar key --help)", "key", "a.b");
    assertEquals(0, run("key", "device", "--tenant", "acme", "--role=caller"));
    JsonObject device = new JsonObject(lines().get(1));
    assertEquals("acme", device.getString("tenant"));
    assertEquals(new JsonArray().add("caller"), device.getJsonArray("roles"));
  }

  /** HTTP in front of the two addresses, at which these actions answer. */
  private HttpGateway standIn(Endpoint.Actions actions) {
    vertx = Vertx.vertx();
    SendPolicy policy = new SendPolicy(Addresses.STANDARD, List.of());
    Endpoint.Actions noting = ask -> noted(ask, actions);
    Endpoint.open(vertx, Addresses.STANDARD.nodes(), policy, noting).await();
    Endpoint.open(vertx, Addresses.STANDARD.instances(), policy, noting).await();
    return http(vertx);
  }

  private Future<Body> noted(Ask ask, Endpoint.Actions actions) {
    JsonObject seen = ask.body().toJson().copy();
    asked.add(seen.put("action", ask.action()).put("timeout", ask.timeout().toMillis()));
    return actions.handle(ask);
  }

  private static Body drained() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("node", "n1");
    fields.put("moved", List.of("a", "b"));
    fields.put("fresh", List.of("b"));
    return Body.of(fields);
  }

  private static Body moved(boolean fresh) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", "i");
    fields.put("node", "n2");
    fields.put("epoch", 2L);
    fields.put("fresh", fresh);
    return Body.of(fields);
  }

  @Test
  void drain_asksTheNodes() {
    HttpGateway http = standIn(ask -> Future.succeededFuture(drained()));
    assertEquals(0, run("drain", "n1", "--fresh", api(http)), err::toString);
    assertEquals("n1 is drained: 2 instances moved, 1 of them fresh\n", out.toString());
    assertEquals(
        new JsonObject()
            .put("action", "drain")
            .put("node", "n1")
            .put("fresh", true)
            .put("timeout", 120_000L),
        asked.remove());
    assertEquals(0, run("drain", "--json", "--timeout=7000", api(http), "n1"));
    assertEquals("{\"node\":\"n1\",\"moved\":[\"a\",\"b\"],\"fresh\":[\"b\"]}\n", out.toString());
    assertEquals(false, asked.element().getBoolean("fresh"));
    assertEquals(7000, asked.remove().getLong("timeout"));
  }

  @Test
  void move_asksTheInstances() {
    HttpGateway http = standIn(ask -> Future.succeededFuture(moved(true)));
    assertEquals(0, run("move", "i", "n2", "--fresh", api(http)), err::toString);
    assertEquals("i is on n2, epoch 2, fresh\n", out.toString());
    assertEquals(
        new JsonObject()
            .put("action", "move")
            .put("id", "i")
            .put("node", "n2")
            .put("fresh", true)
            .put("timeout", 120_000L),
        asked.remove());
  }

  @Test
  void refusal_isShownWithItsCode() {
    String why = "volatile: `" + "a".repeat(120) + "`, `b`\u001b[2J";
    HttpGateway http = standIn(ask -> Future.failedFuture(Failure.CONFLICT.because("%s", why)));
    assertFails(3, why.replace('\u001b', '?'), "drain", "n1", api(http));
    assertFails(3, why.replace('\u001b', '?'), "move", "i", "n1", api(http), "--json");
  }

  @Test
  void timeIsOver_endsWithSix() {
    HttpGateway http =
        standIn(ask -> Future.failedFuture(Failure.DEADLINE.because("deadline exceeded")));
    assertFails(6, "deadline exceeded", "drain", "n1", api(http), "--timeout=1000");
    HttpGateway lost = standIn(ask -> Future.failedFuture(Failure.NODE_LOST.because("lost")));
    assertFails(1, "lost", "drain", "n1", api(lost));
  }

  @Test
  void names_areCheckedBeforeAnybodyIsAsked() {
    HttpGateway http = standIn(ask -> Future.succeededFuture(drained()));
    for (String name : List.of("", "..", "a/b", "a?b", "a b", "é", "a%2fb", "\u001b[2J")) {
      assertEquals(3, run("drain", api(http), "--", name));
      assertTrue(err.toString().startsWith("busbar: bad node `"), err::toString);
      assertEquals(3, run("move", api(http), "--", name, "n1"));
      assertTrue(err.toString().startsWith("busbar: bad instance id `"), err::toString);
      assertEquals(3, run("move", api(http), "--", "i", name));
      assertEquals(1, err.toString().lines().count());
      assertTrue(err.toString().chars().noneMatch(c -> c == 0x1b));
    }
    assertTrue(asked.isEmpty());
  }

  @Test
  void missingNames_areMisuse() {
    assertEquals(2, run("drain"));
    assertEquals(2, run("move", "i"));
    assertEquals(2, run("ps", "i"));
  }

  /** The environment is a process's own. */
  @Test
  void busbarApi_namesTheNode() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    ProcessBuilder command = new ProcessBuilder(java, "-cp", classes, "io.busbar.Main", "ps");
    try (TestNode node = TestNode.start()) {
      command.environment().put("BUSBAR_API", "http://127.0.0.1:" + http(node.vertx()).port());
      Process process = command.start();
      String printed = new String(process.getInputStream().readAllBytes());
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
      assertEquals("INSTANCE  NODE  STATE  MODULE\n", printed);
      assertEquals(0, process.exitValue());
    }
  }

  @Test
  void help_isThereForEach() {
    for (String command : Stream.of("nodes", "ps", "drain", "move").toList()) {
      assertEquals(0, run(command, "--help"));
      assertTrue(out.toString().startsWith("Usage: busbar " + command));
    }
  }
}
