package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.CallerRef;
import io.busbar.client.ImportFunction;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(40)
class CallbackEdgeTest {
  static final Signature I = Signature.of(List.of(ValueType.I32), List.of(ValueType.I32));
  static final Signature NOTHING = Signature.of(List.of(), List.of());
  static final String GUEST =
      """
      (module $guest
        (import "env" "ask" (func $ask (param i32) (result i32)))
        (memory 1)
        (func (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
        (func (export "plus") (param i32) (result i32)
          (i32.add (i32.const 100) (call $ask (local.get 0))))
        (func (export "double") (param i32) (result i32)
          (i32.mul (i32.const 2) (local.get 0)))
        (func $r (export "recurse") (param i32) (result i32)
          (i32.add (i32.const 1) (call $r (local.get 0))))
        (func (export "spin") (loop (br_if 0 (i32.const 1))))
        (func (export "trap") (unreachable)))
      """;

  TestNode node;

  @AfterEach
  void stop() {
    if (node != null) {
      node.close();
    }
  }

  static InstanceSpec spec(String id, String address) {
    return TestNode.inlineText(GUEST).withId(id).withImport("env", "ask", I, address);
  }

  void serve(String address, ImportFunction function) {
    node.client().serve(address, I, function).await();
  }

  int waiting() {
    return node.client().nodes().await().get(0).getInteger("waiting");
  }

  static Future<List<Object>> answer(Object o) {
    return Future.succeededFuture(List.of(o));
  }

  @Test
  void import_mustNotForgeAReply() throws Exception {
    node = TestNode.start();
    LinkedBlockingQueue<Message<Object>> asked = new LinkedBlockingQueue<>();
    node.vertx().eventBus().consumer("bank", asked::add).completion().await();
    Future<Message<Object>> reply = node.vertx().eventBus().request("bank", "balance?");
    String replyAddress = asked.take().replyAddress();
    Failing.with(Failure.BAD_REQUEST, () -> node.start(spec("evil", replyAddress)));
    assertTrue(!reply.isComplete(), () -> "forged reply: " + reply.result().body());
  }

  @Test
  void import_mustNotGoWhereTheDenyListSays() {
    node =
        TestNode.start(
            Config.from(new JsonObject("{\"bus\":{\"from\":{\"deny\":[\"admin.*\"]}}}")));
    AtomicInteger seen = new AtomicInteger();
    node.vertx()
        .eventBus()
        .consumer("admin.secret", m -> seen.incrementAndGet())
        .completion()
        .await();
    node.vertx()
        .eventBus()
        .consumer(
            "wasm.events",
            m -> {
              if (((JsonObject) m.body()).containsKey("params")) seen.incrementAndGet();
            })
        .completion()
        .await();
    for (String a : List.of("admin.secret", "wasm.events")) {
      try {
        node.start(spec("x" + a.length(), a))
            .withTimeout(Duration.ofMillis(300))
            .call("ask", 1)
            .await();
      } catch (WasmException e) {
        // fine
      }
    }
    assertEquals(0, seen.get());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "wasm.modules",
        "wasm.instances",
        "wasm.instance.a",
        "wasm.nodes",
        "",
        "\u202e☃",
        "BIG"
      })
  void import_toOddAddresses_isAHostFunctionFailure(String address) {
    node = TestNode.start();
    String a = address.equals("BIG") ? "x".repeat(10_000) : address;
    try {
      InstanceRef guest = node.start(spec("a", a));
      WasmException e =
          Failing.with(
              Failure.HOST_FUNCTION,
              () -> guest.withTimeout(Duration.ofMillis(500)).call("ask", 1).await());
      assertTrue(e.getMessage().length() < 500);
    } catch (WasmException e) {
      assertEquals(Failure.BAD_REQUEST, e.failure(), e.toString());
    }
    assertEquals(0, waiting());
  }

  @Test
  void staleCaller_mustNotStart() {
    node = TestNode.start();
    AtomicReference<CallerRef> kept = new AtomicReference<>();
    serve(
        "my.ask",
        (caller, args) -> {
          kept.set(caller);
          return answer(1);
        });
    node.start(spec("a", "my.ask")).call("ask", 1).await();
    Failing.with(
        Failure.NO_SUCH_CALLER,
        () -> kept.get().start(TestNode.inlineText("(module)").withId("late")).await());
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void stackOverflow_insideACallerOperation_isATrapAndAnswered(Compiler.Mode mode)
      throws Exception {
    node = TestNode.start(mode);
    AtomicReference<Throwable> said = new AtomicReference<>();
    serve(
        "my.ask",
        (caller, args) ->
            caller
                .call("recurse", 1)
                .transform(
                    r -> {
                      said.set(r.cause());
                      return answer(7);
                    }));
    assertEquals(List.of(107), node.start(spec("a", "my.ask")).call("plus", 1).await());
    assertEquals(Failure.TRAP, ((WasmException) said.get()).failure(), said.get().toString());
  }

  @ParameterizedTest
  @ValueSource(ints = {4990, 4222})
  void errorBody_ofAServer_isTheImportsFailure(int code) {
    node = TestNode.start();
    node.vertx()
        .eventBus()
        .consumer(
            "my.ask",
            m ->
                m.reply(
                    new JsonObject()
                        .put(
                            "error",
                            new JsonObject()
                                .put("code", code)
                                .put("message", "pwned")
                                .put("frames", "x")
                                .put("instance", "other")
                                .put("node", "n9"))))
        .completion()
        .await();
    WasmException e =
        Failing.with(
            Failure.HOST_FUNCTION, () -> node.start(spec("a", "my.ask")).call("ask", 1).await());
    assertTrue(e.getMessage().startsWith("import `env.ask` failed"), e.toString());
    assertEquals("a", e.details().get("instance"));
    assertEquals(List.of(), e.frames());
  }

  @Test
  void asyncFunction_keepsTheImportsTimeout() {
    node = TestNode.start();
    node.host().asyncFunction("my.ask", (caller, args) -> Promise.<List<Object>>promise().future());
    ImportSpec spec =
        new ImportSpec("env", "ask", I, "my.ask", Optional.of(Duration.ofMillis(100)));
    InstanceRef guest = node.start(TestNode.inlineText(GUEST).withId("a").withImport(spec));
    Failing.with(
        Failure.HOST_FUNCTION,
        () -> guest.withTimeout(Duration.ofSeconds(2)).call("ask", 1).await());
  }

  @Test
  void zeroTimeout_isRefusedOrMeansNone() {
    node = TestNode.start();
    serve("my.ask", (caller, args) -> answer(3));
    ImportSpec spec = new ImportSpec("env", "ask", I, "my.ask", Optional.of(Duration.ZERO));
    InstanceRef guest = node.start(TestNode.inlineText(GUEST).withId("a").withImport(spec));
    assertEquals(List.of(3), guest.call("ask", 1).await());
  }

  @Test
  void functionThatReturnsNull_failsAtOnce() {
    node = TestNode.start();
    node.host().asyncFunction("my.async", (caller, args) -> null);
    InstanceRef async = node.start(spec("b", "my.async"));
    long start = System.nanoTime();
    Failing.with(
        Failure.HOST_FUNCTION,
        () -> async.withTimeout(Duration.ofSeconds(2)).call("ask", 1).await());
    assertTrue(System.nanoTime() - start < 1_000_000_000L);
  }

  @Test
  void servedFunctionThatReturnsNull_failsAtOnce() {
    node = TestNode.start();
    serve("my.ask", (caller, args) -> null);
    InstanceRef guest = node.start(spec("a", "my.ask"));
    Failing.with(
        Failure.HOST_FUNCTION,
        () -> guest.withTimeout(Duration.ofSeconds(2)).call("ask", 1).await());
  }

  @Test
  void outerWait_staysLent_afterAnInnerOne() throws Exception {
    node = TestNode.start();
    Promise<Void> innerDone = Promise.promise();
    Promise<List<Object>> outer = Promise.promise();
    serve(
        "my.ask",
        (caller, args) -> {
          if ((int) args.get(0) == 1) {
            return caller
                .call("ask", 2)
                .compose(
                    r -> {
                      innerDone.complete();
                      return outer.future();
                    });
          }
          return answer(5);
        });
    Future<List<Object>> call = node.start(spec("a", "my.ask")).call("ask", 1);
    innerDone.future().await();
    io.busbar.Until.isTrue(() -> waiting() == 1);
    outer.complete(List.of(1));
    call.await();
    io.busbar.Until.isTrue(() -> waiting() == 0);
  }

  @Test
  void nestedWait_onTheSameThread_needsNoMoreThreads() {
    node =
        TestNode.start(Config.from(new JsonObject("{\"workers\":{\"rights\":1,\"threads\":2}}")));
    serve("my.ask", (caller, args) -> (int) args.get(0) == 1 ? caller.call("ask", 2) : answer(5));
    assertEquals(List.of(5), node.start(spec("a", "my.ask")).call("ask", 1).await());
  }

  @Test
  void startsInsideStarts_endAtTheChainsLimit() throws Exception {
    node =
        TestNode.start(Config.from(new JsonObject("{\"workers\":{\"rights\":2,\"threads\":64}}")));
    AtomicInteger deep = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    InstanceSpec inner =
        TestNode.inlineText(
                "(module (import \"env\" \"go\" (func $f)) (func (export \"go\") (call $f)) (start $f))")
            .withImport("env", "go", NOTHING, "my.go");
    node.client()
        .serve(
            "my.go",
            NOTHING,
            (caller, args) -> {
              most.accumulateAndGet(deep.incrementAndGet(), Math::max);
              return caller
                  .start(inner)
                  .map(List.<Object>of())
                  .onComplete(x -> deep.decrementAndGet());
            })
        .await();
    try {
      node.start(inner);
    } catch (WasmException e) {
    }
    assertTrue(most.get() <= 17, "depth " + most.get());
  }

  @Test
  void startInACallback_thatComesBack_isRefusedAtOnce() {
    node = TestNode.start();
    serve(
        "my.ask",
        (caller, args) ->
            caller
                .start(
                    TestNode.inlineText("(module (import \"env\" \"go\" (func $f)) (start $f))")
                        .withImport("env", "go", NOTHING, "my.back"))
                .map(List.<Object>of(1)));
    node.client()
        .serve(
            "my.back",
            NOTHING,
            (caller, args) ->
                caller
                    .instance("a")
                    .withTimeout(Duration.ofSeconds(3))
                    .call("double", 2)
                    .map(List.<Object>of()))
        .await();
    long start = System.nanoTime();
    Failing.with(
        Failure.HOST_FUNCTION, () -> node.start(spec("a", "my.ask")).call("ask", 1).await());
    long ms = (System.nanoTime() - start) / 1_000_000;
    assertTrue(ms < 1000, "it took " + ms + " ms: it waited for itself");
  }

  @Test
  void deadlineInACallerOperation_saysDeadline() {
    node = TestNode.start();
    AtomicReference<Throwable> said = new AtomicReference<>();
    Promise<Void> told = Promise.promise();
    serve(
        "my.ask",
        (caller, args) ->
            caller
                .call("spin")
                .onComplete(
                    r -> {
                      said.set(r.cause());
                      told.complete();
                    }));
    InstanceRef guest = node.start(spec("a", "my.ask"));
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(200)).call("ask", 1).await());
    told.future().await();
    assertEquals(0, waiting());
    assertEquals(Failure.DEADLINE, ((WasmException) said.get()).failure(), said.get().toString());
  }

  @Test
  void callerMemory_thatIsNotExported_hasPagesToo() {
    node = TestNode.start();
    serve(
        "my.ask",
        (caller, args) ->
            caller
                .memory()
                .read(0, 1)
                .compose(b -> caller.memory().pages())
                .map(p -> List.<Object>of(p.intValue())));
    assertEquals(List.of(1), node.start(spec("a", "my.ask")).call("ask", 1).await());
  }

  @Test
  void closeDuringAStartThatWaits_leavesNoCallerAddress() throws Exception {
    node = TestNode.start();
    LinkedBlockingQueue<String> callers = new LinkedBlockingQueue<>();
    node.vertx()
        .eventBus()
        .consumer("my.go", m -> callers.add(m.headers().get("caller")))
        .completion()
        .await();
    Future<InstanceRef> start =
        node.client()
            .start(
                TestNode.inlineText("(module (import \"env\" \"go\" (func $f)) (start $f))")
                    .withId("d")
                    .withImport("env", "go", NOTHING, "my.go"));
    String caller = callers.poll(5, TimeUnit.SECONDS);
    node.host().close().await();
    start.transform(over -> Future.succeededFuture()).await();
    ReplyException nobody;
    do { // the address may still be about to go
      Future<Message<Object>> asked = node.vertx().eventBus().request(caller, new JsonObject());
      nobody = assertThrows(ReplyException.class, asked::await);
    } while (nobody.failureType() != ReplyFailure.NO_HANDLERS);
    assertTrue(start.isComplete());
  }

  @Test
  void tenThousandCallerOperations_areAllAnswered() throws Exception {
    node = TestNode.start();
    AtomicInteger ok = new AtomicInteger();
    AtomicInteger no = new AtomicInteger();
    List<Throwable> others = new ArrayList<>();
    List<Future<?>> all = java.util.Collections.synchronizedList(new ArrayList<>());
    serve(
        "my.ask",
        (caller, args) -> {
          for (int i = 0; i < 10_000; i++) {
            all.add(
                caller
                    .call("double", i)
                    .onComplete(
                        r -> {
                          if (r.succeeded()) ok.incrementAndGet();
                          else if (r.cause() instanceof WasmException e
                              && (e.failure() == Failure.OVERLOADED
                                  || e.failure() == Failure.NO_SUCH_CALLER)) no.incrementAndGet();
                          else others.add(r.cause());
                        }));
          }
          return answer(1);
        });
    node.start(spec("a", "my.ask")).call("ask", 1).await();
    io.busbar.Until.isTrue(() -> ok.get() + no.get() + others.size() == 10_000);
    assertEquals(List.of(), others);
    assertEquals(0, waiting());
  }

  /**
   * Four threads, two rights: at most two may wait, or nobody is left to run what they wait for.
   */
  @Test
  void nestedCallbacks_mustNotTakeEveryThread() throws Exception {
    node =
        TestNode.start(Config.from(new JsonObject("{\"workers\":{\"rights\":2,\"threads\":4}}")));
    InstanceRef target =
        node.start(TestNode.inlineText("(module (func (export \"f\")))").withId("target"));
    LinkedBlockingQueue<Promise<Void>> nested = new LinkedBlockingQueue<>();
    serve(
        "my.ask",
        (caller, args) -> {
          if ((int) args.get(0) == 2) {
            return answer(5);
          }
          return caller
              .call("ask", 2)
              .compose(
                  r -> {
                    Promise<Void> go = Promise.promise();
                    nested.add(go);
                    return go.future();
                  })
              .compose(go -> caller.instance("target").call("f"))
              .map(List.<Object>of(1));
        });
    List<Future<List<Object>>> calls = new ArrayList<>();
    List<Promise<Void>> gos = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      calls.add(
          node.start(spec("a" + i, "my.ask")).withTimeout(Duration.ofSeconds(3)).call("ask", 1));
      Promise<Void> go = nested.poll(500, TimeUnit.MILLISECONDS);
      if (go != null) {
        gos.add(go);
      }
    }
    gos.forEach(Promise::complete);
    List<String> said = new ArrayList<>();
    for (Future<List<Object>> call : calls) {
      try {
        said.add("" + call.await());
      } catch (WasmException e) {
        said.add(e.failure() + " " + e.getMessage());
      }
    }
    assertTrue(said.contains("[1]"), "nobody got through: " + said);
  }

  /** The lane's own retained right, without nesting: one of two, then a busy third. */
  @Test
  void cancelWhileWaiting_endsBothLevels() throws Exception {
    node = TestNode.start();
    LinkedBlockingQueue<Integer> asked = new LinkedBlockingQueue<>();
    serve(
        "my.ask",
        (caller, args) -> {
          int n = (int) args.get(0);
          asked.add(n);
          return n < 3 ? caller.call("plus", n + 1) : Promise.<List<Object>>promise().future();
        });
    InstanceRef guest = node.start(spec("a", "my.ask"));
    Future<List<Object>> call = guest.withOperationId("x").call("plus", 0);
    while (asked.poll(5, TimeUnit.SECONDS) != 3) {
      // deeper
    }
    assertTrue(guest.cancel("x").await());
    Failing.with(Failure.CANCELLED, call::await);
    assertEquals(List.of(8), guest.call("double", 4).await());
    assertEquals(0, waiting());
  }

  /** A message that a stopped call still sends. */
  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void threeDeep_withATrapInnermost_countsRight(Compiler.Mode mode) {
    node = TestNode.start(mode);
    serve(
        "my.ask",
        (caller, args) -> {
          int n = (int) args.get(0);
          return n < 3
              ? caller
                  .call("plus", n + 1)
                  .compose(r -> caller.call("plus", 9))
                  .map(r -> List.<Object>of((int) r.get(0) + n))
              : n == 3
                  ? caller.call("trap").transform(t -> answer(t.failed() ? 1000 : -1))
                  : answer(5);
        });
    InstanceRef guest = node.start(spec("a", "my.ask"));
    assertEquals(List.of(100 + 105 + 0), guest.call("plus", 0).await());
    assertEquals(List.of(8), guest.call("double", 4).await());
    assertEquals(0, waiting());
  }

  static Object forever(int n) {
    return List.of(forever(n + 1), forever(n + 2));
  }

  /** An Error out of a caller operation: a Java function that recurses, exported again as it is. */
  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void errorInACallerOperation_isAnswered(Compiler.Mode mode) throws Exception {
    node = TestNode.start(mode);
    node.host().function("my.deep", (c, a) -> List.of(forever(0)));
    Promise<String> told = Promise.promise();
    serve(
        "my.ask",
        (caller, args) -> {
          caller.call("deep", 1).onComplete(r -> told.tryComplete("" + r.cause()));
          return told.future().map(List.<Object>of(1));
        });
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
        (module
          (import "env" "ask" (func $ask (param i32) (result i32)))
          (import "env" "deep" (func $deep (param i32) (result i32)))
          (export "deep" (func $deep))
          (func (export "ask") (param i32) (result i32) (call $ask (local.get 0))))
        """)
                .withImport("env", "ask", I, "my.ask")
                .withImport("env", "deep", I, "my.deep"));
    String call;
    try {
      call = "" + guest.withTimeout(Duration.ofSeconds(2)).call("ask", 1).await();
    } catch (WasmException e) {
      call = e.toString();
    }
    assertTrue(!call.isEmpty());
    io.busbar.Until.isTrue(told.future()::isComplete);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\0d\\0ax: y", "", "BIG"})
  void importNames_ofAnyKind_areAsked(String name) {
    node = TestNode.start();
    String wat = name.equals("BIG") ? "n".repeat(90_000) : name;
    String java =
        switch (name) {
          case "" -> "";
          case "BIG" -> wat;
          default -> name.startsWith("\\0d") ? "\r\nx: y" : "\u2603";
        };
    serve("my.ask", (caller, args) -> answer(4));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    "(module (import \"env\" \""
                        + wat
                        + "\" (func $f (param i32) (result i32)))"
                        + " (func (export \"ask\") (param i32) (result i32) (call $f (local.get 0))))")
                .withImport("env", java, I, "my.ask"));
    assertEquals(List.of(4), guest.call("ask", 1).await());
  }

  @Test
  void forgedChain_isNeitherRepeatedAtLengthNorPassedOn() {
    node = TestNode.start();
    AtomicInteger passed = new AtomicInteger();
    node.vertx()
        .eventBus()
        .consumer(
            "my.ask",
            m -> {
              passed.set(m.headers().get("chain").length());
              m.reply(new JsonObject().put("results", new JsonArray().add(1)));
            })
        .completion()
        .await();
    node.start(spec("a", "my.ask"));
    JsonObject call = new JsonObject().put("function", "ask").put("params", new JsonArray().add(1));
    String one = "z".repeat(100_000);
    for (String forged : List.of(one + "," + one, (one + ",").repeat(17), "a,".repeat(17), ",,")) {
      ReplyException refused =
          org.junit.jupiter.api.Assertions.assertThrows(
              ReplyException.class,
              () ->
                  node.vertx()
                      .eventBus()
                      .request(
                          "wasm.instance.a",
                          call,
                          new DeliveryOptions()
                              .addHeader("action", "call")
                              .addHeader("chain", forged))
                      .await());
      assertEquals(4000, refused.failureCode());
      assertTrue(refused.getMessage().length() < 300, refused.getMessage());
    }
    assertEquals(0, passed.get());
  }

  @Test
  void stoppedCall_sendsNoMoreMessages() throws Exception {
    node = TestNode.start();
    AtomicInteger sent = new AtomicInteger();
    node.vertx().eventBus().consumer("my.ask", m -> sent.incrementAndGet()).completion().await();
    node.host()
        .function(
            "my.slow",
            (c, a) -> {
              long end = System.nanoTime() + 150_000_000L;
              while (System.nanoTime() < end) {
                Thread.onSpinWait();
              }
              return List.of(1);
            });
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
        (module
          (import "env" "ask" (func $ask (param i32) (result i32)))
          (import "env" "slow" (func $slow (param i32) (result i32)))
          (func (export "go") (param i32) (result i32) (call $ask (call $slow (local.get 0)))))
        """)
                .withImport("env", "ask", I, "my.ask")
                .withImport("env", "slow", I, "my.slow"));
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(50)).call("go", 1).await());
    guest.exists("go").await();
    assertEquals(0, sent.get());
  }
}
