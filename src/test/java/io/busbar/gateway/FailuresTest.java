package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each failure comes in the same words by every way in. */
class FailuresTest {
  private static final TestGateway GATEWAY =
      TestGateway.of(
          Config.from(new JsonObject("{\"node\":\"here\"}")),
          HttpGateway.Options.dev("127.0.0.1", 0));
  private static final List<WayIn> WAYS = WayIn.all(GATEWAY.clients, Map.of());
  private static final String GUEST =
      """
      (module $guest
        (import "env" "ask" (func $ask))
        (memory (export "memory") 100 100)
        (global (export "count") (mut i32) (i32.const 0))
        (global (export "pi") f32 (f32.const 3.14))
        (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1)))
        (func (export "divide") (param i32 i32) (result i32)
          (i32.div_s (local.get 0) (local.get 1)))
        (func $f (export "self") (result funcref) (ref.func $f))
        (elem declare func $f)
        (func (export "ask") (call $ask))
        (func (export "spin") (loop (br 0))))
      """;
  private static final String EXITING =
      """
      (module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "exit") (param i32) (call $exit (local.get 0))))
      """;

  private static final String AT_GUEST = "\"instance\":\"guest\",\"node\":\"here\"";
  private static final String AT_NEW = "\"instance\":\"new\",\"node\":\"here\"";

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  @BeforeAll
  static void start() {
    String ask = "\"imports\":{\"env\":{\"ask\":{\"address\":\"my.nobody\"}}}";
    start("guest", GUEST, ask);
    start("metered", GUEST, ask + ",\"limits\":{\"fuel\":1000}");
    start("busy", GUEST, ask + ",\"limits\":{\"mailbox\":1}");
    start("exiting", EXITING, "\"wasi\":true");
    start("empty", "(module)", "\"address\":false");
  }

  private static void start(String id, String wat, String more) {
    JsonObject spec = new JsonObject("{" + more + "}");
    spec.put("id", id).put("module", new JsonObject().put("wat", wat));
    JsonObject said = WAYS.get(1).ask(Question.at("wasm.instances", "start", spec.encode()));
    assertEquals(id, said.getString("id"), said::encode);
  }

  record Row(Failure failure, String message, String details, Question question) {
    String error() {
      JsonObject error =
          new JsonObject()
              .put("code", failure.code())
              .put("name", failure.name())
              .put("message", message)
              .mergeIn(new JsonObject("{" + details + "}"));
      return error.encode();
    }

    @Override
    public String toString() {
      return failure + ": " + question;
    }
  }

  /** Of the instance {@code guest}. */
  private static Row guest(Failure failure, String message, Question question) {
    return new Row(failure, message, AT_GUEST, question);
  }

  private static Row row(Failure failure, String message, String details, Question question) {
    return new Row(failure, message, details, question);
  }

  private static Question of(String action, String body) {
    return Question.of("guest", action, body);
  }

  private static Question call(String function, String params) {
    return Question.call("guest", function, params);
  }

  private static Question start(String spec) {
    return Question.at("wasm.instances", "start", "{\"id\":\"new\"," + spec + "}");
  }

  private static Question startText(String wat, String more) {
    return start("\"module\":" + new JsonObject().put("wat", wat).encode() + more);
  }

  private static Question modules(String action, String body) {
    return Question.at("wasm.modules", action, body);
  }

  static Stream<Row> rows() {
    return Stream.of(
            requests(), modules(), absent(), conflicts(), bounds(), inTheGuest(), unavailable())
        .flatMap(rows -> rows);
  }

  private static Stream<Row> requests() {
    return Stream.of(
        guest(
            Failure.BAD_REQUEST,
            "could not load 'function params': `params` must be a list. Given `1`.",
            of("call", "{\"function\":\"sum\",\"params\":1}")),
        row(
            Failure.BAD_REQUEST,
            "bad instance id `-guest`: 1 to 128 letters, digits, `.`, `_` or `-`, the first a letter"
                + " or digit",
            "",
            Question.of("-guest", "describe", "{}")),
        row(Failure.BAD_REQUEST, "unknown field `modul` in a spec", "", start("\"modul\":\"x\"")),
        guest(
            Failure.BAD_PARAMS,
            "number of params does not match. expected 2, got 1",
            call("sum", "[1]")),
        guest(
            Failure.BAD_PARAMS,
            "Cannot convert argument #1 to a WebAssembly i32 value.",
            call("sum", "[3.0,1]")),
        guest(
            Failure.BAD_PARAMS,
            "Cannot convert argument #2 to a WebAssembly i32 value. Given `String`.",
            call("sum", "[1,\"x\"]")),
        guest(
            Failure.BAD_PARAMS,
            "Cannot convert to a WebAssembly i32 value. Given `Null`.",
            of("set-global", "{\"global\":\"count\",\"value\":null}")));
  }

  private static Stream<Row> modules() {
    return Stream.of(
        row(
            Failure.INVALID_MODULE,
            "Error while parsing bytes: unknown binary version 2, layer 0 at offset 4",
            "",
            modules("put", "{\"bytes\":\"AGFzbQIAAAA=\"}")),
        row(
            Failure.INVALID_MODULE,
            """
            Error while parsing bytes: 1:15: type mismatch in implicit return, expected [i32] but got []
            (module (func (result i32)))
                          ^""",
            AT_NEW,
            startText("(module (func (result i32)))", "")),
        row(
            Failure.LINK,
            "unknown import: `env::f` has not been defined",
            AT_NEW,
            startText("(module (import \"env\" \"f\" (func)))", "")),
        row(
            Failure.NO_SUCH_MODULE,
            "module `none` not found",
            "",
            modules("describe", "{\"module\":\"none\"}")),
        row(
            Failure.NO_SUCH_MODULE,
            "module `none:1` not found",
            AT_NEW,
            start("\"module\":\"none:1\"")));
  }

  private static Stream<Row> absent() {
    return Stream.of(
        row(
            Failure.NO_SUCH_INSTANCE,
            "instance `nobody` not found",
            "\"instance\":\"nobody\"",
            Question.call("nobody", "sum", "[]")),
        guest(
            Failure.NO_SUCH_EXPORT, "exported function `sun` not found", call("sun", "[1,\"x\"]")),
        guest(
            Failure.NO_SUCH_GLOBAL,
            "exported global `x` not found",
            of("get-global", "{\"global\":\"x\"}")),
        row(
            Failure.NO_SUCH_MEMORY,
            "The WebAssembly module has no exported memory.",
            "\"instance\":\"empty\",\"node\":\"here\"",
            Question.of("empty", "memory", "{}")));
  }

  private static Stream<Row> conflicts() {
    return Stream.of(
        row(
            Failure.CONFLICT,
            "instance `guest` exists already",
            "",
            Question.at(
                "wasm.instances", "start", "{\"id\":\"guest\",\"module\":{\"wat\":\"(module)\"}}")),
        guest(
            Failure.IMMUTABLE_GLOBAL,
            "Could not set global: immutable global cannot be set",
            of("set-global", "{\"global\":\"pi\",\"value\":3}")),
        guest(
            Failure.NO_FUEL,
            "Could not get fuel: fuel is not configured in this store",
            of("get-fuel", "{}")),
        guest(
            Failure.NO_FUEL,
            "Could not set fuel: fuel is not configured in this store",
            of("set-fuel", "{\"fuel\":1}")));
  }

  private static Stream<Row> bounds() {
    return Stream.of(
        guest(
            Failure.TOO_LARGE,
            "a slice of 5000000 bytes; at most 4194304 are moved at once",
            of("read-memory", "{\"offset\":0,\"length\":5000000}")),
        guest(
            Failure.OUT_OF_BOUNDS,
            "out of bounds memory access",
            of("read-memory", "{\"offset\":6553600,\"length\":1}")),
        guest(
            Failure.OUT_OF_BOUNDS,
            "out of bounds memory access",
            of("write-memory", "{\"offset\":6553599,\"bytes\":\"AAA=\"}")),
        guest(
            Failure.LIMIT,
            "Failed to grow the memory: failed to grow memory by `3`.",
            of("grow-memory", "{\"pages\":3}")),
        row(
            Failure.LIMIT,
            "memory minimum size of 17 pages exceeds memory limits",
            AT_NEW,
            startText("(module (memory 17))", ",\"limits\":{\"memoryBytes\":65536}")));
  }

  private static Stream<Row> inTheGuest() {
    return Stream.of(
        guestThat(
            Failure.TRAP,
            "wasm trap: integer divide by zero",
            "\"trap\":\"integer divide by zero\",\"frames\":[\"guest!divide\"]",
            call("divide", "[1,0]")),
        row(
            Failure.EXIT,
            "the guest exited with 3",
            "\"exit\":3,\"instance\":\"exiting\",\"node\":\"here\"",
            Question.call("exiting", "exit", "[3]")),
        guestThat(
            Failure.HOST_FUNCTION,
            "import `env.ask` failed: nobody answers at `my.nobody`",
            "\"cause\":{\"code\":5030,\"name\":\"UNAVAILABLE\","
                + "\"message\":\"nobody answers at `my.nobody`\"}",
            call("ask", "[]")),
        guest(
            Failure.BAD_RESULT,
            "a non-null funcref came out: a reference cannot leave its instance",
            call("self", "[]")),
        row(
            Failure.OUT_OF_FUEL,
            "wasm trap: all fuel consumed by WebAssembly",
            "\"trap\":\"all fuel consumed by WebAssembly\",\"frames\":[\"guest!spin\"],"
                + "\"instance\":\"metered\",\"node\":\"here\"",
            Question.call("metered", "spin", "[]")),
        guestThat(
            Failure.DEADLINE,
            "deadline of 50 ms exceeded (interrupted)",
            "\"ran\":\"interrupted\"",
            call("spin", "[]").within(50)));
  }

  private static Row guestThat(Failure failure, String message, String details, Question question) {
    return new Row(failure, message, details + "," + AT_GUEST, question);
  }

  private static Stream<Row> unavailable() {
    return Stream.of(
        row(
            Failure.UNAVAILABLE,
            "no node has the labels {zone=a}",
            "",
            startText("(module)", ",\"placement\":{\"labels\":{\"zone\":\"a\"}}")));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void failure_isTheSameByEveryWay(Row row) {
    assertFails(WAYS, row);
  }

  private static void assertFails(List<WayIn> ways, Row row) {
    for (WayIn way : ways) {
      JsonObject answer = way.ask(row.question);
      assertEquals("{\"error\":" + row.error() + "}", answer.encode(), way::toString);
      if (way instanceof WayIn.Bridge bridge) {
        assertEquals(asOnTheBus(row), bridge.failure(row.question));
      }
    }
  }

  private static JsonObject asOnTheBus(Row row) {
    return new JsonObject()
        .put("type", "err")
        .put("address", "r")
        .put("failureCode", row.failure.code())
        .put("failureType", "RECIPIENT_FAILURE")
        .put("message", row.message);
  }

  @Test
  void busyInstance_isOverloaded_lateOrCancelled_byEveryWay() {
    InstanceRef busy = GATEWAY.node.client().instance("busy").withTimeout(Duration.ZERO);
    String at = "\"instance\":\"busy\",\"node\":\"here\"";
    var spinning = busy.withOperationId("spin").call("spin");
    Until.isTrue(() -> busy.describe().await().getBoolean("running"));
    Question sum = Question.call("busy", "sum", "[1,2]");
    assertFails(
        WAYS,
        row(
            Failure.DEADLINE,
            "deadline of 30 ms exceeded (never)",
            "\"ran\":\"never\"," + at,
            sum.within(30)));
    var waiting = busy.call("sum", 1, 2);
    Until.isTrue(() -> busy.describe().await().getInteger("queue") == 1);
    assertFails(
        WAYS,
        row(Failure.OVERLOADED, "the mailbox of instance `busy` is full (1 operations)", at, sum));
    busy.cancel("spin").await();
    assertEquals(List.of(3), waiting.await());
    Failing.with(Failure.CANCELLED, spinning::await);
  }

  @Test
  void instanceThatIsStopped_cancelsWhatRuns_byEveryWay() {
    for (WayIn way : WAYS) {
      start("stopped", GUEST, "\"imports\":{\"env\":{\"ask\":{\"address\":\"my.nobody\"}}}");
      var stopped = GATEWAY.node.client().instance("stopped");
      Question spin = Question.call("stopped", "spin", "[]").within(0);
      CompletableFuture<JsonObject> answer = CompletableFuture.supplyAsync(() -> way.ask(spin));
      Until.isTrue(() -> stopped.describe().await().getBoolean("running"));
      stopped.stop().await();
      Row row =
          row(
              Failure.CANCELLED,
              "instance `stopped` was stopped",
              "\"instance\":\"stopped\",\"node\":\"here\"",
              spin);
      assertEquals("{\"error\":" + row.error() + "}", answer.join().encode(), way::toString);
    }
  }

  @Test
  void codeThatNobodyKnows_isInternal_byEveryWay() {
    GATEWAY
        .node
        .vertx()
        .eventBus()
        .consumer("wasm.instance.odd", message -> message.fail(7, "odd"))
        .completion()
        .await();
    assertFails(WAYS, row(Failure.INTERNAL, "odd", "", Question.of("odd", "memory", "{}")));
  }

  @Test
  void gatewayThatDrains_isUnavailable_byEveryWay() {
    try (TestGateway draining = TestGateway.dev()) {
      List<WayIn> ways = WayIn.all(draining.clients, Map.of());
      draining.gateway.drain();
      assertFails(
          ways,
          row(
              Failure.UNAVAILABLE,
              "the node is closing",
              "",
              Question.at("wasm.instances", "list", "{}")));
    }
  }

  @Test
  void whatIsNotAllowed_isRefused_byEveryWay() {
    try (TestGateway guarded = TestGateway.of(TestGateway.guarded())) {
      String rules =
          "[{\"instances\":[\"calc\"],\"operations\":[\"call\"],\"functions\":[\"sum\"]}]";
      Map<String, String> known = Map.of("Authorization", "Bearer " + guarded.token("ann", rules));
      List<WayIn> ways = WayIn.all(guarded.clients, known);
      assertFails(
          ways,
          row(
              Failure.FORBIDDEN,
              "`describe` of instance `calc` is not allowed",
              "",
              Question.of("calc", "describe", "{}")));
      assertFails(
          ways,
          row(
              Failure.NO_SUCH_INSTANCE,
              "instance `other` not found",
              "\"instance\":\"other\"",
              Question.of("other", "describe", "{}")));
      assertFails(
          ways,
          row(
              Failure.FORBIDDEN,
              "`list` of nodes is not allowed",
              "",
              Question.at("wasm.nodes", "list", "{}")));
    }
  }

  @Test
  void strangers_areRefused_byEveryWay() {
    try (TestGateway guarded = TestGateway.of(TestGateway.guarded())) {
      Question list = Question.at("wasm.instances", "list", "{}");
      Row row = row(Failure.UNAUTHENTICATED, "the token or key is not valid", "", list);
      Map<String, String> bad = Map.of("Authorization", "Bearer x.y.z");
      assertFails(List.of(new WayIn.Http(guarded.clients, bad)), row);
      for (Runnable opening :
          List.<Runnable>of(() -> guarded.socket(bad), () -> guarded.bridge(bad))) {
        assertEquals(401, assertThrows(UpgradeRejectedException.class, opening::run).getStatus());
      }
      TestSocket socket = guarded.socket();
      JsonObject token = new JsonObject().put("token", "x.y.z");
      JsonObject said =
          socket.ask(new JsonObject().put("action", "authenticate").put("body", token));
      assertEquals(row.error(), said.getJsonObject("error").encode());
      assertEquals(1008, socket.closed());
      TestSocket bridge = guarded.bridge(Map.of());
      JsonObject headers = new JsonObject().put("authorization", "Bearer x.y.z");
      bridge.send(WayIn.Bridge.frame(list, headers));
      assertEquals(asOnTheBus(row), bridge.next());
      assertEquals(1008, bridge.closed());
    }
  }
}
