package io.busbar.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.openapi.contract.Operation;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A request of the description and how it is answered: what has the same name in the parameters,
 * the body and the responses of an operation.
 *
 * @param query with its question mark, or empty
 * @param type of the body, where there is one
 * @param answer what the answer's body is, where that is shown
 */
record Example(
    Operation operation,
    String name,
    String path,
    String query,
    Optional<String> type,
    Optional<Object> body,
    int status,
    Optional<Object> answer) {

  /** All of them, in the order of the text. */
  static List<Example> all(Described described) {
    return described.operations().stream()
        .flatMap(operation -> new Reader(described, operation).examples())
        .toList();
  }

  HttpMethod method() {
    return operation.getHttpMethod();
  }

  /** The body as it is sent, or null. */
  byte[] bytes() {
    return body.map(value -> bytes(type.orElseThrow(), value)).orElse(null);
  }

  static byte[] bytes(String type, Object value) {
    return type.equals("application/json")
        ? Json.encodeToBuffer(value).getBytes()
        : Buffer.buffer(value.toString()).getBytes();
  }

  @Override
  public String toString() {
    return operation.getOperationId() + " " + name;
  }

  /** What the text says of one operation. */
  private record Reader(Described described, Operation operation) {
    /** A value of an example, and under which content type or status it is. */
    private record Shown(String at, Optional<Object> value) {}

    Stream<Example> examples() {
      Set<String> names = new LinkedHashSet<>();
      parameters().forEach(parameter -> names.addAll(examples(parameter).fieldNames()));
      names.addAll(bodies().keySet());
      names.addAll(answers().keySet());
      return names.stream().map(this::example);
    }

    private Example example(String name) {
      Optional<Shown> body = Optional.ofNullable(bodies().get(name));
      Optional<Shown> answer = Optional.ofNullable(answers().get(name));
      return new Example(
          operation,
          name,
          path(name),
          query(name),
          body.map(Shown::at),
          body.flatMap(Shown::value),
          Integer.parseInt(answer.map(Shown::at).orElseGet(this::silent)),
          answer.flatMap(Shown::value));
    }

    /** The status of the answer that has no body to show. */
    private String silent() {
      JsonObject responses = described.text(operation).getJsonObject("responses");
      return responses.fieldNames().stream()
          .filter(status -> content(responses.getJsonObject(status)).isEmpty())
          .findFirst()
          .orElseThrow(() -> new AssertionError(operation.getOperationId()));
    }

    private List<JsonObject> parameters() {
      List<JsonObject> all = new ArrayList<>();
      for (JsonObject level : List.of(described.path(operation), described.text(operation))) {
        JsonArray here = level.getJsonArray("parameters", new JsonArray());
        for (int i = 0; i < here.size(); i++) {
          all.add(described.followed(here.getJsonObject(i)));
        }
      }
      return all;
    }

    private static JsonObject examples(JsonObject part) {
      return part.getJsonObject("examples", new JsonObject());
    }

    private static Optional<Object> value(JsonObject parameter, String name) {
      JsonObject shown = examples(parameter).getJsonObject(name);
      return Optional.ofNullable(
          shown == null ? parameter.getValue("example") : shown.getValue("value"));
    }

    private String path(String name) {
      String path = operation.getOpenAPIPath();
      for (JsonObject parameter : parameters()) {
        if (parameter.getString("in").equals("path")) {
          String value = encoded(value(parameter, name).orElseThrow());
          path = path.replace("{" + parameter.getString("name") + "}", value);
        }
      }
      return path;
    }

    private String query(String name) {
      StringBuilder query = new StringBuilder();
      for (JsonObject parameter : parameters()) {
        if (parameter.getString("in").equals("query")) {
          value(parameter, name)
              .ifPresent(
                  value ->
                      query
                          .append(query.isEmpty() ? '?' : '&')
                          .append(parameter.getString("name"))
                          .append('=')
                          .append(encoded(value)));
        }
      }
      return query.toString();
    }

    private static String encoded(Object value) {
      return URLEncoder.encode(value.toString(), StandardCharsets.UTF_8);
    }

    private static JsonObject content(JsonObject part) {
      return part.getJsonObject("content", new JsonObject());
    }

    private Map<String, Shown> bodies() {
      JsonObject body = described.text(operation).getJsonObject("requestBody", new JsonObject());
      Map<String, Shown> shown = new LinkedHashMap<>();
      content(body).fieldNames().forEach(type -> show(shown, type, content(body), type));
      return shown;
    }

    private Map<String, Shown> answers() {
      JsonObject responses = described.text(operation).getJsonObject("responses");
      Map<String, Shown> shown = new LinkedHashMap<>();
      for (String status : responses.fieldNames()) {
        JsonObject content = content(described.followed(responses.getJsonObject(status)));
        content.fieldNames().forEach(type -> show(shown, status, content, type));
      }
      return shown;
    }

    private static void show(Map<String, Shown> shown, String at, JsonObject content, String type) {
      JsonObject examples = examples(content.getJsonObject(type));
      for (String name : examples.fieldNames()) {
        Object value = examples.getJsonObject(name).getValue("value");
        shown.put(name, new Shown(at, Optional.ofNullable(value)));
      }
    }
  }
}
