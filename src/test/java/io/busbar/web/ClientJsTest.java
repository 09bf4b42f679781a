package io.busbar.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.gateway.Credentials;
import io.busbar.gateway.HttpGateway;
import io.busbar.gateway.Permissions;
import io.busbar.gateway.Roles;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.wire.Addresses;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The JavaScript client against a real node: what it can ask, and what it does when it breaks. */
class ClientJsTest {
  private final TestNode node = TestNode.start();
  private HttpGateway gateway;

  @BeforeEach
  void start() {
    gateway = open(HttpGateway.Options.dev("127.0.0.1", 0));
    node.start(TestNode.inline("console").withId("calc"));
  }

  @AfterEach
  void stop() {
    gateway.close().await();
    node.close();
  }

  private HttpGateway open(HttpGateway.Options options) {
    return HttpGateway.open(
            node.vertx(), options, Addresses.STANDARD, 1 << 20, Duration.ofMinutes(1))
        .await();
  }

  private List<String> run(String program) {
    try (Script script = Script.start(gateway.port(), program)) {
      return script.rest();
    }
  }

  private static List<String> lines(String text) {
    return text.strip().lines().toList();
  }

  // what can be asked

  @Test
  void call_hasTheShapeOfTheWebAssemblyApi() {
    assertEquals(
        lines(
            """
            42
            undefined
            [2.5,"9007199254740993"] "9007199254740993"
            ["NaN",-1]
            43
            """),
        run(
            """
            const calc = busbar.instance("calc");
            tell(await calc.call("sum", 50, -8));
            tell(await calc.call("count_up"));
            tell(await calc.call("swap", 9007199254740993n, 2.5), await calc.global("far"));
            tell(await calc.exports.swap(-1, NaN));
            tell(await calc.global("count"));
            """));
  }

  @Test
  void calls_areAnsweredOneByOne() {
    assertEquals(
        lines("[3,\"TRAP\",null]"),
        run(
            """
            const [sum, bad, none] = await busbar
              .instance("calc")
              .calls([["sum", 1, 2], ["divide", 1, 0], ["count_up"]]);
            tell([sum, bad.name, none]);
            """));
  }

  @Test
  void namesOfGuests_meanNothingToTheClient() {
    assertEquals(
        lines(
            """
            7 8 9
            true
            """),
        run(
            """
            const calc = await busbar.instance("calc"); // a handle is no promise
            const { exports } = calc;
            await exports;
            tell(
              await exports["<img src=x onerror=alert(1)>"](),
              await exports.__proto__(),
              await calc.call("then"),
            );
            tell({}.results === undefined);
            """));
  }

  @Test
  void globalsAndMemory_areReadAndWritten() {
    assertEquals(
        lines(
            """
            true false
            42 43 43
            {"memory":"memory","pages":1,"bytes":65536}
            "<script>"
            5 [104,195,182,0] "hö"
            2 [1,2]
            1 {"memory":"memory","pages":3,"bytes":196608}
            ["IMMUTABLE_GLOBAL",4091,"Could not set global: immutable global cannot be set"]
            """),
        run(
            """
            const calc = busbar.instance("calc");
            tell(await calc.exists("sum"), await calc.exists("count"));
            tell(await calc.global("count"), await calc.setGlobal("count", 43), await calc.global("count"));
            tell(await calc.memory());
            tell(await calc.readText(0, 8));
            tell((await calc.write(100, "hö")) + 2, await calc.read(100, 4), await calc.readText(100, 3));
            tell(await calc.write(8, new Uint8Array([0, 1, 2]).subarray(1)), await calc.read(8, 2, "memory"));
            tell(await calc.grow(2), await calc.memory("memory"));
            tell(await failure(calc.setGlobal("far", 1n)));
            """));
  }

  @Test
  void fuel_isBoundedPerCall_andTold() {
    node.start(TestNode.inline("console").withId("metered").withLimit(Limit.FUEL, 1000));
    assertEquals(
        lines(
            """
            1000
            {"body":{"results":[3]},"fuel":4} 996
            ["OUT_OF_FUEL",4225,"wasm trap: all fuel consumed by WebAssembly"]
            50
            """),
        run(
            """
            const metered = busbar.instance("metered");
            tell(await metered.fuel());
            tell(await metered.ask("call", { function: "sum", params: [1, 2] }), await metered.fuel());
            tell(await failure(metered.with({ fuel: 100 }).call("spin")));
            tell(await metered.setFuel(50));
            """));
  }

  @Test
  void invoke_givesBackTheKindItTook() {
    node.start(TestNode.inlineBinary("greet").withId("greet"));
    assertEquals(
        lines("\"Hello, Wörld!\" [72,101,108,108,111,44,32,1,33]"),
        run(
            """
            const greet = busbar.instance("greet");
            tell(await greet.invoke("greet", "Wörld"), await greet.invoke("greet", new Uint8Array([1])));
            """));
  }

  @Test
  void modules_arePutDescribedNamedAndRemoved() {
    assertEquals(
        lines(
            """
            ["m","m:1"] true
            true
            ["m","m:1","n"]
            ["sum","f"]
            "copy" true
            0
            ["NO_SUCH_MODULE",4043]
            ["INVALID_MODULE",4002]
            """),
        run(
            """
            const wat = `(module (func (export "sum")) (func (export "f")))`;
            const { module, tags, new: isNew } = await busbar.put(wat, "m:1");
            tell(tags, isNew);
            tell((await busbar.modules()).some((about) => about.module === module));
            await busbar.tagModule(module, "n");
            tell((await busbar.describeModule("n")).tags.sort());
            tell((await busbar.describeModule(module)).exports.map(({ name }) => name));
            const wasm = await busbar.getModule("m:1");
            const copy = await busbar.start({ module: wasm, id: "copy" });
            tell(copy.id, copy.about.module === module);
            await copy.stop();
            await busbar.removeModule(module);
            tell((await busbar.modules()).filter((about) => about.module === module).length);
            tell((await failure(busbar.describeModule("m:1"))).slice(0, 2));
            tell((await failure(busbar.put(new Uint8Array([1, 2, 3]), "bad"))).slice(0, 2));
            """));
  }

  @Test
  void instances_areStartedListedAndStopped() {
    assertEquals(
        lines(
            """
            "b" 7
            ["b","calc"]
            1
            "b" 1
            ["NO_SUCH_INSTANCE",4040]
            """),
        run(
            """
            const wat = `(module (func (export "seven") (result i32) (i32.const 7)))`;
            const b = await busbar.start({ id: "b", module: { wat } });
            tell(b.about.id, await b.call("seven"));
            tell((await busbar.instances()).map(({ id }) => id).sort());
            tell((await busbar.nodes()).length);
            const about = await b.describe();
            tell(about.id, about.counters.operations);
            await b.stop();
            tell((await failure(b.call("seven"))).slice(0, 2));
            """));
  }

  @Test
  void failures_areToldInFull() {
    assertEquals(
        lines(
            """
            true true "TRAP" 4220 "wasm trap: integer divide by zero"
            ["console!divide"] "calc"
            ["NO_SUCH_EXPORT",4041,"exported function `sun` not found"]
            ["BAD_PARAMS",4001,"number of params does not match. expected 2, got 1"]
            ["DEADLINE",5040]
            """),
        run(
            """
            const calc = busbar.instance("calc");
            const e = await calc.call("divide", 1, 0).catch((e) => e);
            tell(e instanceof BusbarError, e instanceof Error, e.name, e.code, e.message);
            tell(e.details.frames, e.details.instance);
            tell(await failure(calc.call("sun")));
            tell(await failure(calc.call("sum", 1)));
            tell((await failure(calc.with({ timeout: 50 }).call("spin"))).slice(0, 2));
            """));
  }

  @Test
  void aborted_isCancelledOnTheNode() {
    try (Script script =
        Script.start(
            gateway.port(),
            """
            const abort = new AbortController();
            const calc = busbar.instance("calc", { signal: abort.signal, timeout: 60000 });
            const spinning = failure(calc.call("spin"));
            await busbar.opened();
            tell("spins");
            await told();
            abort.abort(new Error("enough"));
            tell((await spinning).at(2), (await failure(calc.call("sum", 1, 2))).at(2));
            await told();
            """)) {
      assertEquals("\"spins\"", script.next());
      InstanceRef calc = node.client().instance("calc");
      Until.isTrue(() -> calc.describe().await().getBoolean("running"));
      script.go();
      assertEquals("\"enough\" \"enough\"", script.next());
      Until.isTrue(() -> !calc.describe().await().getBoolean("running"));
      script.go();
      script.rest();
    }
  }

  @Test
  void manyAtOnce_areAllAnswered() {
    assertEquals(
        lines("1000 499500 true"),
        run(
            """
            const calc = busbar.instance("calc");
            const sums = await Promise.all(Array.from({ length: 1000 }, (_, i) => calc.call("sum", i, 0)));
            tell(sums.length, sums.reduce((one, other) => one + other), sums.every((sum, i) => sum === i));
            """));
  }

  @Test
  void messageThatIsTooLarge_isRefusedHere_andTheConnectionStays() {
    assertEquals(
        lines(
            """
            "TOO_LARGE" 4130
            ["open"]
            3
            """),
        run(
            """
            const seen = [];
            busbar.onStatus((status) => seen.push(status));
            const calc = busbar.instance("calc");
            const e = await calc.write(0, new Uint8Array(1 << 20)).catch((e) => e);
            tell(e.name, e.code);
            tell(seen);
            tell(await calc.call("sum", 1, 2));
            """));
  }

  // what is told unasked

  @Test
  void events_areToldUntilTheSubscriptionEnds() {
    assertEquals(
        lines(
            """
            ["instance.started","b"]
            ["instance.stopped","b"]
            0
            """),
        run(
            """
            const seen = [];
            const twice = await busbar.on("events", () => {});
            const end = await busbar.on("events", ({ event, id }) => {
              if (event.startsWith("instance")) tell([event, id]);
              seen.push(event);
              if (event === "instance.stopped") stopped();
            });
            let stopped;
            const done = new Promise((resolve) => (stopped = resolve));
            const b = await busbar.start({ id: "b", module: { wat: "(module)" } });
            await b.stop();
            await done;
            end();
            twice();
            const before = seen.length;
            await (await busbar.start({ id: "c", module: { wat: "(module)" } })).stop();
            tell(seen.length - before);
            """));
  }

  @Test
  void stdio_isReadWrittenAndFollowed() {
    assertEquals(
        lines(
            """
            5
            "stdout" "hello"
            [104,105]
            """),
        run(
            """
            const wat = (module) => `(module
              (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (func (export "_start")
                (i32.store (i32.const 0) (i32.const 64))
                (i32.store (i32.const 4) (i32.const 100))
                (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (i32.store (i32.const 4) (i32.load (i32.const 8)))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
            const echo = await busbar.start({ module: { wat: wat() }, wasi: { stdinOpen: true, publish: true } });
            let seen;
            const written = new Promise((resolve) => (seen = resolve));
            const end = await echo.onStdio(seen);
            tell(await echo.writeStdin("hello"));
            await echo.closeStdin();
            await echo.call("_start");
            const { stream, bytes } = await written;
            tell(stream, new TextDecoder().decode(bytes));
            end();
            const quiet = await busbar.start({ module: { wat: wat() }, wasi: { stdin: btoa("hi") } });
            await quiet.call("_start");
            tell((await quiet.readStdout({ stream: "stdout" })).bytes);
            """));
  }

  // serving imports

  private void startImporting() {
    node.start(importing("guest"));
  }

  private static InstanceSpec importing(String id) {
    ValueType i32 = ValueType.I32;
    ValueType f32 = ValueType.F32;
    return TestNode.inline("import_test")
        .withId(id)
        .withImport(
            "env", "imported_sum3", Signature.of(List.of(i32, i32, i32), List.of(i32)), "my.sum3")
        .withImport(
            "env", "imported_sumf", Signature.of(List.of(f32, f32), List.of(f32)), "my.sumf")
        .withImport("env", "imported_void", Signature.of(List.of(), List.of()), "my.void");
  }

  @Test
  void import_isServed_withTheGuestAtHand() {
    startImporting();
    assertEquals(
        lines(
            """
            {"name":"env.imported_sum3","instance":"guest"} 17
            6
            "hi"
            undefined
            3.5
            "HOST_FUNCTION" true
            "HOST_FUNCTION"
            ["CONFLICT",4090,"`my.sum3` is served already"]
            """),
        run(
            """
            const guest = busbar.instance("guest");
            const end = await busbar.serve("my.sum3", async (caller, a, b, c) => {
              tell(caller.about, (await caller.memory()).pages);
              await caller.write(0, "hi");
              return a + b + c;
            });
            await busbar.serve("my.void", () => {});
            await busbar.serve("my.sumf", (caller, a, b) => {
              if (a < 0) throw new Error("below zero");
              return [a + b];
            });
            tell(await guest.call("using_imported_sum3", 1, 2, 3));
            tell(await guest.readText(0, 2));
            tell(await guest.call("using_imported_void"));
            tell(await guest.call("using_imported_sumf", 1.5, 2));
            const e = await guest.call("using_imported_sumf", -1, 2).catch((e) => e);
            tell(e.name, JSON.stringify(e.details).includes("below zero"));
            const twice = await failure(busbar.serve("my.sum3", () => 0));
            end();
            tell((await failure(guest.with({ timeout: 3000 }).call("using_imported_sum3", 1, 2, 3))).at(0));
            tell(twice);
            """));
  }

  // when the connection breaks

  @Test
  void brokenConnection_isMadeAnew_andNothingIsAskedTwice() {
    startImporting();
    int port = gateway.port();
    try (Script script =
        Script.start(
            port,
            """
            await busbar.opened();
            busbar.onStatus((status) => status !== "open" || tell("open again"));
            let told_;
            const heard = new Promise((resolve) => (told_ = resolve));
            await busbar.on("events", ({ event, id }) => id === "late" && event === "instance.started" && told_());
            await busbar.serve("my.sum3", (caller, a, b, c) => a + b + c);
            const calc = busbar.instance("calc");
            const underWay = failure(calc.with({ timeout: 60000 }).call("spin"));
            tell("asked");
            tell((await underWay).slice(0, 2));
            const waits = calc.with({ timeout: 20000 }).call("sum", 1, 2);
            tell("waits", await failure(calc.with({ timeout: 50 }).call("sum", 1, 2)));
            tell(await waits);
            tell(await busbar.instance("guest").call("using_imported_sum3", 1, 2, 3));
            await busbar.start({ id: "late", module: { wat: "(module)" } });
            await heard;
            tell("heard");
            """)) {
      assertEquals("\"asked\"", script.next());
      InstanceRef calc = node.client().instance("calc");
      Until.isTrue(() -> calc.describe().await().getBoolean("running"));
      gateway.close().await();
      assertEquals("[\"CONNECTION_LOST\",0]", script.next());
      assertEquals("\"waits\" [\"DEADLINE\",5040,\"timed out before it was sent\"]", script.next());
      calc.stop().await();
      node.start(TestNode.inline("console").withId("calc"));
      gateway = open(HttpGateway.Options.dev("127.0.0.1", port));
      assertEquals(lines("\"open again\"\n3\n6\n\"heard\""), script.rest());
    }
  }

  @Test
  void waitingForAConnection_isBounded() {
    int port = gateway.port();
    gateway.close().await();
    try (Script script =
        Script.start(
            port,
            "{ waiting: 2 }",
            """
            const calc = busbar.instance("calc");
            const waiting = [failure(calc.call("sum", 1, 2)), failure(calc.call("sum", 1, 2))];
            tell(await failure(calc.call("sum", 1, 2)));
            busbar.close();
            tell((await waiting[0]).at(0), (await waiting[1]).at(0), busbar.status);
            tell((await failure(calc.call("sum", 1, 2))).at(0), (await failure(busbar.opened())).at(0));
            """)) {
      assertEquals(
          lines(
              """
              ["OVERLOADED",4290,"2 operations wait to be sent"]
              "CLOSED" "CLOSED" "closed"
              "CLOSED" "CLOSED"
              """),
          script.rest());
    }
  }

  // tokens

  private HttpGateway guarded() {
    return guarded(0);
  }

  private HttpGateway guarded(int port) {
    String key = "acme.secret";
    Credentials.Key acme =
        new Credentials.Key(
            "acme", Credentials.Key.digest(key), Optional.of("acme"), Permissions.ALL);
    return open(
        HttpGateway.Options.STANDARD
            .at("127.0.0.1", port)
            .withCredentials(
                new Credentials.Options(List.of(acme), Optional.empty(), new Roles(Map.of()))));
  }

  private static List<String> runAt(int port, String options, String program) {
    try (Script script = Script.start(port, options, program)) {
      return script.rest();
    }
  }

  @Test
  void token_saysWhoAsks() {
    HttpGateway guarded = guarded();
    assertEquals(
        lines(
            """
            "acme"
            7 ["m"]
            """),
        runAt(
            guarded.port(),
            "{ token: async () => \"acme.secret\" }",
            """
            await busbar.opened();
            tell(busbar.session.tenant);
            const { tags } = await busbar.put(`(module (func (export "f") (result i32) (i32.const 7)))`, "m");
            const mine = await busbar.start({ id: "mine", module: "m" });
            tell(await mine.call("f"), tags);
            """));
    guarded.close().await();
  }

  @Test
  void newConnection_asksForTheTokenAnew() {
    HttpGateway guarded = guarded();
    int port = guarded.port();
    try (Script script =
        Script.start(
            port,
            "{ token: () => `acme.${globalThis.secret ?? \"secret\"}` }",
            """
            busbar.onStatus((status, error) => tell(status, error?.name));
            await told();
            globalThis.secret = "changed";
            tell("changed");
            await told();
            tell((await failure(busbar.instances())).at(0));
            """)) {
      assertEquals("\"open\" undefined", script.next());
      guarded.close().await();
      assertEquals("\"connecting\" \"CONNECTION_LOST\"", script.next());
      HttpGateway again = guarded(port);
      assertEquals("\"open\" undefined", awaitNext(script, "\"connecting\""));
      script.go();
      assertEquals("\"changed\"", script.next());
      again.close().await();
      assertEquals("\"connecting\" \"CONNECTION_LOST\"", script.next());
      HttpGateway last = guarded(port);
      assertEquals("\"closed\" \"UNAUTHENTICATED\"", awaitNext(script, "\"connecting\""));
      script.go();
      assertEquals(lines("\"UNAUTHENTICATED\""), script.rest());
      last.close().await();
    }
  }

  /** The next line that does not begin like this: it tries as often as it takes. */
  private static String awaitNext(Script script, String passedOver) {
    String line = script.next();
    while (line != null && line.startsWith(passedOver)) {
      line = script.next();
    }
    return line;
  }

  @Test
  void badTokenOrNone_isTheEnd() {
    HttpGateway guarded = guarded();
    for (String options : List.of("{ token: \"acme.wrong\" }", "{}")) {
      assertEquals(
          lines(
              """
              "UNAUTHENTICATED" 4010
              ["closed",4010]
              "closed" "UNAUTHENTICATED"
              """),
          runAt(
              guarded.port(),
              options,
              """
              const seen = [];
              busbar.onStatus((status, error) => status === "open" || seen.push(status, error?.code));
              const e = await busbar.instances().catch((e) => e);
              tell(e.name, e.code);
              tell(seen);
              tell(busbar.status, (await failure(busbar.instance("calc").call("sum", 1, 2))).at(0));
              """));
    }
    guarded.close().await();
  }

  // a server that means ill

  @Test
  void nonsenseFromTheServer_isPassedOver() {
    JsonArray nonsense =
        new JsonArray()
            .add("null")
            .add("7")
            .add("[]")
            .add("{")
            .add("{\"id\":\"nobody\",\"status\":\"ok\",\"body\":{}}")
            .add("{\"id\":\"__proto__\",\"status\":\"error\",\"error\":{\"code\":1}}")
            .add("{\"address\":\"__proto__\",\"event\":{}}")
            .add("{\"address\":\"wasm.events\",\"event\":null}")
            .add("{\"id\":\"s1\",\"action\":\"import\",\"import\":\"nobody\"}")
            .add("{\"status\":\"error\"}");
    List<String> answers = new ArrayList<>();
    int port =
        node.vertx()
            .createHttpServer()
            .webSocketHandler(
                socket ->
                    socket.textMessageHandler(
                        text -> {
                          JsonObject frame = new JsonObject(text);
                          if (!"call".equals(frame.getString("action"))) {
                            answers.add(frame.getString("status"));
                            return;
                          }
                          nonsense.forEach(line -> socket.writeTextMessage((String) line));
                          JsonObject body =
                              new JsonObject()
                                  .put("results", new JsonArray().add("<b>").add(new JsonObject()));
                          JsonObject answer =
                              new JsonObject()
                                  .put("id", frame.getString("id"))
                                  .put("status", "ok")
                                  .put("body", body);
                          socket.writeTextMessage(answer.encode());
                          socket.writeTextMessage(answer.encode());
                        }))
            .listen(0, "127.0.0.1")
            .await()
            .actualPort();
    assertEquals(
        lines("[\"<b>\",{}]\n[\"<b>\",{}]"),
        runAt(
            port,
            "{}",
            """
            const calc = busbar.instance("calc");
            tell(await calc.call("f"));
            tell(await calc.call("f"));
            """));
    assertTrue(answers.contains("error"), "an import that nobody serves is answered");
  }
}
