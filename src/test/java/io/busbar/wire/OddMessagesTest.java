package io.busbar.wire;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Every field of every action with every wrong kind of value. */
class OddMessagesTest {
  private final TestNode node = TestNode.start();

  @AfterEach
  void stop() {
    node.close();
  }

  private int code(String address, DeliveryOptions options, Object body) {
    try {
      node.vertx().eventBus().request(address, body, options.setSendTimeout(4000)).await();
      return 0;
    } catch (ReplyException e) {
      return e.failureCode() == -1 ? -1 : e.failureCode();
    }
  }

  @Test
  void wrongKinds_areNeverInternal() {
    node.start(TestNode.inline("wasm_test").withId("w"));
    List<Object> odd =
        new ArrayList<>(
            List.of(
                true,
                1,
                -1,
                1.5,
                Long.MAX_VALUE,
                new BigInteger("9".repeat(300)),
                new BigDecimal("1e5000"),
                "",
                "x",
                "\u0000",
                "x".repeat(100_000),
                new JsonArray(),
                new JsonArray().add(new JsonArray()),
                new JsonObject(),
                new JsonObject().put("a", new JsonObject()),
                Buffer.buffer("x"),
                new byte[] {1},
                Instant.EPOCH,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Float.NaN,
                (short) 1,
                List.of(1),
                Map.of("a", 1),
                new JsonArray().addNull(),
                new JsonObject().putNull("a")));
    odd.add(null);
    Map<String, List<String>> actions = new LinkedHashMap<>();
    actions.put("call", List.of("function", "params"));
    actions.put("calls", List.of("calls"));
    actions.put("exists", List.of("function"));
    actions.put("get-global", List.of("global"));
    actions.put("set-global", List.of("global", "value"));
    actions.put("memory", List.of("memory"));
    actions.put("read-memory", List.of("offset", "length", "as", "memory"));
    actions.put("write-memory", List.of("offset", "bytes", "text", "memory"));
    actions.put("grow-memory", List.of("pages", "memory"));
    actions.put("cancel", List.of("id"));
    actions.put("describe", List.of("id"));
    Map<String, List<String>> others = new LinkedHashMap<>();
    others.put(
        "start",
        List.of(
            "id",
            "module",
            "imports",
            "links",
            "wasi",
            "limits",
            "state",
            "afterTrap",
            "onOwnerLoss",
            "replicas",
            "placement",
            "address"));
    others.put("stop", List.of("id"));
    others.put("describe", List.of("id"));
    Map<String, List<String>> modules = new LinkedHashMap<>();
    modules.put("put", List.of("bytes", "wat", "name", "version"));
    modules.put("get", List.of("module"));
    modules.put("describe", List.of("module"));
    modules.put("tag", List.of("module", "name", "version"));
    modules.put("remove", List.of("module"));
    List<Executable> checks = new ArrayList<>();
    odd(
        checks,
        "wasm.instance.w",
        actions,
        odd,
        new JsonObject()
            .put("function", "sum")
            .put("params", new JsonArray().add(1).add(2))
            .put("offset", 0)
            .put("length", 1)
            .put("bytes", "AA==")
            .put("pages", 0)
            .put("global", "__heap_base")
            .put("value", 1)
            .put("calls", new JsonArray())
            .put("id", "a"));
    odd(
        checks,
        "wasm.instances",
        others,
        odd,
        new JsonObject().put("module", new JsonObject().put("wat", "(module)")));
    odd(
        checks,
        "wasm.modules",
        modules,
        odd,
        new JsonObject().put("wat", "(module)").put("module", "m").put("name", "m"));
    for (String action : actions.keySet()) {
      for (Object body : new Object[] {null, 1, "x", new JsonArray(), Buffer.buffer(), true, 1.5}) {
        checks.add(
            () ->
                check(
                    "wasm.instance.w " + action + " body " + body,
                    code(
                        "wasm.instance.w",
                        new DeliveryOptions().addHeader("action", action),
                        body)));
      }
    }
    assertAll(checks);
  }

  private void odd(
      List<Executable> checks,
      String address,
      Map<String, List<String>> actions,
      List<Object> values,
      JsonObject base) {
    actions.forEach(
        (action, fields) -> {
          for (String field : fields) {
            for (Object value : values) {
              checks.add(
                  () -> {
                    JsonObject body = new JsonObject(new LinkedHashMap<>(base.getMap()));
                    if (address.equals("wasm.instances") && !action.equals("start")) {
                      body.remove("module");
                    }
                    body.getMap().put(field, value);
                    String shown = String.valueOf(value);
                    check(
                        address
                            + " "
                            + action
                            + " "
                            + field
                            + "="
                            + shown.substring(0, Math.min(30, shown.length()))
                            + (value == null ? "" : " " + value.getClass().getSimpleName()),
                        code(address, new DeliveryOptions().addHeader("action", action), body));
                  });
            }
          }
        });
  }

  private static void check(String what, int code) {
    assertTrue(code != 5000 && code != -1, what + " -> " + code);
  }

  @Test
  void headers_oddOnes() {
    node.start(TestNode.inline("multi").withId("m"));
    List<Executable> checks = new ArrayList<>();
    for (String timeout :
        List.of("", "-1", "1e3", "9223372036854775807", "9223372036854775808", " 1", "0")) {
      checks.add(
          () -> {
            int code =
                code(
                    "wasm.instance.m",
                    new DeliveryOptions().addHeader("action", "call").addHeader("timeout", timeout),
                    new JsonObject().put("function", "next"));
            boolean good = List.of("9223372036854775807", "0").contains(timeout);
            assertEquals(good ? 0 : 4000, code, timeout);
          });
    }
    checks.add(
        () ->
            assertEquals(
                4000,
                code(
                    "wasm.instance.m",
                    new DeliveryOptions().addHeader("action", "x".repeat(1_000_000)),
                    new JsonObject())));
    checks.add(
        () -> assertEquals(4000, code("wasm.instance.m", new DeliveryOptions(), new JsonObject())));
    for (String from :
        List.of(
            "",
            "wasm",
            "wasm.x",
            "wasm.instances",
            "__vertx.reply.1",
            "x".repeat(513),
            "é".repeat(257))) {
      checks.add(
          () ->
              assertEquals(
                  4000,
                  code(
                      "wasm.instance.m",
                      new DeliveryOptions().addHeader("action", "call").addHeader("from", from),
                      new JsonObject().put("function", "next")),
                  from));
    }
    assertAll(checks);
  }

  /** One more call, and its answer: what came before it is answered by now. */
  private void afterAllAnswers(List<Message<Object>> got) {
    node.vertx()
        .eventBus()
        .send(
            "wasm.instance.m",
            new JsonObject().put("function", "next"),
            new DeliveryOptions()
                .addHeader("action", "call")
                .addHeader("from", "me")
                .addHeader("id", "last"));
    io.busbar.Until.isTrue(() -> got.removeIf(answer -> "last".equals(answer.headers().get("id"))));
  }

  @Test
  void fromAndReply_oneAcceptedAndOneAnswer() throws Exception {
    node.start(TestNode.inline("multi").withId("m"));
    List<Message<Object>> got = new CopyOnWriteArrayList<>();
    node.vertx().eventBus().<Object>consumer("me", got::add).completion().await();
    for (String action : List.of("call", "nope", "describe")) {
      got.clear();
      JsonObject reply = null;
      try {
        reply =
            node.vertx()
                .eventBus()
                .<JsonObject>request(
                    "wasm.instance.m",
                    new JsonObject().put("function", "next"),
                    new DeliveryOptions()
                        .addHeader("action", action)
                        .addHeader("from", "me")
                        .addHeader("id", "7"))
                .await()
                .body();
      } catch (ReplyException e) {
        // refused
      }
      afterAllAnswers(got);
      assertEquals(action.equals("nope") ? 0 : 1, got.size(), action);
      assertEquals(action.equals("nope") ? null : new JsonObject().put("accepted", true), reply);
    }
    got.clear();
    node.vertx()
        .eventBus()
        .publish(
            "wasm.instance.m",
            new JsonObject().put("function", "next"),
            new DeliveryOptions().addHeader("action", "call").addHeader("from", "me"));
    node.vertx()
        .eventBus()
        .send(
            "wasm.instance.m",
            new JsonObject(),
            new DeliveryOptions().addHeader("action", "nope").addHeader("from", "me"));
    io.busbar.Until.isTrue(() -> got.size() == 2);
    afterAllAnswers(got);
    assertEquals(2, got.size());
  }

  /** Two slow modules are being read; everything else about modules and starts waits for them. */
  @Test
  void slowModules_doNotHoldUpTheOthers_andStartsKeepTheirTimeout() throws Exception {
    StringBuilder wat = new StringBuilder("(module ");
    for (int i = 0; i < 60_000; i++) {
      wat.append(
          "(func (param i32) (result i32) local.get 0 i32.const "
              + i
              + " i32.add i32.const 3 i32.mul)\n");
    }
    for (int i = 0; i < 2; i++) {
      node.client().put((wat + "(func (export \"f" + i + "\")))").getBytes());
    }
    long start = System.nanoTime();
    int code =
        code(
            "wasm.instances",
            new DeliveryOptions()
                .addHeader("action", "start")
                .addHeader("timeout", "300")
                .setSendTimeout(4000),
            new JsonObject()
                .put("id", "small")
                .put("module", new JsonObject().put("wat", "(module)")));
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    assertTrue(
        millis < 1500, "a start with a timeout of 300 ms: " + code + " after " + millis + " ms");
  }

  @Test
  void startThatGaveUp_leavesNoInstance() throws Exception {
    StringBuilder wat = new StringBuilder("(module ");
    for (int i = 0; i < 40_000; i++) {
      wat.append(
          "(func (param i32) (result i32) local.get 0 i32.const "
              + i
              + " i32.add i32.const 3 i32.mul)\n");
    }
    JsonObject body =
        new JsonObject().put("id", "big").put("module", new JsonObject().put("wat", wat + ")"));
    long t = System.nanoTime();
    int code = 0;
    try {
      node.vertx()
          .eventBus()
          .request(
              "wasm.instances",
              body,
              new DeliveryOptions()
                  .addHeader("action", "start")
                  .addHeader("timeout", "200")
                  .setSendTimeout(20_000))
          .await();
    } catch (ReplyException e) {
      code = e.failureCode();
    }
    assertEquals(
        5040,
        code,
        "a start with a timeout of 200 ms was answered after "
            + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - t)
            + " ms");
  }
}
