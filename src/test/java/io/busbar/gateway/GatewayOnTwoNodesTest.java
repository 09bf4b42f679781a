package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasiSpec;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients of one node's gateway, and instances that live on the other node. */
@Timeout(120)
class GatewayOnTwoNodesTest {
  private static final String GUEST =
      """
      (module
        (import "env" "ask" (func $ask (param i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "hello")
        (global (export "count") (mut i32) (i32.const 0))
        (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1)))
        (func (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
        (func (export "spin") (loop (br 0))))
      """;
  private static final String SPIN = "(module (func (export \"spin\") (loop (br 0))))";
  private static final Signature ASK =
      new Signature(List.of(ValueType.I32), List.of(ValueType.I32));

  private static TestCluster cluster;
  private static HttpGateway gateway;
  private static TestClients clients;

  @BeforeAll
  static void open() {
    cluster = TestCluster.of(2);
    gateway = cluster.http(0);
    clients = TestClients.of(cluster.vertx(0), gateway);
  }

  @AfterAll
  static void close() {
    gateway.close().await();
    cluster.close();
  }

  private static List<WayIn> ways() {
    return WayIn.all(clients, Map.of());
  }

  /** On the other node. */
  private static InstanceRef start(String id) {
    InstanceSpec spec = TestNode.inlineText(GUEST).withImport("env", "ask", ASK, "my." + id);
    return start(spec, id);
  }

  private static InstanceRef start(InstanceSpec spec, String id) {
    return startAt("n1", spec, id);
  }

  private static InstanceRef startAt(String node, InstanceSpec spec, String id) {
    Home there = Home.ANYWHERE.withLabel("node", node);
    return cluster.client(0).start(spec.withId(id).withHome(there)).await();
  }

  private static JsonObject body(String json) {
    return new JsonObject(json);
  }

  @Test
  void instanceOfTheOtherNode_isAsked() {
    start("there");
    for (WayIn way : ways()) {
      assertEquals("{\"results\":[3]}", way.ask(Question.call("there", "sum", "[1,2]")).encode());
      assertEquals("n1", way.ask(Question.of("there", "describe", "{}")).getString("node"));
      assertEquals(
          "{\"bytes\":\"aGVsbG8=\"}",
          way.ask(Question.of("there", "read-memory", "{\"offset\":0,\"length\":5}")).encode());
      assertEquals(
          "{\"error\":{\"code\":4041,\"name\":\"NO_SUCH_EXPORT\","
              + "\"message\":\"exported function `no` not found\","
              + "\"instance\":\"there\",\"node\":\"n1\"}}",
          way.ask(Question.call("there", "no", "[]")).encode());
    }
  }

  @Test
  void whatHappensOnTheOtherNode_isHeard() {
    TestSocket socket = clients.socket(Map.of());
    JsonObject subscribe = body("{\"action\":\"subscribe\"}");
    socket.ask(subscribe.copy().put("address", "wasm.events"));
    socket.ask(subscribe.copy().put("address", "wasm.stdio.program"));
    TestSocket bridge = clients.bridge(Map.of());
    bridge.send(body("{\"type\":\"register\",\"address\":\"wasm.events\"}"));
    bridge.send(body("{\"type\":\"register\",\"address\":\"wasm.stdio.program\"}"));
    WayIn.Bridge asking = new WayIn.Bridge(bridge);
    asking.ask(Question.at("wasm.nodes", "list", "{}"));
    for (String address : List.of("wasm.events", "wasm.stdio.program")) {
      awaitHeard(socket, address);
      awaitHeard(bridge, address);
    }
    WasiSpec wasi = WasiSpec.ISOLATED.withStdin("hi".getBytes()).withPublish(true);
    start(TestNode.inline("wasi_program").withWasi(wasi), "program").call("_start").await();
    assertHeard(socket, "event");
    assertHeard(bridge, "body");
  }

  /** The other node learns of a new listener a moment after that has been told that it listens. */
  private static void awaitHeard(TestSocket socket, String address) {
    JsonObject probe = body("{\"event\":\"probe\"}");
    Until.isTrue(
        () -> {
          cluster.vertx(1).eventBus().publish(address, probe);
          return socket.hears(address);
        });
  }

  private static void assertHeard(TestSocket socket, String field) {
    JsonObject started = socket.next().getJsonObject(field);
    while (!"instance.started".equals(started.getString("event"))
        || !"program".equals(started.getString("id"))) {
      started = socket.next().getJsonObject(field);
    }
    assertEquals("n1", started.getString("node"));
    JsonObject said = socket.next();
    while (!"wasm.stdio.program".equals(said.getString("address"))
        || !said.getJsonObject(field).containsKey("bytes")) {
      said = socket.next();
    }
    assertEquals("aGk=", said.getJsonObject(field).getString("bytes"), said::encode);
  }

  @Test
  void import_isServedHere_forAGuestThere() {
    start("asking");
    TestSocket server = clients.socket(Map.of());
    server.ask(body("{\"action\":\"serve\",\"import\":\"my.asking\"}"));
    for (WayIn way : ways()) {
      CompletableFuture<JsonObject> answer =
          CompletableFuture.supplyAsync(() -> way.ask(Question.call("asking", "ask", "[7]")));
      JsonObject call = server.next();
      assertEquals("{\"params\":[7]}", call.getJsonObject("body").encode());
      assertEquals("asking", call.getString("instance"));
      JsonObject read =
          new JsonObject()
              .put("action", "read-memory")
              .put("caller", call.getString("caller"))
              .put("body", body("{\"offset\":0,\"length\":5,\"as\":\"utf8\"}"));
      assertEquals("hello", server.ask(read).getJsonObject("body").getString("text"));
      server.send(
          new JsonObject()
              .put("id", call.getString("id"))
              .put("status", "ok")
              .put("body", body("{\"results\":[42]}")));
      assertEquals("{\"results\":[42]}", answer.join().encode(), way::toString);
    }
    server.socket.close().await();
  }

  @Test
  void clientThatGoesAway_hasItsQueuedCallCancelled_onTheOtherNode() throws Exception {
    InstanceRef abandoned = start("abandoned").withTimeout(Duration.ZERO);
    var spinning = abandoned.withOperationId("spin").call("spin");
    Until.isTrue(() -> abandoned.describe().await().getBoolean("running"));
    Question set =
        Question.of("abandoned", "set-global", "{\"global\":\"count\",\"value\":9}").within(60_000);
    TestSocket socket = clients.socket(Map.of());
    socket.send(WayIn.Socket.frame(set));
    TestSocket bridge = clients.bridge(Map.of());
    bridge.send(WayIn.Bridge.frame(set, new JsonObject()));
    Socket http = put("/api/v1/instances/abandoned/globals/count?timeout=60000");
    Until.isTrue(() -> queued(abandoned) == 3);
    socket.socket.close();
    Until.isTrue(() -> queued(abandoned) == 2);
    bridge.socket.close();
    Until.isTrue(() -> queued(abandoned) == 1);
    http.close();
    Until.isTrue(() -> queued(abandoned) == 0);
    abandoned.cancel("spin").await();
    spinning.otherwiseEmpty().await();
    assertEquals(0, abandoned.global("count").await());
  }

  private static int queued(InstanceRef instance) {
    return instance.describe().await().getInteger("queue");
  }

  /** A request without anybody who waits for its answer. */
  private static Socket put(String path) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), clients.port());
    String text = "PUT " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + clients.port();
    text += "\r\nContent-Length: 11\r\n\r\n{\"value\":9}";
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** A node in a process of its own, until it is killed. */
  static final class Mortal {
    public static void main(String[] args) {
      WasmHost.clustered(Config.from(new JsonObject(args[0]))).await();
      System.out.println("ready");
    }

    static Process start() throws IOException {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Djava.net.preferIPv4Stack=true",
                  "-cp",
                  System.getProperty(
                      "surefire.test.class.path", System.getProperty("java.class.path")),
                  Mortal.class.getName(),
                  cluster.settings("mortal").encode())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      assertEquals("ready", process.inputReader().readLine());
      return process;
    }
  }

  @Test
  void nodeThatIsKilled_isToldAtOnce_byEveryWay() throws Exception {
    Process mortal = Mortal.start();
    try {
      cluster.awaitNodes(3);
      InstanceRef lost = startAt("mortal", TestNode.inlineText(SPIN), "lost");
      Question spin = Question.call("lost", "spin", "[]").within(60_000);
      List<CompletableFuture<JsonObject>> answers =
          ways().stream().map(way -> CompletableFuture.supplyAsync(() -> way.ask(spin))).toList();
      Until.isTrue(() -> queued(lost) == 2);
      mortal.destroyForcibly();
      long killed = System.nanoTime();
      for (CompletableFuture<JsonObject> answer : answers) {
        assertEquals(
            "{\"error\":{\"code\":5031,\"name\":\"NODE_LOST\","
                + "\"message\":\"the node `mortal` was lost: whether the operation ran is unknown\","
                + "\"node\":\"mortal\"}}",
            answer.join().encode());
      }
      Duration after = Duration.ofNanos(System.nanoTime() - killed);
      assertTrue(after.toMillis() < 10_000, "told after " + after);
    } finally {
      mortal.destroyForcibly();
    }
  }
}
