package io.busbar.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Names;
import io.busbar.model.WasiSpec;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.openapi.contract.OpenAPIContractException;
import io.vertx.openapi.contract.Operation;
import io.vertx.openapi.contract.Parameter;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The description of the API against a node that was asked all that it shows. */
@Timeout(60)
class OpenApiTest {
  /** What is never twice the same. */
  private static final Set<String> VARYING =
      Set.of("at", "limit", "micros", "node", "reserved", "started");

  /** What has the names that somebody gave. */
  private static final Set<String> NAMED_BY_USERS =
      Set.of("imports", "links", "env", "files", "labels");

  private static final String TALKER =
      """
      (module
        (import "wasi_snapshot_preview1" "fd_write"
          (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00hello\\n")
        (func (export "say")
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
      """;

  private static TestGateway dev;
  private static TestGateway guarded;
  private static String yaml;
  private static Described described;
  private static final Map<Example, HttpResponse<Buffer>> answers = new LinkedHashMap<>();

  @BeforeAll
  static void askAllThatIsShown() {
    dev = TestGateway.dev();
    guarded = TestGateway.of(TestGateway.guarded());
    yaml = dev.send(HttpMethod.GET, "/openapi.yaml", null, Map.of()).bodyAsString();
    described = Described.by(dev.node.vertx(), Described.parse(yaml));
    Example.all(described).stream()
        .filter(example -> !isStream(example))
        .forEach(example -> answers.put(example, ask(example)));
  }

  /** Whether the answer has no end. */
  private static boolean isStream(Example example) {
    return example.operation().getOperationId().equals("readEvents") && example.status() == 200;
  }

  private static HttpResponse<Buffer> ask(Example example) {
    Map<String, String> headers =
        example.type().map(type -> Map.of("Content-Type", type)).orElse(Map.of());
    return dev.send(example.method(), example.path() + example.query(), example.bytes(), headers);
  }

  @AfterAll
  static void stop() {
    dev.close();
    guarded.close();
  }

  @Test
  void description_isOpenToAll() {
    HttpResponse<Buffer> text =
        guarded.send(HttpMethod.GET, "/openapi.yaml", null, Map.of("Authorization", "Bearer x"));
    assertEquals(200, text.statusCode());
    assertEquals("application/yaml", text.getHeader("Content-Type"));
    assertEquals(yaml, text.bodyAsString());
  }

  @Test
  void description_thatIsNoOpenApi_isNotTaken() {
    assertNoOpenApi(model -> model.remove("info"));
    assertNoOpenApi(model -> model.getJsonObject("paths").put("modules", new JsonObject()));
    assertNoOpenApi(model -> nodes(model).getJsonObject("get").put("answers", new JsonObject()));
    assertNoOpenApi(model -> nodes(model).getJsonObject("get").put("responses", "none"));
  }

  private static JsonObject nodes(JsonObject model) {
    return model.getJsonObject("paths").getJsonObject("/nodes");
  }

  private static void assertNoOpenApi(Consumer<JsonObject> change) {
    JsonObject model = described.model.copy();
    change.accept(model);
    assertThrows(OpenAPIContractException.class, () -> Described.by(dev.node.vertx(), model));
  }

  @Test
  void routes_areAllDescribed_andNoOthers() {
    Set<String> routes =
        dev.gateway.routes().stream()
            .filter(route -> route.getPath() != null && route.getPath().startsWith("/api/v1"))
            .flatMap(
                route ->
                    route.methods().stream().map(method -> method + " " + braced(route.getPath())))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> operations =
        described.operations().stream()
            .map(operation -> operation.getHttpMethod() + " " + operation.getAbsoluteOpenAPIPath())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(String.join("\n", routes), String.join("\n", operations));
  }

  private static String braced(String path) {
    return path.replaceAll(":(\\w+)", "{$1}");
  }

  @Test
  void examples_oneAfterTheOther_areAnsweredAsDescribed() {
    assertEquals(
        described.operations(),
        answers.keySet().stream().map(Example::operation).distinct().toList());
    answers.forEach(
        (example, answer) -> {
          assertEquals(example.status(), answer.statusCode(), () -> said(example, answer));
          assertDescribed(example.toString(), example.operation(), answer);
        });
  }

  private static String said(Example example, HttpResponse<Buffer> answer) {
    return example
        + ": "
        + answer.statusCode()
        + " "
        + Names.shown(String.valueOf(answer.bodyAsString()));
  }

  private static void assertDescribed(
      String what, Operation operation, HttpResponse<Buffer> answer) {
    try {
      described.check(operation, answer);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(what + ": " + e.getMessage(), e);
    }
  }

  @Test
  void examples_showWhatIsAnswered() {
    answers.forEach(
        (example, answer) ->
            example
                .answer()
                .filter(shown -> isJson(answer))
                .ifPresent(
                    shown ->
                        assertEquals(
                            settled(shown),
                            settled(answer.bodyAsJsonObject()),
                            example::toString)));
  }

  private static boolean isJson(HttpResponse<Buffer> answer) {
    return "application/json".equals(answer.getHeader("Content-Type"));
  }

  /** The value without what varies. */
  private static Object settled(Object value) {
    if (value instanceof JsonArray list) {
      return list.stream().map(OpenApiTest::settled).toList();
    } else if (value instanceof JsonObject object) {
      Map<String, Object> fields = new LinkedHashMap<>();
      object.forEach(
          field ->
              fields.put(
                  field.getKey(),
                  VARYING.contains(field.getKey()) ? "…" : settled(field.getValue())));
      return fields;
    }
    return value instanceof Number number ? number.doubleValue() : value;
  }

  @Test
  void examples_ofRequests_areAsDescribed() {
    answers.keySet().stream()
        .filter(example -> example.type().filter("application/json"::equals).isPresent())
        .filter(example -> !example.operation().getOperationId().equals("invokeFunction"))
        .forEach(
            example ->
                assertTrue(
                    described.isSo(
                        example.operation().getRequestBody().getContent(),
                        example.body().orElseThrow()),
                    example::toString));
  }

  @Test
  void answers_withAFieldMore_areNotAsDescribed() {
    answers.forEach(
        (example, answer) -> {
          if (isJson(answer) && !answer.bodyAsString().contains("greet")) {
            withAFieldMore(answer.bodyAsJsonObject())
                .forEach(
                    body ->
                        assertFalse(
                            described.isSo(example.operation(), example.status(), body),
                            () -> example + ": " + body.encode()));
          }
        });
  }

  /** The object once for each that is in it, with a field that nobody knows there. */
  private static List<JsonObject> withAFieldMore(JsonObject object) {
    List<JsonObject> all = new ArrayList<>();
    all.add(object.copy().put("unheardOf", 1));
    for (String name : object.fieldNames()) {
      Object value = object.getValue(name);
      if (value instanceof JsonObject inner && !NAMED_BY_USERS.contains(name)) {
        withAFieldMore(inner).forEach(more -> all.add(object.copy().put(name, more)));
      } else if (value instanceof JsonArray list) {
        for (int i = 0; i < list.size(); i++) {
          if (list.getValue(i) instanceof JsonObject item) {
            int place = i;
            withAFieldMore(item)
                .forEach(
                    more -> {
                      JsonObject copy = object.copy();
                      copy.getJsonArray(name).set(place, more);
                      all.add(copy);
                    });
          }
        }
      }
    }
    return all;
  }

  @Test
  void answers_withAFieldLess_areNotAsDescribed() {
    for (Example example : answers.keySet()) {
      HttpResponse<Buffer> answer = answers.get(example);
      if (isJson(answer) && example.status() >= 400) {
        for (String name : List.of("code", "name", "message")) {
          JsonObject less = answer.bodyAsJsonObject();
          less.remove(name);
          assertFalse(described.isSo(example.operation(), example.status(), less));
        }
      }
    }
  }

  /** One request of each operation, as the description shows it. */
  private static Stream<Example> oneEach() {
    return described.operations().stream()
        .map(
            operation ->
                answers.keySet().stream()
                    .filter(example -> example.operation() == operation)
                    .findFirst()
                    .orElseThrow());
  }

  private static HttpResponse<Buffer> ask(
      TestGateway gateway, Example example, String query, Map<String, String> headers) {
    return gateway.send(example.method(), example.path() + query, example.bytes(), headers);
  }

  @Test
  void pagesOfOtherSites_areRefusedAsDescribed() {
    Map<String, String> foreign = Map.of("Origin", "http://evil.example");
    oneEach()
        .forEach(
            example -> {
              HttpResponse<Buffer> refused = ask(dev, example, example.query(), foreign);
              assertEquals(403, refused.statusCode(), () -> said(example, refused));
              assertDescribed(example.toString(), example.operation(), refused);
            });
  }

  @Test
  void strangers_areRefusedAsDescribed() {
    Map<String, String> wrong = Map.of("Authorization", "Bearer wrong");
    oneEach()
        .filter(example -> !example.operation().getSecurityRequirements().isEmpty())
        .forEach(
            example -> {
              HttpResponse<Buffer> refused = ask(guarded, example, example.query(), wrong);
              assertEquals(401, refused.statusCode(), () -> said(example, refused));
              assertDescribed(example.toString(), example.operation(), refused);
            });
  }

  @Test
  void timeoutThatIsNone_isRefusedAsDescribed() {
    oneEach()
        .filter(example -> hasTimeout(example.operation()))
        .forEach(
            example -> {
              HttpResponse<Buffer> refused = ask(dev, example, "?timeout=soon", Map.of());
              assertEquals(400, refused.statusCode(), () -> said(example, refused));
              assertDescribed(example.toString(), example.operation(), refused);
            });
  }

  private static boolean hasTimeout(Operation operation) {
    return operation.getParameters().stream().map(Parameter::getName).anyMatch("timeout"::equals);
  }

  @Test
  void socket_isOpenedAsDescribed() {
    assertNotNull(described.operation("openSocket").getResponse(101));
    TestSocket socket = dev.socket();
    socket.socket.close().await();
  }

  @Test
  void events_areStreamedAsDescribed() throws Exception {
    assertEvent("", "Event", TestNode.inline("wasm_test").withId("eventful"), "sum", 1, 2);
    WasiSpec published = WasiSpec.ISOLATED.withPublish(true);
    assertEvent(
        "?address=wasm.stdio.talker",
        "Output",
        TestNode.inlineText(TALKER).withId("talker").withWasi(published),
        "say");
  }

  /** The first event of a stream, while an instance is started and called. */
  private static void assertEvent(
      String query, String schema, InstanceSpec spec, String function, Object... params)
      throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + dev.gateway.port() + "/api/v1/events" + query);
    var response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(uri).build(),
                java.net.http.HttpResponse.BodyHandlers.ofInputStream());
    String type = response.headers().firstValue("Content-Type").orElseThrow();
    assertEquals(
        Set.of(type), described.operation("readEvents").getResponse(200).getContent().keySet());
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
      assertEquals(": busbar", lines.readLine());
      dev.node.start(spec).call(function, params).await();
      String data = lines.lines().filter(line -> line.startsWith("data: ")).findFirst().orElse("");
      JsonObject event = new JsonObject(data.substring("data: ".length()));
      assertTrue(described.isA(schema, event), data);
      assertFalse(described.isA(schema, event.put("unheardOf", 1)), data);
    }
  }

  @Test
  void failures_areAllDescribed() {
    List<Integer> codes = Stream.of(Failure.values()).map(Failure::code).toList();
    List<String> names = Stream.of(Failure.values()).map(Failure::name).toList();
    JsonObject error = described.schema("Error").getJsonObject("properties");
    assertEquals(codes, error.getJsonObject("code").getJsonArray("enum").getList());
    assertEquals(names, described.schema("FailureName").getJsonArray("enum").getList());
  }

  @Test
  void statuses_ofEachOperation_areThoseOfItsFailures() {
    for (Operation operation : described.operations()) {
      for (Failure failure : Failure.values()) {
        if (operation.getResponse(failure.httpStatus()) != null) {
          JsonObject error =
              new JsonObject()
                  .put("code", failure.code())
                  .put("name", failure.name())
                  .put("message", "it failed");
          assertTrue(
              described.isSo(operation, failure.httpStatus(), error),
              () -> operation.getOperationId() + " " + failure);
        }
      }
    }
  }

  @Test
  void limits_areAllDescribed() {
    JsonObject limits = described.schema("Limits").getJsonObject("properties");
    assertEquals(
        Stream.of(Limit.values()).map(Limit::key).toList(), List.copyOf(limits.fieldNames()));
    for (Limit limit : Limit.values()) {
      assertEquals(limit.highest(), limits.getJsonObject(limit.key()).getLong("maximum"));
    }
  }
}
