package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.TestNode;
import io.busbar.engine.Compiler;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.ModuleId;
import io.busbar.model.WasiSpec;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each operation has the same answer by every way in, where there is a request for it over HTTP.
 */
class RowsTest {
  private static final TestGateway GATEWAY =
      TestGateway.of(
          Config.from(new JsonObject("{\"node\":\"here\"}")),
          HttpGateway.Options.dev("127.0.0.1", 0));
  private static final List<WayIn> WAYS = WayIn.all(GATEWAY.clients, Map.of());

  private WayIn way;
  private String id;

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  static List<WayIn> ways() {
    return WAYS;
  }

  private void start(WayIn way, String name, InstanceSpec spec) {
    this.way = way;
    this.id = way + "-" + name;
    GATEWAY.node.start(spec.withId(id));
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  private boolean is(Question question) {
    return !(way instanceof WayIn.Http) || WayIn.Http.has(question);
  }

  private void assertAnswer(String answer, Question question) {
    if (is(question)) {
      assertEquals(answer, way.ask(question).encode());
    }
  }

  private void assertAnswer(String answer, String action, String body) {
    assertAnswer(answer, Question.of(id, action, body));
  }

  private void assertResults(String results, String function, String params) {
    assertAnswer("{\"results\":" + results + "}", Question.call(id, function, params));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void functions(WayIn way) {
    start(way, "functions", TestNode.inline("multi"));
    assertResults("[2,1]", "swap", "[1,2]");
    assertAnswer("{\"exists\":true}", "exists", "{\"function\":\"swap\"}");
    String table =
        "{\"error\":{\"code\":4041,\"name\":\"NO_SUCH_EXPORT\","
            + "\"message\":\"exported function `table` not found\"}}";
    assertAnswer(
        way instanceof WayIn.Http ? table : "{\"exists\":false}",
        "exists",
        "{\"function\":\"table\"}");
    assertAnswer(
        "{\"answers\":[{\"results\":[1]},{\"error\":{\"code\":4041,\"name\":\"NO_SUCH_EXPORT\","
            + "\"message\":\"exported function `no` not found\"}},{\"results\":[2]}]}",
        "calls",
        "{\"calls\":[{\"function\":\"next\"},{\"function\":\"no\"},{\"function\":\"next\"}]}");
  }

  @ParameterizedTest
  @MethodSource("ways")
  void globals(WayIn way) {
    start(way, "globals", TestNode.inline("globals"));
    assertAnswer("{\"value\":-32}", "get-global", "{\"global\":\"count_32\"}");
    assertAnswer("{\"value\":43}", "set-global", "{\"global\":\"count_32\",\"value\":43}");
    assertAnswer("{\"value\":43}", "get-global", "{\"global\":\"count_32\"}");
    assertAnswer("{\"value\":null}", "get-global", "{\"global\":\"externref\"}");
  }

  @ParameterizedTest
  @MethodSource("ways")
  void memory(WayIn way) {
    start(way, "memory", TestNode.inline("multi"));
    assertAnswer("{\"memory\":\"mem\",\"pages\":1,\"bytes\":65536}", "memory", "{}");
    String second = "{\"memory\":\"second\"}";
    assertAnswer("{\"memory\":\"second\",\"pages\":1,\"bytes\":65536}", "memory", second);
    assertAnswer("{\"bytes\":\"SGVsbG8=\"}", "read-memory", "{\"offset\":0,\"length\":5}");
    String text = "{\"offset\":6,\"length\":6,\"as\":\"utf8\"}";
    assertAnswer("{\"text\":\"World!\"}", "read-memory", text);
    assertAnswer("{\"written\":3}", "write-memory", "{\"offset\":65533,\"bytes\":\"AP8K\"}");
    assertAnswer("{\"bytes\":\"AP8K\"}", "read-memory", "{\"offset\":65533,\"length\":3}");
    assertAnswer("{\"written\":4}", "write-memory", "{\"offset\":0,\"text\":\"hé!\"}");
    assertAnswer(
        "{\"written\":1}",
        "write-memory",
        "{\"memory\":\"second\",\"offset\":0,\"bytes\":\"Kg==\"}");
    assertAnswer(
        "{\"bytes\":\"Kg==\"}", "read-memory", "{\"memory\":\"second\",\"offset\":0,\"length\":1}");
    assertAnswer("{\"bytes\":\"\"}", "read-memory", "{\"offset\":65536,\"length\":0}");
    assertAnswer("{\"previous\":1}", "grow-memory", "{\"pages\":2}");
    assertAnswer("{\"memory\":\"mem\",\"pages\":3,\"bytes\":196608}", "memory", "{}");
  }

  @ParameterizedTest
  @MethodSource("ways")
  void fuel(WayIn way) {
    start(way, "fuel", TestNode.inline("wasm_test").withLimit(Limit.FUEL, 10_000));
    assertAnswer("{\"fuel\":10000}", "get-fuel", "{}");
    assertResults("[3]", "sum", "[1,2]");
    assertAnswer("{\"fuel\":9996}", "get-fuel", "{}");
    assertAnswer("{\"fuel\":9007199254740991}", "set-fuel", "{\"fuel\":9007199254740991}");
  }

  @ParameterizedTest
  @MethodSource("ways")
  void invoke(WayIn way) {
    start(way, "invoke", TestNode.inlineBinary("greet"));
    assertAnswer(
        "{\"output\":\"SGVsbG8sIAD/IQ==\"}",
        "invoke",
        "{\"function\":\"greet\",\"input\":\"AP8=\"}");
    if (!(way instanceof WayIn.Http)) {
      assertAnswer(
          "{\"text\":\"Hello, Añn!\"}", "invoke", "{\"function\":\"greet\",\"text\":\"Añn\"}");
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void streams(WayIn way) {
    WasiSpec wasi =
        WasiSpec.ISOLATED.withFiles("/", Map.of("a.txt", "abc".getBytes())).withStdinOpen(true);
    start(way, "streams", TestNode.inline("wasi_program").withWasi(wasi));
    assertAnswer("{\"written\":2}", "write-stdin", "{\"bytes\":\"aGk=\"}");
    assertAnswer("{\"written\":3}", "write-stdin", "{\"text\":\" é\"}");
    assertAnswer("{\"closed\":true}", "close-stdin", "{}");
    if (is(Question.of(id, "close-stdin", "{}"))) {
      assertResults("[]", "_start", "[]");
      assertAnswer(
          "{\"text\":\"hi \",\"more\":true,\"truncated\":false,\"closed\":false}",
          "read-stdout",
          "{\"as\":\"utf8\",\"max\":4}");
      assertAnswer(
          "{\"bytes\":\"w6k=\",\"more\":false,\"truncated\":false,\"closed\":false}",
          "read-stdout",
          "{\"stream\":\"stdout\"}");
      assertAnswer("{\"bytes\":\"YmM=\"}", "read-file", "{\"path\":\"/a.txt\",\"offset\":1}");
    }
  }

  @ParameterizedTest
  @MethodSource("ways")
  void describe(WayIn way) {
    start(way, "described", TestNode.inline("multi").withLimit(Limit.FUEL, 1000));
    assertResults("[1]", "next", "[]");
    JsonObject about = way.ask(Question.of(id, "describe", "{\"recent\":true}"));
    assertEquals(id, about.getString("id"));
    assertEquals("here", about.getString("node"));
    assertEquals("wasm.instance." + id, about.getString("address"));
    assertEquals(
        "{\"memory\":\"mem\",\"pages\":1,\"bytes\":65536}", about.getJsonObject("memory").encode());
    assertEquals(0, about.getInteger("queue"));
    assertEquals(false, about.getBoolean("running"));
    assertEquals(
        "{\"operations\":1,\"failures\":0,\"traps\":0,\"restarts\":0,\"fuel\":6}",
        about.getJsonObject("counters").encode());
    assertEquals(994, about.getInteger("fuel"));
    assertTrue(
        about
            .getJsonArray("exports")
            .contains(
                new JsonObject(
                    "{\"name\":\"swap\",\"kind\":\"function\",\"params\":[\"i32\",\"i64\"],"
                        + "\"results\":[\"i64\",\"i32\"]}")),
        about::encode);
    JsonArray recent = about.getJsonArray("recent");
    assertEquals(1, recent.size(), recent::encode);
    JsonObject last = recent.getJsonObject(0);
    last.remove("at");
    last.remove("micros");
    assertEquals(
        "{\"action\":\"call\",\"function\":\"next\",\"status\":\"ok\",\"fuel\":6}", last.encode());
    assertTrue(!way.ask(Question.of(id, "describe", "{}")).containsKey("recent"));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void startListAndStop(WayIn way) {
    this.way = way;
    id = way + "-started";
    byte[] wasm = Compiler.toBinary("(module (memory (export \"m\") 1))".getBytes());
    String module = ModuleId.of(wasm).toString();
    JsonObject spec =
        new JsonObject().put("id", id).put("module", new JsonObject().put("bytes", base64(wasm)));
    String about =
        "{\"id\":\"%s\",\"module\":\"%s\",\"node\":\"here\",\"address\":\"wasm.instance.%s\"}"
            .formatted(id, module, id);
    assertAnswer(about, Question.at("wasm.instances", "start", spec.encode()));
    JsonArray list = way.ask(Question.at("wasm.instances", "list", "{}")).getJsonArray("instances");
    assertTrue(list.contains(new JsonObject(about)), list::encode);
    String named = "{\"id\":\"" + id + "\"}";
    assertEquals(
        module, way.ask(Question.at("wasm.instances", "describe", named)).getString("module"));
    String stopped = "{\"id\":\"" + id + "\",\"stopped\":true}";
    assertAnswer(stopped, Question.at("wasm.instances", "stop", named));
    way.ask(Question.at("wasm.instances", "start", spec.encode()));
    assertAnswer(stopped, "stop", "{}");
  }

  @ParameterizedTest
  @MethodSource("ways")
  void modules(WayIn way) {
    this.way = way;
    String text = "(module (func (export \"" + way + "\") (result i64) (i64.const 1)))";
    byte[] wasm = Compiler.toBinary(text.getBytes());
    String module = ModuleId.of(wasm).toString();
    String name = "m" + way;
    String about =
        "\"size\":%d,\"imports\":[],\"exports\":[{\"name\":\"%s\",\"kind\":\"function\","
                .formatted(wasm.length, way)
            + "\"params\":[],\"results\":[\"i64\"]}],\"tags\":[\""
            + name
            + "\",\""
            + name
            + ":1\"],\"instances\":[]";
    JsonObject put =
        new JsonObject().put("bytes", base64(wasm)).put("name", name).put("version", "1");
    assertAnswer(
        "{\"module\":\"" + module + "\"," + about + ",\"new\":true}",
        Question.at("wasm.modules", "put", put.encode()));
    JsonObject again = new JsonObject().put("wat", text);
    assertAnswer(
        "{\"module\":\"" + module + "\"," + about + ",\"new\":false}",
        Question.at("wasm.modules", "put", again.encode()));
    String named = "{\"module\":\"" + name + ":1\"}";
    assertAnswer(
        "{\"module\":\"" + module + "\"," + about + "}",
        Question.at("wasm.modules", "describe", named));
    JsonObject got = way.ask(Question.at("wasm.modules", "get", named));
    assertEquals(base64(wasm), got.getString("bytes"));
    JsonArray list = way.ask(Question.at("wasm.modules", "list", "{}")).getJsonArray("modules");
    String listed =
        "{\"module\":\"%s\",\"size\":%d,\"tags\":[\"%s\",\"%s:1\"%s],\"instances\":[]}"
            .formatted(module, wasm.length, name, name, "%s");
    assertTrue(list.contains(new JsonObject(listed.formatted(""))), list::encode);
    JsonObject tag = new JsonObject().put("module", module).put("name", name).put("version", "2");
    assertAnswer(
        listed.formatted(",\"" + name + ":2\""), Question.at("wasm.modules", "tag", tag.encode()));
    assertAnswer(
        "{\"removed\":\"" + module + "\",\"gone\":true}",
        Question.at("wasm.modules", "remove", "{\"module\":\"" + module + "\"}"));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void nodes(WayIn way) {
    JsonArray nodes = way.ask(Question.at("wasm.nodes", "list", "{}")).getJsonArray("nodes");
    assertEquals(1, nodes.size());
    assertEquals("here", nodes.getJsonObject(0).getString("node"));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void values_keepTheirForm(WayIn way) {
    start(way, "values", TestNode.inline("wasm_test"));
    assertResults("[-2147483648]", "i32_i32", "[-2147483648]");
    assertResults("[9007199254740991]", "i64_i64", "[9007199254740991]");
    assertResults("[9007199254740991]", "i64_i64", "[\"9007199254740991\"]");
    assertResults("[\"9007199254740992\"]", "i64_i64", "[9007199254740992]");
    assertResults("[\"-9223372036854775808\"]", "i64_i64", "[\"-9223372036854775808\"]");
    assertResults("[\"NaN\"]", "f32_f32", "[\"NaN\"]");
    assertResults("[\"-Infinity\"]", "f64_f64", "[\"-Infinity\"]");
    assertResults("[\"Infinity\"]", "f32_f32", "[\"Infinity\"]");
    assertResults("[-0.0]", "f64_f64", "[-0.0]");
    assertResults("[0.10000000149011612]", "f32_f32", "[0.1]");
    assertResults("[0.30000000000000004]", "f64_f64", "[0.30000000000000004]");
    assertResults("[4.9E-324]", "f64_f64", "[5e-324]");
    assertResults("[1.7976931348623157E308]", "f64_f64", "[1.7976931348623157e308]");
    assertResults("[7.0]", "f64_f64", "[7]");
  }

  @ParameterizedTest
  @MethodSource("ways")
  void vectors_keepTheirForm(WayIn way) {
    start(way, "vectors", TestNode.inline("vectors"));
    String most = "0xffffffffffffffffffffffffffffffff";
    assertResults(
        "[\"" + most + "\"]", "v128_v128", "[\"340282366920938463463374607431768211455\"]");
    assertResults("[\"0x00000000000000000000000000000007\"]", "v128_v128", "[7]");
    assertAnswer(
        "{\"value\":\"" + most + "\"}",
        "set-global",
        "{\"global\":\"vector\",\"value\":\"" + most + "\"}");
  }

  /** As text, since no JSON library here writes them. */
  @ParameterizedTest
  @ValueSource(strings = {"1e400", "-1e400", "9223372036854775808", "-9223372036854775809", "1.5"})
  void numbersThatAreNoI64_areRefused_byEveryWay(String number) {
    String id = "no-i64" + number.replace("-", "m");
    GATEWAY.node.start(TestNode.inline("wasm_test").withId(id));
    String body = "{\"function\":\"i64_i64\",\"params\":[" + number + "]}";
    String said = "Cannot convert argument #1 to a WebAssembly i64 value.";
    String path = "/instances/" + id + "/call/i64_i64";
    JsonObject http = GATEWAY.send(HttpMethod.POST, path, body, Map.of()).bodyAsJsonObject();
    assertEquals(said, http.getString("message"));
    TestSocket socket = GATEWAY.socket();
    socket.socket.writeTextMessage(
        "{\"action\":\"call\",\"instance\":\"%s\",\"body\":%s}".formatted(id, body));
    assertEquals(said, socket.next().getJsonObject("error").getString("message"));
    TestSocket bridge = GATEWAY.bridge(Map.of());
    bridge.socket.writeTextMessage(
        "{\"type\":\"send\",\"address\":\"wasm.instance.%s\",\"headers\":{\"action\":\"call\"},\"body\":%s}"
            .formatted(id, body));
    assertEquals(said, bridge.next().getString("message"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "a/b", "a%2Fb", "a?b=c&d", "a+b", "a;b", "#", ":id", "é", "..."})
  void exportsOfAnyName_areInPaths(String name) {
    String id = "names" + Integer.toHexString(name.hashCode());
    String text =
        "(module (global (export \"%s.\") i32 (i32.const 8)) (func (export \"%s\")))"
            .formatted(name, name);
    GATEWAY.node.start(TestNode.inlineText(text).withId(id));
    String path = URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    String at = "/instances/" + id;
    assertEquals(
        "{\"results\":[]}",
        GATEWAY.send(HttpMethod.POST, at + "/call/" + path, "{}", Map.of()).bodyAsString());
    assertEquals(
        204, GATEWAY.send(HttpMethod.GET, at + "/exports/" + path, null, Map.of()).statusCode());
    assertEquals(
        "{\"value\":8}",
        GATEWAY.send(HttpMethod.GET, at + "/globals/" + path + ".", null, Map.of()).bodyAsString());
  }
}
