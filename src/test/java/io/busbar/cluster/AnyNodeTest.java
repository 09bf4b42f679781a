package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hazelcast.map.IMap;
import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.gateway.HttpGateway;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.WebClient;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Three nodes: everything is asked of any of them. */
class AnyNodeTest {
  private static TestCluster cluster;

  @BeforeAll
  static void start() {
    cluster = TestCluster.of(3);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static InstanceSpec on(int node, InstanceSpec spec) {
    return spec.withHome(Home.ANYWHERE.withLabel("node", "n" + node));
  }

  private static String id() {
    return "i-" + UUID.randomUUID();
  }

  @Test
  void call_fromEachNode_isAnswered() {
    String id = id();
    cluster.client(0).start(on(1, TestNode.inline("wasm_test")).withId(id)).await();
    for (int node = 0; node < 3; node++) {
      for (WasmClient client : List.of(cluster.client(node), cluster.stranger(node))) {
        InstanceRef calc = client.instance(id);
        assertEquals(List.of(42), calc.call("sum", 50, -8).await());
        assertTrue(calc.exists("sum").await());
        assertEquals("n1", calc.describe().await().getString("node"));
        WasmException missing =
            Failing.with(
                Failure.NO_SUCH_EXPORT,
                "exported function `nope` not found",
                () -> calc.call("nope").await());
        assertEquals("n1", missing.details().get("node"));
        assertEquals(id, missing.details().get("instance"));
      }
    }
  }

  @Test
  void id_isTakenOnAllNodes() {
    String id = id();
    cluster.client(0).start(on(1, TestNode.inline("wasm_test")).withId(id)).await();
    for (int node = 0; node < 3; node++) {
      int here = node;
      for (int there = 0; there < 3; there++) {
        InstanceSpec spec = on(there, TestNode.inline("wasm_test")).withId(id);
        Failing.with(
            Failure.CONFLICT,
            "instance `" + id + "` exists already",
            () -> cluster.client(here).start(spec).await());
      }
    }
  }

  @Test
  void instance_isListedAndStoppedFromAnywhere() {
    String id = id();
    cluster.client(0).start(on(1, TestNode.inline("wasm_test")).withId(id)).await();
    for (int node = 0; node < 3; node++) {
      JsonObject listed =
          cluster.client(node).instances().await().stream()
              .filter(i -> i.getString("id").equals(id))
              .findFirst()
              .orElseThrow();
      assertEquals("n1", listed.getString("node"));
      assertEquals("wasm.instance." + id, listed.getString("address"));
    }
    cluster.client(2).instance(id).stop().await();
    for (int node = 0; node < 3; node++) {
      int here = node;
      Failing.with(
          Failure.NO_SUCH_INSTANCE,
          "instance `" + id + "` not found",
          () -> cluster.client(here).instance(id).call("sum", 1, 2).await());
    }
    cluster.client(2).start(on(0, TestNode.inline("wasm_test")).withId(id)).await();
    assertEquals(List.of(3), cluster.client(1).instance(id).call("sum", 1, 2).await());
  }

  @Test
  void nodes_areListedByEach() {
    for (int node = 0; node < 3; node++) {
      List<JsonObject> nodes = cluster.client(node).nodes().await();
      assertEquals(
          List.of("n0", "n1", "n2"), nodes.stream().map(n -> n.getString("node")).toList());
      assertEquals("z2", nodes.get(2).getJsonObject("labels").getString("zone"));
    }
  }

  @Test
  void json_isUnderstoodAlike_fromEachNode() {
    String id = id();
    cluster.client(0).start(on(1, TestNode.inline("wasm_test")).withId(id)).await();
    for (int node = 0; node < 3; node++) {
      assertEquals(
          "{\"results\":[\"9223372036854775807\"]}",
          json(node, id, "i64_i64", "[\"9223372036854775807\"]"));
      assertEquals("{\"results\":[\"NaN\"]}", json(node, id, "f64_f64", "[\"NaN\"]"));
      assertEquals(
          "Cannot convert argument #1 to a WebAssembly f64 value.",
          json(node, id, "f64_f64", "[1e400]"));
      assertEquals(
          "number of params does not match. expected 1, got 0", json(node, id, "f64_f64", "[]"));
    }
  }

  private static String json(int node, String id, String function, String params) {
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader("action", "call")
            .addHeader("instance", id)
            .addHeader("id", "mine")
            .setLocalOnly(true);
    JsonObject body = new JsonObject("{\"params\":" + params + "}").put("function", function);
    try {
      Message<JsonObject> reply =
          cluster
              .vertx(node)
              .eventBus()
              .<JsonObject>request("wasm.instances", body, options)
              .await();
      assertEquals("mine", reply.headers().get("id"));
      assertEquals("ok", reply.headers().get("status"));
      assertEquals(id, reply.headers().get("instance"));
      return reply.body().encode();
    } catch (ReplyException e) {
      return e.getMessage();
    }
  }

  @Test
  void answer_goesToFrom_fromEachNode() throws Exception {
    String id = id();
    cluster.client(0).start(on(1, TestNode.inline("wasm_test")).withId(id)).await();
    BlockingQueue<Message<JsonObject>> answers = new LinkedBlockingQueue<>();
    cluster
        .vertx(0)
        .eventBus()
        .<JsonObject>consumer("answers.here", answers::add)
        .completion()
        .await();
    for (int node = 0; node < 3; node++) {
      DeliveryOptions options =
          new DeliveryOptions()
              .addHeader("action", "call")
              .addHeader("instance", id)
              .addHeader("from", "answers.here");
      JsonObject body = new JsonObject("{\"function\":\"sum\",\"params\":[1,2]}");
      cluster.vertx(node).eventBus().send("wasm.instances", body, options);
      Message<JsonObject> answer = answers.poll(10, TimeUnit.SECONDS);
      assertEquals("{\"results\":[3]}", answer.body().encode());
      assertEquals("answers.here", answer.headers().get("from"));
      assertEquals(id, answer.headers().get("instance"));
    }
  }

  @Test
  void http_ofEachNode_reachesAll() {
    String id = id();
    cluster.client(0).start(on(1, TestNode.inline("wasm_test")).withId(id)).await();
    for (int node = 0; node < 3; node++) {
      HttpGateway gateway = cluster.http(node);
      WebClient web = WebClient.create(cluster.vertx(node));
      String call = "/api/v1/instances/" + id + "/call/sum";
      var answer =
          web.post(gateway.port(), "127.0.0.1", call)
              .sendBuffer(Buffer.buffer("{\"params\":[20,22]}"))
              .await();
      assertEquals("{\"results\":[42]}", answer.bodyAsString());
      var nodes = web.get(gateway.port(), "127.0.0.1", "/api/v1/nodes").send().await();
      assertEquals(3, nodes.bodyAsJsonObject().getJsonArray("nodes").size());
      gateway.close().await();
    }
  }

  @Test
  void import_isAnsweredOnAnotherNode_whichReachesTheCaller() {
    Signature signature = Signature.of(List.of(ValueType.I32), List.of(ValueType.I32));
    cluster
        .client(2)
        .serve(
            "double.it",
            signature,
            (caller, args) -> caller.global("g").map(g -> List.of((int) args.get(0) * 2 + (int) g)))
        .await();
    String id = id();
    InstanceSpec spec =
        TestNode.inlineText(
                """
                (module
                  (import "env" "double" (func $double (param i32) (result i32)))
                  (global (export "g") i32 (i32.const 1))
                  (func (export "go") (param i32) (result i32) (call $double (local.get 0))))
                """)
            .withImport("env", "double", signature, "double.it")
            .withId(id);
    cluster.client(0).start(on(1, spec)).await();
    assertEquals(List.of(43), cluster.client(0).instance(id).call("go", 21).await());
  }

  @Test
  void labels_sayWhere() {
    InstanceSpec spec = TestNode.inline("wasm_test");
    String id = id();
    cluster
        .client(0)
        .start(spec.withId(id).withHome(Home.ANYWHERE.withLabel("zone", "z2")))
        .await();
    assertEquals("n2", cluster.client(0).instance(id).describe().await().getString("node"));
    Failing.with(
        Failure.UNAVAILABLE,
        "no node has the labels {zone=z7}",
        () ->
            cluster.client(0).start(spec.withHome(Home.ANYWHERE.withLabel("zone", "z7"))).await());
  }

  @Test
  void instanceThatIsAnothersNow_isStoppedHere_andStartedThere() {
    String id = id();
    Home odd = Home.ANYWHERE.withLabel("odd", "yes");
    cluster.client(0).start(TestNode.inline("wasm_test").withId(id).withHome(odd)).await();
    String owner = cluster.client(0).instance(id).describe().await().getString("node");
    String other = owner.equals("n1") ? "n2" : "n1";
    directory()
        .computeIfPresent(
            id, (key, text) -> new JsonObject(text).put("owner", other).put("epoch", 5).encode());
    Until.isTrue(() -> epoch(id) == 6);
    JsonObject about = cluster.client(0).instance(id).describe().await();
    assertEquals(other, about.getString("node"));
    assertEquals(List.of(3), cluster.client(0).instance(id).call("sum", 1, 2).await());
    int old = Integer.parseInt(owner.substring(1));
    Until.isTrue(() -> !runs(old, id));
  }

  /** Whether this node itself has an instance. */
  private static boolean runs(int node, String id) {
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader("action", "exists")
            .addHeader("instance", id)
            .setLocalOnly(true);
    try {
      cluster
          .vertx(node)
          .eventBus()
          .request("wasm.node.n" + node, new JsonObject().put("function", "sum"), options)
          .await();
      return true;
    } catch (ReplyException e) {
      assertEquals(4040, e.failureCode());
      return false;
    }
  }

  private static int epoch(String id) {
    try {
      return cluster.client(0).instance(id).describe().await().getInteger("epoch");
    } catch (WasmException e) {
      assertEquals(Failure.NO_SUCH_INSTANCE, e.failure());
      return 0;
    }
  }

  private static IMap<String, String> directory() {
    return ((HazelcastClusterManager) ((VertxInternal) cluster.vertx(0)).clusterManager())
        .getHazelcastInstance()
        .getMap("busbar.instances");
  }

  @Test
  void claimOfANodeThatIsGone_isGivenUp() {
    String id = id();
    directory().put(id, Entry.starting("ghost").text());
    Until.isTrue(() -> !directory().containsKey(id));
    cluster.client(1).start(TestNode.inline("wasm_test").withId(id)).await();
  }

  @Test
  void nodeOfANameThatIsTaken_isRefused() {
    Failing.with(
        Failure.CONFLICT,
        "node `n0` is in the cluster already",
        () -> WasmHost.clustered(cluster.further("n0")).await());
    cluster.awaitNodes(3);
    cluster.client(0).start(TestNode.inline("globals").withId(id())).await();
  }
}
