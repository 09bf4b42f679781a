package io.busbar.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.model.AfterTrap;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.model.V128;
import io.busbar.model.ValueType;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bytes of every message shape: a change here is a change of the protocol. */
class WireFormatTest {
  private static final String MODULE =
      """
      (module $m
        (memory (export "memory") 1 2)
        (global (export "g") (mut i64) (i64.const 9007199254740993))
        (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "kinds") (result i32 i64 i64 f32 f64 f64 funcref)
          (i32.const -1) (i64.const 7) (i64.const -9007199254740993) (f32.const 3.140625)
          (f64.const 0.1) (f64.const inf) (ref.null func))
        (func $bad (export "bad") unreachable))
      """;

  private static TestNode node;

  @BeforeAll
  static void start() {
    node = TestNode.start();
    ask("wasm.instances", "start", "{\"id\":\"m\",\"module\":{\"wat\":" + quoted() + "}}");
  }

  private static String quoted() {
    return new io.vertx.core.json.JsonArray().add(MODULE).encode().replaceAll("^\\[|\\]$", "");
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static Message<JsonObject> ask(String address, DeliveryOptions options, String body) {
    return node.vertx()
        .eventBus()
        .<JsonObject>request(address, body == null ? null : new JsonObject(body), options)
        .await();
  }

  private static String ask(String address, String action, String body) {
    DeliveryOptions options = new DeliveryOptions().addHeader("action", action);
    return ask(address, options, body).body().encode();
  }

  private static void assertAnswer(String expected, String action, String body) {
    assertEquals(expected, ask("wasm.instance.m", action, body));
  }

  @Test
  void operations_haveTheseShapes() {
    assertAnswer("{\"results\":[3]}", "call", "{\"function\":\"sum\",\"params\":[1,2]}");
    assertAnswer("{\"exists\":true}", "exists", "{\"function\":\"sum\"}");
    assertAnswer("{\"value\":\"9007199254740993\"}", "get-global", "{\"global\":\"g\"}");
    assertAnswer("{\"value\":43}", "set-global", "{\"global\":\"g\",\"value\":\"43\"}");
    assertAnswer(
        "{\"value\":\"9007199254740993\"}",
        "set-global",
        "{\"global\":\"g\",\"value\":9007199254740993}");
    assertAnswer("{\"memory\":\"memory\",\"pages\":1,\"bytes\":65536}", "memory", "{}");
    assertAnswer(
        "{\"memory\":\"memory\",\"pages\":1,\"bytes\":65536}", "memory", "{\"memory\":\"memory\"}");
    assertAnswer("{\"written\":5}", "write-memory", "{\"offset\":0,\"text\":\"hello\"}");
    assertAnswer("{\"bytes\":\"aGVsbG8=\"}", "read-memory", "{\"offset\":0,\"length\":5}");
    assertAnswer(
        "{\"text\":\"hello\"}", "read-memory", "{\"offset\":0,\"length\":5,\"as\":\"utf8\"}");
    assertAnswer("{\"written\":2}", "write-memory", "{\"offset\":9,\"bytes\":\"+/8=\"}");
    assertAnswer("{\"bytes\":\"+/8=\"}", "read-memory", "{\"offset\":9,\"length\":2}");
    assertAnswer("{\"previous\":1}", "grow-memory", "{\"pages\":0}");
    assertAnswer("{\"cancelled\":false}", "cancel", "{\"id\":\"nothing\"}");
  }

  @Test
  void invoke_answersInTheFormItWasAsked() {
    node.start(TestNode.inlineBinary("words").withId("w"));
    assertInvoked("{\"output\":\"QUI=\"}", "{\"function\":\"upper\",\"input\":\"YWI=\"}");
    assertInvoked("{\"output\":\"\"}", "{\"function\":\"upper\",\"input\":\"\"}");
    assertInvoked("{\"text\":\"AB é\"}", "{\"function\":\"upper\",\"text\":\"ab é\"}");
    String number = "9007199254740993"; // beyond the doubles, and still a number: the guest's JSON
    for (String json : List.of("{\"A\":[1.5,null]}", number, "\"\"", "[]", "true")) {
      assertInvoked("{\"json\":" + json + "}", "{\"function\":\"trim\",\"json\":" + json + "}");
    }
    assertInvoked("{\"json\":null}", "{\"function\":\"trim\",\"json\":null}");
  }

  private static void assertInvoked(String expected, String body) {
    assertEquals(expected, ask("wasm.instance.w", "invoke", body));
  }

  @Test
  void values_haveTheseForms() {
    assertAnswer(
        "{\"results\":[-1,7,\"-9007199254740993\",3.140625,0.1,\"Infinity\",null]}",
        "call",
        "{\"function\":\"kinds\"}");
  }

  @Test
  void calls_answerEachOnItsOwn() {
    assertAnswer(
        "{\"answers\":[{\"results\":[3]},"
            + "{\"error\":{\"code\":4041,\"name\":\"NO_SUCH_EXPORT\","
            + "\"message\":\"exported function `x` not found\"}},"
            + "{\"error\":{\"code\":4000,\"name\":\"BAD_REQUEST\","
            + "\"message\":\"each item must be an object. Given `7`.\"}},"
            + "{\"results\":[7]}]}",
        "calls",
        "{\"calls\":[{\"function\":\"sum\",\"params\":[1,2]},{\"function\":\"x\"},7,"
            + "{\"function\":\"sum\",\"params\":[3,4]}]}");
  }

  @Test
  void failure_withoutErrorsHeader_isAReplyException() {
    ReplyException failed =
        Assertions.assertThrows(
            ReplyException.class, () -> ask("wasm.instance.m", "call", "{\"function\":\"bad\"}"));
    assertEquals(4220, failed.failureCode());
    assertEquals("wasm trap: wasm `unreachable` instruction executed", failed.getMessage());
  }

  @Test
  void failure_asBody_isStructured() {
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader("action", "call")
            .addHeader("id", "7")
            .addHeader("errors", "body");
    Message<JsonObject> answer = ask("wasm.instance.m", options, "{\"function\":\"bad\"}");
    assertEquals(
        "{\"error\":{\"code\":4220,\"name\":\"TRAP\","
            + "\"message\":\"wasm trap: wasm `unreachable` instruction executed\","
            + "\"trap\":\"wasm `unreachable` instruction executed\","
            + "\"frames\":[\"m!bad\"],\"instance\":\"m\",\"node\":\""
            + node.host().node()
            + "\"}}",
        answer.body().encode());
    assertEquals(Map.of("status", "error", "id", "7", "instance", "m"), headers(answer));
  }

  private static Map<String, String> headers(Message<?> message) {
    Map<String, String> headers = new TreeMap<>();
    message.headers().forEach(headers::put);
    return headers;
  }

  @Test
  void answer_hasTheseHeaders() {
    DeliveryOptions options =
        new DeliveryOptions().addHeader("action", "exists").addHeader("id", "a-1");
    Message<JsonObject> answer = ask("wasm.instance.m", options, "{\"function\":\"sum\"}");
    assertEquals(Map.of("status", "ok", "id", "a-1", "instance", "m"), headers(answer));
  }

  @Test
  void instance_isReachedAtTheCommonAddressToo() {
    DeliveryOptions options =
        new DeliveryOptions().addHeader("action", "call").addHeader("instance", "m");
    Message<JsonObject> answer =
        ask("wasm.instances", options, "{\"function\":\"sum\",\"params\":[20,22]}");
    assertEquals("{\"results\":[42]}", answer.body().encode());
    assertEquals(Map.of("status", "ok", "instance", "m"), headers(answer));
  }

  @Test
  void modules_haveTheseShapes() {
    String put =
        ask("wasm.modules", "put", "{\"bytes\":\"AGFzbQEAAAA=\",\"name\":\"e\",\"version\":\"1\"}");
    String id = "sha256:93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";
    assertEquals(
        "{\"module\":\""
            + id
            + "\",\"size\":8,\"imports\":[],\"exports\":[],"
            + "\"tags\":[\"e\",\"e:1\"],\"instances\":[],\"new\":true}",
        put);
    assertEquals(
        "{\"module\":\"" + id + "\",\"bytes\":\"AGFzbQEAAAA=\"}",
        ask("wasm.modules", "get", "{\"module\":\"e:1\"}"));
    assertEquals(
        "{\"module\":\"" + id + "\",\"size\":8,\"tags\":[\"e\",\"e:1\",\"f\"],\"instances\":[]}",
        ask("wasm.modules", "tag", "{\"module\":\"e\",\"name\":\"f\"}"));
    assertEquals(
        "{\"removed\":\"f\",\"gone\":false}", ask("wasm.modules", "remove", "{\"module\":\"f\"}"));
    assertEquals(
        "{\"removed\":\"" + id + "\",\"gone\":true}",
        ask("wasm.modules", "remove", "{\"module\":\"" + id + "\"}"));
  }

  @Test
  void instances_haveTheseShapes() {
    String start =
        ask(
            "wasm.instances",
            "start",
            "{\"id\":\"e\",\"module\":{\"bytes\":\"AGFzbQEAAAA=\"},\"address\":false}");
    String id = "sha256:93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";
    String node = WireFormatTest.node.host().node();
    assertEquals("{\"id\":\"e\",\"module\":\"" + id + "\",\"node\":\"" + node + "\"}", start);
    assertEquals(
        "{\"id\":\"e\",\"stopped\":true}", ask("wasm.instances", "stop", "{\"id\":\"e\"}"));
    assertEquals(
        new JsonObject(
                "{\"id\":\"m\",\"module\":\""
                    + moduleOf("m")
                    + "\",\"node\":\""
                    + node
                    + "\",\"address\":\"wasm.instance.m\"}")
            .encode(),
        new JsonObject(ask("wasm.instances", "list", null))
            .getJsonArray("instances")
            .getJsonObject(0)
            .encode());
  }

  private static String moduleOf(String instance) {
    return new JsonObject(ask("wasm.instance." + instance, "describe", null)).getString("module");
  }

  @Test
  void spec_isWrittenAsItIsRead() {
    InstanceSpec spec =
        InstanceSpec.of("calc:1.2")
            .withId("calc")
            .withImport(
                "env",
                "sum3",
                Signature.of(List.of(ValueType.I32, ValueType.I64), List.of(ValueType.F64)),
                "my.sum3")
            .withLimit(Limit.MAILBOX, 8)
            .withAfterTrap(AfterTrap.RESTART)
            .withAddress(false);
    String json =
        "{\"id\":\"calc\",\"module\":\"calc:1.2\","
            + "\"imports\":{\"env\":{\"sum3\":{\"params\":[\"i32\",\"i64\"],"
            + "\"results\":[\"f64\"],\"address\":\"my.sum3\"}}},"
            + "\"limits\":{\"mailbox\":8},\"afterTrap\":\"restart\",\"address\":false}";
    assertEquals(json, Codec.body(spec).toJson().encode());
    assertEquals(spec, Codec.spec(Body.of(new JsonObject(json))));
    assertEquals(spec, Codec.spec(Codec.body(spec)));
  }

  @Test
  void afterTrap_isLeftOutWhereItKeeps_andShownAlways() {
    String keep = "{\"module\":\"calc\",\"afterTrap\":\"keep\"}";
    InstanceSpec spec = Codec.spec(Body.of(new JsonObject(keep)));
    assertEquals("{\"module\":\"calc\"}", Codec.body(spec).toJson().encode());
    assertEquals(keep, Body.of(Codec.about(spec)).toJson().encode());
    String stop = "{\"module\":\"calc\",\"afterTrap\":\"stop\"}";
    InstanceSpec other = Codec.spec(Body.of(new JsonObject(stop)));
    assertEquals(stop, Codec.body(other).toJson().encode());
  }

  @Test
  void wasi_isWrittenAsItIsRead() {
    String wasi =
        "{\"args\":[\"prog\",\"a\"],\"env\":{\"K\":\"V\"},\"preopens\":["
            + "{\"guest\":\"/data\",\"files\":{\"a.txt\":\"aGk=\"},\"readOnly\":true},"
            + "{\"guest\":\"/lib\",\"host\":\"/srv/lib\",\"readOnly\":true}],"
            + "\"stdin\":\"aGk=\",\"stdinOpen\":true,\"publish\":true}";
    String json = "{\"module\":\"calc\",\"wasi\":" + wasi + "}";
    assertEquals(json, Codec.body(Codec.spec(Body.of(new JsonObject(json)))).toJson().encode());
    assertWasi("{}", "true");
    assertWasi("{}", "{}");
    assertWasi(null, "false");
    assertWasi(
        "{\"preopens\":[{\"guest\":\".\",\"files\":{},\"readOnly\":false}]}",
        "{\"preopens\":[{\"guest\":\".\"}]}");
    assertRefused("unknown field `wasi.arg`", "{\"arg\":[]}");
    assertRefused("each of `wasi.args` must be a string. Given `Number`.", "{\"args\":[1]}");
    assertRefused(
        "preopen `d` must have `files` or `host`, not both",
        "{\"preopens\":[{\"guest\":\"d\",\"host\":\"/h\",\"files\":{\"a\":\"\"}}]}");
    assertRefused(
        "bad file `../a` in a preopen: its path must be relative and plain",
        "{\"preopens\":[{\"guest\":\"d\",\"files\":{\"../a\":\"\"}}]}");
    assertRefused("bad name `A=B` in `wasi.env`", "{\"env\":{\"A=B\":\"\"}}");
  }

  private static Body withWasi(String wasi) {
    return Body.of(new JsonObject("{\"module\":\"calc\",\"wasi\":" + wasi + "}"));
  }

  private static void assertWasi(String expected, String wasi) {
    JsonObject written = Codec.body(Codec.spec(withWasi(wasi))).toJson();
    JsonObject read = written.getJsonObject("wasi");
    assertEquals(expected, read == null ? null : read.encode());
  }

  private static void assertRefused(String why, String wasi) {
    Failing.with(Failure.BAD_REQUEST, why, () -> Codec.spec(withWasi(wasi)));
  }

  @Test
  void streams_haveTheseShapes() {
    ask(
        "wasm.instances",
        "start",
        "{\"id\":\"w\",\"module\":{\"wat\":\"(module)\"},\"wasi\":{\"stdinOpen\":true,"
            + "\"preopens\":[{\"guest\":\"/d\",\"files\":{\"a\":\"aGk=\"}}]}}");
    String to = "wasm.instance.w";
    assertEquals("{\"written\":2}", ask(to, "write-stdin", "{\"text\":\"hi\"}"));
    assertEquals("{\"written\":2}", ask(to, "write-stdin", "{\"bytes\":\"aGk=\"}"));
    assertEquals("{\"closed\":true}", ask(to, "close-stdin", "{}"));
    assertEquals(
        "{\"bytes\":\"\",\"more\":false,\"truncated\":false,\"closed\":false}",
        ask(to, "read-stdout", "{}"));
    assertEquals(
        "{\"text\":\"\",\"more\":false,\"truncated\":false,\"closed\":false}",
        ask(to, "read-stdout", "{\"stream\":\"stderr\",\"as\":\"utf8\",\"max\":5}"));
    assertEquals("{\"bytes\":\"aGk=\"}", ask(to, "read-file", "{\"path\":\"/d/a\"}"));
    assertEquals("{\"bytes\":\"aQ==\"}", ask(to, "read-file", "{\"path\":\"/d/a\",\"offset\":1}"));
    ask("wasm.instances", "stop", "{\"id\":\"w\"}");
  }

  @Test
  void body_betweenNodes_keepsEveryType() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("null", null);
    fields.put("true", true);
    fields.put("int", 1);
    fields.put("long", 1L);
    fields.put("float", 1.5f);
    fields.put("double", 1.5);
    fields.put("vector", new V128(1, 2));
    fields.put("text", "aé");
    List<Object> list = new ArrayList<>(List.of(1, 2L, "x"));
    list.add(null);
    fields.put("list", list);
    fields.put("map", Map.of("k", 1));
    Buffer wire = Buffer.buffer("ab");
    new BodyCodec().encodeToWire(wire, Body.of(fields));
    assertEquals(fields, new BodyCodec().decodeFromWire(2, wire).fields());
  }

  @Test
  void body_betweenNodes_keepsWhatCameAsJson() {
    Map<String, Object> inner = Map.of("list", List.of(1, Map.of("k", "v")));
    JsonObject json =
        new JsonObject()
            .put(
                "inner",
                new JsonObject()
                    .put("list", new JsonArray().add(1).add(new JsonObject().put("k", "v"))));
    Buffer wire = Buffer.buffer();
    new BodyCodec().encodeToWire(wire, Body.of(json));
    assertEquals(Map.of("inner", inner), new BodyCodec().decodeFromWire(0, wire).fields());
  }

  @Test
  void body_betweenNodes_hasTheseBytes() {
    Buffer wire = Buffer.buffer();
    new BodyCodec().encodeToWire(wire, Body.of("n", List.of(7, 8L)));
    assertEquals(
        "4d00000001" + "00000001" + "6e" + "4c00000002" + "6900000007" + "6c0000000000000008",
        java.util.HexFormat.of().formatHex(wire.getBytes()));
  }

  @Test
  void body_withALengthBeyondTheMessage_isRefusedBeforeItIsAllocated() {
    Buffer wire = Buffer.buffer().appendByte((byte) 'b').appendInt(Integer.MAX_VALUE);
    Assertions.assertThrows(
        IllegalArgumentException.class, () -> new BodyCodec().decodeFromWire(0, wire));
  }
}
