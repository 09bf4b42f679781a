package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What starts leave behind, and whether they are answered. */
class StartTest {
  private static final Signature NOTHING = Signature.of(List.of(), List.of());
  private TestNode node;

  @AfterEach
  void stop() {
    node.close();
  }

  @Test
  void tooLargeInlineModule_leavesTheIdFree() {
    node = TestNode.start(Config.from(new JsonObject("{\"modules\":{\"maxBytes\":100}}")));
    InstanceSpec large = TestNode.inlineText("(module) ;; " + "x".repeat(200)).withId("a");
    Failing.with(Failure.TOO_LARGE, () -> node.start(large));
    assertEquals(0, node.client().nodes().await().get(0).getInteger("instances"));
    node.start(TestNode.inlineText("(module)").withId("a"));
  }

  @Test
  void badTimeoutHeader_leavesNoModuleInUse() {
    node = TestNode.start();
    JsonObject spec =
        new JsonObject().put("id", "a").put("module", new JsonObject().put("wat", "(module)"));
    DeliveryOptions options =
        new DeliveryOptions().addHeader("action", "start").addHeader("timeout", "abc");
    try {
      node.vertx().eventBus().request("wasm.instances", spec, options).await();
    } catch (RuntimeException e) {
      // BAD_REQUEST
    }
    assertEquals(List.of(), node.client().modules().await());
  }

  private InstanceSpec deafStart(CountDownLatch entered, CountDownLatch opened) {
    node.host()
        .function(
            "deaf",
            (caller, args) -> {
              entered.countDown();
              while (opened.getCount() > 0) {
                try {
                  opened.await();
                } catch (InterruptedException e) {
                  // deaf
                }
              }
              return List.of();
            });
    return TestNode.inlineText("(module (import \"env\" \"d\" (func $d)) (start $d))")
        .withId("d")
        .withLimit(Limit.DEADLINE, 100)
        .withImport("env", "d", NOTHING, "deaf");
  }

  @Test
  void deafStart_isAnsweredAtItsDeadline() throws Exception {
    node = TestNode.start();
    CountDownLatch opened = new CountDownLatch(1);
    Future<InstanceRef> start = node.client().start(deafStart(new CountDownLatch(1), opened));
    CountDownLatch answered = new CountDownLatch(1);
    start.onComplete(x -> answered.countDown());
    try {
      assertTrue(answered.await(5, TimeUnit.SECONDS), "no answer to the start");
    } finally {
      opened.countDown();
    }
  }

  @Test
  void closeDuringStart_answersTheStart() throws Exception {
    node = TestNode.start();
    CountDownLatch answered = new CountDownLatch(1);
    CountDownLatch entered = new CountDownLatch(1);
    node.host()
        .function(
            "w",
            (caller, args) -> {
              entered.countDown();
              new CountDownLatch(1).await();
              return List.of();
            });
    node.client()
        .start(
            TestNode.inlineText("(module (import \"env\" \"d\" (func $d)) (start $d))")
                .withId("d")
                .withImport("env", "d", NOTHING, "w"))
        .onComplete(x -> answered.countDown());
    assertTrue(entered.await(5, TimeUnit.SECONDS));
    node.host().close().await();
    assertTrue(answered.await(5, TimeUnit.SECONDS), "no answer to the start");
  }

  /** The start is still parsing its text when the node closes: a few thousand functions. */
  @Test
  void closeDuringParsing_answersTheStartAndLeavesNoInstance() throws Exception {
    node = TestNode.start();
    java.util.concurrent.atomic.AtomicReference<Failure> said =
        new java.util.concurrent.atomic.AtomicReference<>();
    StringBuilder wat = new StringBuilder("(module ");
    for (int i = 0; i < 6000; i++) {
      wat.append("(func (param i32) (result i32) local.get 0 i32.const 1 i32.add)\n");
    }
    wat.append(")");
    CountDownLatch answered = new CountDownLatch(1);
    node.client()
        .start(TestNode.inlineText(wat.toString()).withId("d"))
        .onComplete(
            x -> {
              said.set(x.cause() instanceof io.busbar.model.WasmException e ? e.failure() : null);
              answered.countDown();
            });
    io.busbar.Until.isTrue(() -> node.client().nodes().await().get(0).getInteger("instances") == 1);
    node.host().close().await();
    boolean told = answered.await(15, TimeUnit.SECONDS);
    String still;
    try {
      still =
          ""
              + node.vertx()
                  .eventBus()
                  .request(
                      "wasm.instance.d",
                      new JsonObject(),
                      new DeliveryOptions().addHeader("action", "describe"))
                  .await()
                  .body();
    } catch (RuntimeException e) {
      still = e.getMessage();
    }
    assertTrue(still.startsWith("No handlers"), "an instance lives on after the close: " + still);
    assertTrue(told, "no answer to the start");
    assertTrue(said.get() != Failure.INVALID_MODULE, "a valid module was called invalid");
  }
}
