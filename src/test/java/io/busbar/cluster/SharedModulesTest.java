package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleId;
import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Three nodes: a module that is put on one is on all. */
class SharedModulesTest {
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

  @Test
  void module_putOnOne_startedOnAnother_isCalledFromTheThird() {
    ModuleId id = cluster.client(0).put(Guests.text("multi"), "multi:1").await();
    InstanceRef started =
        cluster.client(0).start(on(1, InstanceSpec.of("multi")).withId("from-multi")).await();
    assertEquals(List.of(55), cluster.client(2).instance(started.id()).call("fib", 10).await());
    for (int node = 0; node < 3; node++) {
      JsonObject about = cluster.client(node).describeModule("multi:1").await();
      assertEquals(id.toString(), about.getString("module"));
      assertEquals(new JsonArray(List.of("multi", "multi:1")), about.getJsonArray("tags"));
      assertEquals(new JsonArray(List.of("from-multi")), about.getJsonArray("instances"));
      assertArrayEquals(
          Compiler.toBinary(Guests.text("multi")), cluster.client(node).get("multi").await());
    }
    Failing.with(
        Failure.CONFLICT,
        "module " + id + " is in use by 1 instances: `from-multi`",
        () -> cluster.client(2).remove(id.toString()).await());
    cluster.client(0).instance("from-multi").stop().await();
    cluster.client(2).remove(id.toString()).await();
    for (int node = 0; node < 3; node++) {
      int here = node;
      Failing.with(
          Failure.NO_SUCH_MODULE,
          "module `multi` not found",
          () -> cluster.client(here).describeModule("multi").await());
      Failing.with(Failure.NO_SUCH_MODULE, () -> cluster.client(here).get(id.toString()).await());
    }
  }

  @Test
  void version_isForEver_onAllNodes() {
    ModuleId first = cluster.client(0).put(Guests.text("globals"), "v:1").await();
    Failing.with(
        Failure.CONFLICT,
        "`v:1` is already " + first,
        () -> cluster.client(1).put(Guests.text("loops"), "v:1").await());
    ModuleId second = cluster.client(1).put(Guests.text("loops"), "v:2").await();
    assertEquals(second.toString(), named("v"));
    cluster.client(2).tag(first.toString(), "v").await();
    assertEquals(first.toString(), named("v"));
    cluster.client(0).remove("v").await();
    assertEquals(first.toString(), named("v:1"));
  }

  private static String named(String ref) {
    return cluster.client(2).describeModule(ref).await().getString("module");
  }

  @Test
  void moduleThatWasBroughtAlong_goesWithItsInstance() {
    InstanceRef brought =
        cluster.client(0).start(on(1, TestNode.inline("vectors")).withId("brought")).await();
    String digest = brought.describe().await().getString("module");
    InstanceRef again =
        cluster.client(0).start(on(2, InstanceSpec.of(digest)).withId("again")).await();
    brought.stop().await();
    assertEquals(List.of(digest), running("again"));
    again.stop().await();
    assertEquals(List.of(), running("again"));
    Failing.with(Failure.NO_SUCH_MODULE, () -> cluster.client(0).get(digest).await());
  }

  @Test
  void moduleThatIsPutWhileItIsRemoved_isGone_orThereOnAllNodes() {
    byte[] wasm = Compiler.toBinary("(module (func (export \"f\")))".getBytes());
    String digest = ModuleId.of(wasm).toString();
    for (int i = 0; i < 25; i++) {
      cluster.client(0).put(wasm).await();
      Future<?> removed = cluster.client(1).remove(digest).otherwiseEmpty();
      Future<?> put = cluster.client(0).put(wasm).otherwiseEmpty(); // it may be removed at once
      Future.join(removed, put).await();
      boolean isListed =
          cluster.client(2).modules().await().stream()
              .anyMatch(module -> module.getString("module").equals(digest));
      if (isListed) {
        assertArrayEquals(wasm, cluster.client(2).get(digest).await());
        cluster.client(2).remove(digest).await();
      } else {
        Failing.with(Failure.NO_SUCH_MODULE, () -> cluster.client(2).get(digest).await());
      }
    }
  }

  private static List<String> running(String instance) {
    return cluster.client(0).modules().await().stream()
        .filter(module -> module.getJsonArray("instances").contains(instance))
        .map(module -> module.getString("module"))
        .toList();
  }
}
