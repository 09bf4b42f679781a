package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/** Who sends more than a node can take is told so, and the node goes on. */
class FloodTest {
  private static final String PAGES =
      """
      (module
        (memory (export "memory") 64)
        (func (export "spin") (loop (br 0)))
        (func (export "seven") (result i32) (i32.const 7)))
      """;

  @Test
  void bodiesThatWait_areBoundedTogether() {
    JsonObject messages = new JsonObject().put("maxQueuedBytes", 1_000_000);
    Config config = Config.from(new JsonObject().put("messages", messages));
    try (TestNode node = TestNode.start(config)) {
      InstanceRef busy = node.startText(PAGES);
      Future<?> spinning =
          busy.withOperationId("spin").withTimeout(Duration.ofMinutes(1)).call("spin");
      Until.isTrue(() -> busy.describe().await().getBoolean("running"));
      List<Future<Void>> writes = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        writes.add(busy.memory().write(0, Buffer.buffer(new byte[300_000])));
      }
      WasmException refused =
          Failing.with(
              Failure.OVERLOADED,
              () -> busy.memory().write(0, Buffer.buffer(new byte[300_000])).await());
      assertTrue(refused.getMessage().endsWith("it takes at most 1000000"), refused::getMessage);
      assertTrue(busy.cancel("spin").await());
      Failing.with(Failure.CANCELLED, spinning::await);
      Future.all(writes).await();
      busy.memory().write(0, Buffer.buffer(new byte[900_000])).await();
    }
  }

  @Test
  void largeMessagesToABusyInstance_holdUpNoOther_andRunOnlyInTheirTime() {
    try (TestCluster cluster = TestCluster.of(2)) {
      Home there = Home.ANYWHERE.withLabel("node", "n1");
      WasmClient client = cluster.client(0);
      InstanceRef busy = client.start(TestNode.inlineText(PAGES).withHome(there)).await();
      InstanceRef other = client.start(TestNode.inlineText(PAGES).withHome(there)).await();
      Future<?> spinning =
          busy.withOperationId("spin").withTimeout(Duration.ofMinutes(1)).call("spin");
      Until.isTrue(() -> busy.describe().await().getBoolean("running"));
      List<Future<Void>> writes = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        InstanceRef patient = busy.withTimeout(Duration.ofSeconds(30));
        writes.add(patient.memory().write(0, Buffer.buffer(new byte[3 << 20])));
      }
      other
          .withTimeout(Duration.ofSeconds(20))
          .memory()
          .write(0, Buffer.buffer(new byte[100_000]))
          .await();
      assertTrue(busy.cancel("spin").await());
      Failing.with(Failure.CANCELLED, spinning::await);
      Future.all(writes).await();
    }
  }

  @Test
  void messageLargerThanNodesTake_isRefused() {
    try (TestCluster cluster = TestCluster.of(2)) {
      Home there = Home.ANYWHERE.withLabel("node", "n1");
      InstanceRef far = cluster.client(0).start(TestNode.inlineText(PAGES).withHome(there)).await();
      WasmException refused =
          Failing.with(
              Failure.TOO_LARGE,
              () ->
                  far.withTimeout(Duration.ofSeconds(30))
                      .memory()
                      .write(0, Buffer.buffer(new byte[70 << 20]))
                      .await());
      assertTrue(refused.getMessage().endsWith("nodes take at most 67108864"));
    }
  }

  /** A node in a process with little memory, until it is told to end. */
  static final class Small {
    public static void main(String[] args) {
      WasmHost.clustered(Config.from(new JsonObject(args[0]))).await();
      System.out.println("ready");
    }
  }

  /** A node whose memory is nearly full stands still for seconds where the machine is busy. */
  private static void patient(JsonObject node) {
    node.getJsonObject("cluster").put("suspectMillis", 30_000);
  }

  @Test
  void nodeWithLittleMemory_survivesAFlood_andTellsWhoSends() throws Exception {
    try (TestCluster cluster = TestCluster.of(1, FloodTest::patient)) {
      JsonObject settings = cluster.settings("small");
      Process small =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx128m",
                  "-XX:+ExitOnOutOfMemoryError",
                  "-Djava.net.preferIPv4Stack=true",
                  "-cp",
                  System.getProperty(
                      "surefire.test.class.path", System.getProperty("java.class.path")),
                  Small.class.getName(),
                  settings.encode())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try {
        assertEquals("ready", small.inputReader().readLine());
        cluster.awaitNodes(2);
        InstanceRef calc =
            cluster
                .client(0)
                .start(
                    TestNode.inlineText(PAGES)
                        .withId("calc")
                        .withHome(Home.ANYWHERE.withLabel("node", "small")))
                .await();
        Future<?> spinning =
            calc.withOperationId("spin").withTimeout(Duration.ofMinutes(1)).call("spin");
        Until.isTrue(() -> calc.describe().await().getBoolean("running"));
        flood(cluster, () -> Until.isTrue(() -> isCancelled(calc)));
        Failing.with(Failure.CANCELLED, spinning::await);
        Until.isTrue(() -> isSeven(calc));
        assertTrue(small.isAlive());
      } finally {
        small.destroyForcibly();
      }
    }
  }

  /** A node that the flood keeps busy may not be heard for a while. */
  private static boolean isCancelled(InstanceRef calc) {
    try {
      return calc.withTimeout(Duration.ofMinutes(1)).cancel("spin").await();
    } catch (WasmException e) {
      return false;
    }
  }

  private static boolean isSeven(InstanceRef calc) {
    try {
      return calc.call("seven").await().equals(List.of(7));
    } catch (WasmException e) {
      return false;
    }
  }

  /** 4,000 writes of 64 KB at once: twice what the node may hold. */
  private static void flood(TestCluster cluster, Runnable end) throws InterruptedException {
    JsonObject body = new JsonObject().put("offset", 0).put("text", "x".repeat(64_000));
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader("action", "write-memory")
            .addHeader("timeout", "60000")
            .setSendTimeout(60_000);
    Map<Integer, LongAdder> outcomes = new ConcurrentHashMap<>();
    CountDownLatch refused = new CountDownLatch(1000);
    List<Future<?>> writes = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      writes.add(
          cluster
              .vertx(0)
              .eventBus()
              .request("wasm.instance.calc", body, options)
              .onComplete(
                  (reply, e) -> {
                    int code = e instanceof ReplyException failed ? failed.failureCode() : 0;
                    outcomes.computeIfAbsent(code, c -> new LongAdder()).increment();
                    if (code != 0) {
                      refused.countDown();
                    }
                  }));
    }
    assertTrue(refused.await(60, TimeUnit.SECONDS), outcomes::toString);
    end.run();
    Future.join(writes).otherwiseEmpty().await();
    assertEquals(Set.of(0, Failure.OVERLOADED.code()), outcomes.keySet(), outcomes::toString);
  }
}
