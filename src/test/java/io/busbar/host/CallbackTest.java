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
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.V128;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Imports answered over the bus, and what their callbacks may do to the guest that waits. */
class CallbackTest {
  private static final Signature I32_TO_I32 =
      Signature.of(List.of(ValueType.I32), List.of(ValueType.I32));
  private static final String GUEST =
      """
      (module $guest
        (import "env" "ask" (func $ask (param i32) (result i32)))
        (memory (export "memory") 1 10)
        (global $g (export "g") (mut i32) (i32.const 1))
        (func (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
        (func (export "plus") (param i32) (result i32)
          (i32.add (i32.const 100) (call $ask (local.get 0))))
        (func (export "double") (param i32) (result i32)
          (i32.mul (i32.const 2) (local.get 0)))
        (func (export "global") (result i32) (global.get $g))
        (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "trap") (unreachable)))
      """;

  private TestNode node = TestNode.start();

  @AfterEach
  void stop() {
    node.close();
  }

  private InstanceRef guest(String id, String address) {
    return node.start(spec(id, address));
  }

  private static InstanceSpec spec(String id, String address) {
    return TestNode.inlineText(GUEST).withId(id).withImport("env", "ask", I32_TO_I32, address);
  }

  private void serve(String address, ImportFunction function) {
    node.client().serve(address, I32_TO_I32, function).await();
  }

  private static Future<List<Object>> answer(Object value) {
    return Future.succeededFuture(List.of(value));
  }

  @Test
  void import_isARequestWithTheseHeadersAndThisBody() throws InterruptedException {
    LinkedBlockingQueue<Message<JsonObject>> asked = new LinkedBlockingQueue<>();
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "my.ask",
            message -> {
              asked.add(message);
              message.reply(new JsonObject().put("results", new JsonArray().add(7)));
            })
        .completion()
        .await();
    assertEquals(List.of(7), guest("a", "my.ask").call("ask", 5).await());
    Message<JsonObject> message = asked.poll(5, TimeUnit.SECONDS);
    assertEquals("{\"params\":[5]}", message.body().encode());
    assertEquals("a", message.headers().get("instance"));
    assertEquals("env.ask", message.headers().get("import"));
    assertEquals("a", message.headers().get("chain"));
    assertTrue(message.headers().get("caller").matches("wasm\\.caller\\.[0-9a-f]{32}"));
    int rest = Integer.parseInt(message.headers().get("timeout"));
    assertTrue(rest > 3000 && rest <= 5000, "the rest of the call's time: " + rest);
  }

  @Test
  void values_ofEveryType_goThereAndBack() {
    List<ValueType> types =
        List.of(ValueType.I32, ValueType.I64, ValueType.F32, ValueType.F64, ValueType.V128);
    Signature all = Signature.of(types, types);
    node.client().serve("my.echo", all, (caller, args) -> Future.succeededFuture(args)).await();
    String t = "i32 i64 f32 f64 v128";
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    "(module (import \"env\" \"echo\" (func $f (param %s) (result %s)))"
                            .formatted(t, t)
                        + "(func (export \"echo\") (param %s) (result %s)".formatted(t, t)
                        + " (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3)"
                        + " (local.get 4))))")
                .withImport("env", "echo", all, "my.echo"));
    List<Object> values =
        List.of(-1, Long.MIN_VALUE, 1.1f, Double.NEGATIVE_INFINITY, new V128(-1, 7));
    assertEquals(values, guest.call("echo", values).await());
    List<Object> others = List.of(Integer.MIN_VALUE, 1L << 53, Float.NaN, 0.1, new V128(0, 0));
    assertEquals(others, guest.call("echo", others).await());
  }

  @Test
  void caller_reachesEverything_whileItIsAsked() {
    serve(
        "my.ask",
        (caller, args) ->
            caller
                .setGlobal("g", 42)
                .compose(set -> caller.memory().write(0, Buffer.buffer(new byte[] {23})))
                .compose(done -> caller.memory().grow(2))
                .compose(before -> caller.exists("double"))
                .compose(exists -> caller.call("double", args))
                .compose(
                    doubled ->
                        caller
                            .memory()
                            .pages()
                            .map(pages -> List.of((int) doubled.get(0) + pages.intValue()))));
    InstanceRef guest = guest("a", "my.ask");
    assertEquals(List.of(2 * 5 + 3 + 100), guest.call("plus", 5).await());
    assertEquals(List.of(42), guest.call("global").await());
    assertEquals(List.of(23), guest.call("byte", 0).await());
  }

  @Test
  void caller_isAskedByManyAtOnce_andATrapThereHurtsNobody() {
    serve(
        "my.ask",
        (caller, args) -> {
          List<Future<List<Object>>> many =
              IntStream.range(0, 50).mapToObj(i -> caller.call("double", i)).toList();
          return caller
              .call("trap")
              .transform(trapped -> Future.join(many))
              .map(all -> List.of(many.get(49).result().get(0)));
        });
    assertEquals(List.of(98 + 100), guest("a", "my.ask").call("plus", 1).await());
  }

  @Test
  void caller_startsAnotherInstance() {
    serve(
        "my.ask",
        (caller, args) ->
            caller
                .start(TestNode.inline("multi").withId("other"))
                .compose(other -> other.call("fib", args)));
    assertEquals(List.of(55), guest("a", "my.ask").call("ask", 10).await());
    assertEquals(List.of(1), node.client().instance("other").call("next").await());
  }

  @Test
  void caller_afterItsAnswer_isNoLongerValid() {
    LinkedBlockingQueue<CallerRef> kept = new LinkedBlockingQueue<>();
    serve(
        "my.ask",
        (caller, args) -> {
          kept.add(caller);
          return answer(1);
        });
    InstanceRef guest = guest("a", "my.ask");
    guest.call("ask", 1).await();
    CallerRef stale = kept.remove();
    Failing.with(
        Failure.NO_SUCH_CALLER, "Caller is no longer valid", () -> stale.call("double", 1).await());
    for (int i = 0; i < 300; i++) {
      guest.call("ask", 1).await();
    }
    Failing.with(
        Failure.NO_SUCH_CALLER, "Caller is no longer valid", () -> stale.exists("double").await());
  }

  @Test
  void caller_forRawMessages_isAnAddressLikeAnInstances() {
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "my.ask",
            message ->
                node.vertx()
                    .eventBus()
                    .<JsonObject>request(
                        message.headers().get("caller"),
                        new JsonObject()
                            .put("function", "double")
                            .put("params", message.body().getJsonArray("params")),
                        new DeliveryOptions().addHeader("action", "call"))
                    .onComplete(
                        doubled -> message.reply(doubled.body()),
                        failed -> message.fail(1, failed.getMessage())))
        .completion()
        .await();
    assertEquals(List.of(14), guest("a", "my.ask").call("ask", 7).await());
  }

  @Test
  void instanceAsked_fromItsOwnCallback_refersToTheCaller() {
    serve("my.ask", (caller, args) -> caller.instance(caller.id()).call("double", args));
    InstanceRef guest = guest("a", "my.ask");
    WasmException failed = Failing.with(Failure.HOST_FUNCTION, () -> guest.call("ask", 1).await());
    assertEquals(
        "import `env.ask` failed: instance `a` waits for this callback: use the caller",
        failed.getMessage());
    assertEquals(List.of(2), guest.call("double", 1).await());
  }

  @Test
  void instanceAsked_withTheCallerHeaderAlone_refersToTheCallerToo() {
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(
            "my.ask",
            message ->
                node.vertx()
                    .eventBus()
                    .<JsonObject>request(
                        "wasm.instance.a",
                        new JsonObject().put("function", "double"),
                        new DeliveryOptions()
                            .addHeader("action", "call")
                            .addHeader("caller", message.headers().get("caller")))
                    .onFailure(
                        e -> message.fail(((ReplyException) e).failureCode(), e.getMessage())))
        .completion()
        .await();
    WasmException failed =
        Failing.with(Failure.HOST_FUNCTION, () -> guest("a", "my.ask").call("ask", 1).await());
    assertTrue(failed.getMessage().endsWith("use the caller"), failed.getMessage());
    assertEquals(4000, ((Map<?, ?>) failed.details().get("cause")).get("code"));
  }

  @Test
  void ringOfInstances_isFoundByItsChain() {
    for (String[] next : new String[][] {{"a", "b"}, {"b", "c"}, {"c", "a"}}) {
      serve("to." + next[1], (caller, args) -> caller.instance(next[1]).call("ask", args));
      guest(next[0], "to." + next[1]);
    }
    WasmException failed =
        Failing.with(
            Failure.HOST_FUNCTION, () -> node.client().instance("a").call("ask", 1).await());
    assertTrue(
        failed.getMessage().endsWith("call chain a → b → c → a comes back to `a`"),
        failed.getMessage());
    assertEquals(List.of(4), node.client().instance("a").call("double", 2).await());
  }

  @Test
  void chainOfManyInstances_isBounded() {
    serve(
        "to.next",
        (caller, args) -> {
          int number = Integer.parseInt(caller.id().substring(1));
          return caller.instance("i" + (number + 1)).call("ask", args);
        });
    for (int i = 0; i < 20; i++) {
      guest("i" + i, "to.next");
    }
    WasmException failed =
        Failing.with(
            Failure.HOST_FUNCTION, () -> node.client().instance("i0").call("ask", 1).await());
    assertTrue(failed.getMessage().endsWith("is longer than 16"), failed.getMessage());
  }

  @Test
  void waitingGuests_leaveTheirRightsToOthers() {
    node.close();
    node =
        TestNode.start(Config.from(new JsonObject("{\"workers\":{\"rights\":1,\"threads\":64}}")));
    serve("to.worker", (caller, args) -> caller.instance("worker").call("double", args));
    node.start(
        TestNode.inlineText(
                GUEST
                    .replace("(import \"env\" \"ask\" (func $ask (param i32) (result i32)))", "")
                    .replace("(call $ask (local.get 0))", "(i32.const 0)"))
            .withId("worker"));
    List<InstanceRef> guests =
        IntStream.range(0, 40).mapToObj(i -> guest("w" + i, "to.worker")).toList();
    List<Future<List<Object>>> calls = guests.stream().map(g -> g.call("ask", 4)).toList();
    calls.forEach(call -> assertEquals(List.of(8), call.await()));
  }

  @Test
  void moreWaitingGuestsThanThreads_areRefusedInsteadOfWaitingForEachOther() {
    node.close();
    node =
        TestNode.start(Config.from(new JsonObject("{\"workers\":{\"rights\":1,\"threads\":4}}")));
    Promise<List<Object>> gate = Promise.promise();
    serve("my.gate", (caller, args) -> gate.future());
    List<InstanceRef> guests =
        IntStream.range(0, 5).mapToObj(i -> guest("w" + i, "my.gate")).toList();
    List<Future<List<Object>>> calls = guests.stream().map(g -> g.call("ask", 4)).toList();
    LinkedBlockingQueue<Throwable> refused = new LinkedBlockingQueue<>();
    calls.forEach(call -> call.onFailure(refused::add));
    for (int i = 0; i < 2; i++) {
      assertEquals(
          "import `env.ask` failed: 3 calls wait on this node", poll(refused).getMessage());
    }
    gate.complete(List.of(1));
    Future.join(calls).transform(done -> Future.succeededFuture()).await();
    assertEquals(3, calls.stream().filter(Future::succeeded).count());
  }

  private WasmException callFails(InstanceRef guest, String text) {
    WasmException failed =
        Failing.with(Failure.HOST_FUNCTION, text, () -> guest.call("ask", 1).await());
    assertEquals(List.of(6), guest.call("double", 3).await(), "the instance lives");
    return failed;
  }

  private static Object causeCode(WasmException failed) {
    return ((Map<?, ?>) failed.details().get("cause")).get("code");
  }

  @Test
  void addressWithoutAnybody_failsTheCallAtOnce() {
    WasmException failed =
        callFails(guest("a", "no.one"), "import `env.ask` failed: nobody answers at `no.one`");
    assertEquals(5030, causeCode(failed));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "wasm.instances", "wasm.instance.a", "__vertx.reply.1"})
  void addressesOfOurOwn_areNoImports(String address) {
    WasmException refused = Failing.with(Failure.BAD_REQUEST, () -> guest("a", address));
    assertTrue(
        refused.getMessage().startsWith("bad address of import env.ask"), refused.getMessage());
  }

  @Test
  void failedReply_isTheCause() {
    node.vertx()
        .eventBus()
        .consumer("my.bad", message -> message.fail(4711, "no luck"))
        .completion()
        .await();
    WasmException failed = callFails(guest("a", "my.bad"), "import `env.ask` failed: no luck");
    assertEquals(4711, causeCode(failed));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"results\":[]}",
        "{\"results\":[1,2]}",
        "{\"results\":[\"x\"]}",
        "{\"results\":[1.5]}",
        "{\"results\":[3000000000]}",
        "{\"results\":[null]}",
        "{\"results\":7}",
        "{\"result\":[1]}"
      })
  void nonsenseAnswers_failTheCallAndNotTheInstance(String json) {
    node.vertx()
        .eventBus()
        .consumer("my.bad", message -> message.reply(new JsonObject(json)))
        .completion()
        .await();
    InstanceRef guest = guest("a", "my.bad");
    Failing.with(Failure.HOST_FUNCTION, () -> guest.call("ask", 1).await());
    assertEquals(List.of(6), guest.call("double", 3).await());
  }

  @Test
  void answersThatAreNoObject_failTheCallAndNotTheInstance() {
    for (Object bad : new Object[] {"text", 7, Buffer.buffer("{}"), new JsonArray().add(1)}) {
      var consumer = node.vertx().eventBus().consumer("my.bad", message -> message.reply(bad));
      consumer.completion().await();
      InstanceRef guest = guest("a", "my.bad");
      Failing.with(Failure.HOST_FUNCTION, () -> guest.call("ask", 1).await());
      assertEquals(List.of(6), guest.call("double", 3).await());
      guest.stop().await();
      consumer.unregister().await();
    }
  }

  @Test
  void secondAndLateAnswers_areNobodysConcern() {
    LinkedBlockingQueue<Message<Object>> asked = new LinkedBlockingQueue<>();
    node.vertx().eventBus().consumer("my.twice", asked::add).completion().await();
    InstanceRef guest = guest("a", "my.twice");
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(50)).call("ask", 1).await());
    JsonObject one = new JsonObject().put("results", new JsonArray().add(1));
    asked.remove().reply(one);
    Future<List<Object>> second = guest.call("ask", 2);
    Message<Object> message = poll(asked);
    message.reply(new JsonObject().put("results", new JsonArray().add(2)));
    message.reply(one);
    assertEquals(List.of(2), second.await());
    assertEquals(List.of(6), guest.call("double", 3).await());
  }

  private static <T> T poll(LinkedBlockingQueue<T> queue) {
    try {
      return queue.poll(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void answerThatNeverComes_isTheImportsOrTheCallsDeadline() {
    serve("my.never", (caller, args) -> Promise.<List<Object>>promise().future());
    InstanceRef patient = guest("a", "my.never");
    WasmException late =
        Failing.with(
            Failure.DEADLINE,
            () -> patient.withTimeout(Duration.ofMillis(100)).call("ask", 1).await());
    assertEquals("interrupted", late.details().get("ran"));
    assertEquals(List.of(6), patient.call("double", 3).await());
    InstanceRef impatient =
        node.start(
            TestNode.inlineText(GUEST)
                .withImport(
                    new ImportSpec(
                        "env",
                        "ask",
                        I32_TO_I32,
                        "my.never",
                        Optional.of(Duration.ofMillis(100)))));
    WasmException failed =
        callFails(impatient, "import `env.ask` failed: no answer from `my.never` in 100 ms");
    assertEquals(5040, causeCode(failed));
  }

  @Test
  void startSection_mayAskOverTheBus() {
    serve("my.ask", (caller, args) -> answer((int) args.get(0) + 1));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "ask" (func $ask (param i32) (result i32)))
                      (global $g (export "g") (mut i32) (i32.const 0))
                      (func $s (global.set $g (call $ask (i32.const 41))))
                      (start $s))
                    """)
                .withImport("env", "ask", I32_TO_I32, "my.ask"));
    assertEquals(42, guest.global("g").await());
    Failing.with(
        Failure.HOST_FUNCTION,
        () ->
            node.start(
                TestNode.inlineText("(module (import \"env\" \"ask\" (func $f)) (start $f))")
                    .withId("gone")
                    .withImport("env", "ask", Signature.of(List.of(), List.of()), "no.one")));
    Failing.with(Failure.NO_SUCH_INSTANCE, () -> node.client().instance("gone").call("x").await());
  }

  @Test
  void asyncJavaFunction_answersWithoutAMessage() {
    node.host()
        .asyncFunction(
            "my.async",
            (caller, args) -> caller.call("double", args).map(r -> List.of((int) r.get(0) + 1)));
    assertEquals(List.of(7), guest("a", "my.async").call("ask", 3).await());
  }

  @Test
  void tenThousandCallbacks_inOneCall() {
    serve("my.inc", (caller, args) -> answer((int) args.get(0) + 1));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "inc" (func $inc (param i32) (result i32)))
                      (func (export "loop") (param i32) (result i32) (local $n i32)
                        (loop
                          (local.set $n (call $inc (local.get $n)))
                          (br_if 0 (i32.lt_s (local.get $n) (local.get 0))))
                        (local.get $n)))
                    """)
                .withImport("env", "inc", I32_TO_I32, "my.inc"));
    assertEquals(
        List.of(10_000), guest.withTimeout(Duration.ofSeconds(60)).call("loop", 10_000).await());
  }

  @Test
  void closedServer_answersNoMore() {
    var server = node.client().serve("my.ask", I32_TO_I32, (c, args) -> answer(1)).await();
    InstanceRef guest = guest("a", "my.ask");
    assertEquals(List.of(1), guest.call("ask", 1).await());
    server.close().await();
    callFails(guest, "import `env.ask` failed: nobody answers at `my.ask`");
    assertThrows(WasmException.class, () -> guest.call("plus", 1).await());
  }
}
