package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One of the ways by which a client asks; the answer is the body, or the field {@code error}. */
interface WayIn {
  JsonObject ask(Question question);

  /** Each of them, where requests have these headers. */
  static List<WayIn> all(TestClients clients, Map<String, String> headers) {
    return List.of(
        new Http(clients, headers),
        new Socket(clients.socket(headers)),
        new Bridge(clients.bridge(headers)));
  }

  /** Requests, whose status is a tenth of the code. */
  record Http(TestClients clients, Map<String, String> headers) implements WayIn {
    private static final Set<String> CREATING = Set.of("start", "put");

    /** What is asked by which request. */
    private record Request(HttpMethod method, String path, Object body) {}

    /** Whether there is a request for it. */
    static boolean has(Question question) {
      return request(question) != null;
    }

    @Override
    public JsonObject ask(Question question) {
      Request request = request(question);
      String query =
          question
              .millis()
              .map(millis -> (request.path.contains("?") ? "&" : "?") + "timeout=" + millis)
              .orElse("");
      HttpResponse<Buffer> response =
          clients.send(request.method, request.path + query, request.body, headers);
      JsonObject answer = body(question, response);
      if (response.statusCode() >= 400) {
        assertEquals(answer.getInteger("code") / 10, response.statusCode());
        return new JsonObject().put("error", answer);
      }
      int status = question.action().equals("exists") ? 204 : 200;
      assertEquals(CREATING.contains(question.action()) ? 201 : status, response.statusCode());
      return answer;
    }

    /** As the other ways have it. */
    private static JsonObject body(Question question, HttpResponse<Buffer> response) {
      String field = question.action().equals("invoke") ? "output" : "bytes";
      return switch (String.valueOf(response.getHeader("content-type"))) {
        case "application/json" -> response.bodyAsJsonObject();
        case "null" -> new JsonObject().put("exists", true);
        default ->
            new JsonObject().put(field, Base64.getEncoder().encodeToString(bytes(response.body())));
      };
    }

    private static byte[] bytes(Buffer body) {
      return body == null ? new byte[0] : body.getBytes();
    }

    private static Request request(Question question) {
      return question.instance().isPresent()
          ? onInstance("/instances/" + question.instance().get(), question)
          : switch (question.address()) {
            case "wasm.instances" -> onInstances(question);
            case "wasm.modules" -> onModules(question);
            case "wasm.nodes" -> onNodes(question);
            default -> null;
          };
    }

    private static Request onInstance(String path, Question question) {
      JsonObject body = question.body().copy();
      return switch (question.action()) {
        case "call" -> post(path + "/call/" + body.remove("function"), body);
        case "invoke" -> post(path + "/invoke/" + body.getString("function"), bytes(body, "input"));
        case "exists" -> get(path + "/exports/" + body.getString("function"));
        case "get-global" -> get(path + "/globals/" + body.getString("global"));
        case "set-global" -> put(path + "/globals/" + body.remove("global"), body);
        case "memory" -> get(path + "/memory" + query(body));
        case "read-memory" -> body.containsKey("as") ? null : get(path + "/memory" + query(body));
        case "write-memory" ->
            body.containsKey("text") ? null : write(path, bytes(body, "bytes"), body);
        case "grow-memory" -> post(path + "/memory/grow", body);
        case "get-fuel" -> get(path + "/fuel");
        case "set-fuel" -> put(path + "/fuel", body);
        case "describe" -> get(path + query(body));
        case "stop" -> new Request(HttpMethod.DELETE, path, null);
        case "move" -> post(path + "/move", body);
        default -> null;
      };
    }

    private static Request onInstances(Question question) {
      return switch (question.action()) {
        case "start" -> post("/instances", question.body());
        case "list" -> get("/instances");
        case "stop", "describe", "move" ->
            onInstance("/instances/" + question.body().getString("id"), question);
        default -> null;
      };
    }

    private static Request onModules(Question question) {
      JsonObject body = question.body().copy();
      String path = "/modules/" + body.getString("module");
      return switch (question.action()) {
        case "put" -> {
          byte[] module =
              body.containsKey("wat")
                  ? String.valueOf(body.remove("wat")).getBytes()
                  : bytes(body, "bytes");
          yield post("/modules" + query(body), module);
        }
        case "list" -> get("/modules");
        case "describe" -> get(path);
        case "get" -> get(path + "/wasm");
        case "remove" -> new Request(HttpMethod.DELETE, path, null);
        default -> null;
      };
    }

    private static Request onNodes(Question question) {
      return question.action().equals("list") ? get("/nodes") : null;
    }

    private static Request get(String path) {
      return new Request(HttpMethod.GET, path, null);
    }

    private static Request post(String path, Object body) {
      return new Request(HttpMethod.POST, path, body);
    }

    private static Request put(String path, Object body) {
      return new Request(HttpMethod.PUT, path, body);
    }

    private static Request write(String path, byte[] bytes, JsonObject rest) {
      return put(path + "/memory" + query(rest), bytes);
    }

    private static byte[] bytes(JsonObject body, String field) {
      return Base64.getDecoder().decode((String) body.remove(field));
    }

    private static String query(JsonObject fields) {
      StringBuilder query = new StringBuilder();
      fields.forEach(
          field ->
              query
                  .append(query.isEmpty() ? "?" : "&")
                  .append(field.getKey())
                  .append('=')
                  .append(field.getValue()));
      return query.toString();
    }

    @Override
    public String toString() {
      return "HTTP";
    }
  }

  /** A WebSocket. */
  record Socket(TestSocket socket) implements WayIn {
    @Override
    public JsonObject ask(Question question) {
      JsonObject answer = socket.ask(frame(question));
      return answer.getString("status").equals("ok")
          ? answer.getJsonObject("body")
          : new JsonObject().put("error", answer.getJsonObject("error"));
    }

    static JsonObject frame(Question question) {
      JsonObject frame =
          new JsonObject().put("action", question.action()).put("body", question.body());
      question.instance().ifPresent(id -> frame.put("instance", id));
      if (!question.address().isEmpty()) {
        frame.put("address", question.address());
      }
      question.millis().ifPresent(millis -> frame.put("timeout", millis));
      return frame;
    }

    @Override
    public String toString() {
      return "WebSocket";
    }
  }

  /** The event-bus bridge: a failure comes twice, as the bus has it and as a body. */
  record Bridge(TestSocket socket) implements WayIn {
    @Override
    public JsonObject ask(Question question) {
      socket.send(frame(question, new JsonObject().put("errors", "body")));
      JsonObject answer = socket.next();
      assertEquals("rec", answer.getString("type"), answer::encode);
      assertEquals("r", answer.getString("address"), answer::encode);
      JsonObject body = answer.getJsonObject("body");
      assertEquals(
          body.containsKey("error") ? "error" : "ok",
          answer.getJsonObject("headers").getString("status"));
      return body;
    }

    /** What the standard client makes of a failure. */
    JsonObject failure(Question question) {
      socket.send(frame(question, new JsonObject()));
      return socket.next();
    }

    static JsonObject frame(Question question, JsonObject headers) {
      headers.put("action", question.action());
      question.millis().ifPresent(millis -> headers.put("timeout", String.valueOf(millis)));
      return new JsonObject()
          .put("type", "send")
          .put(
              "address",
              question.instance().map(id -> "wasm.instance." + id).orElse(question.address()))
          .put("headers", headers)
          .put("body", question.body())
          .put("replyAddress", "r");
    }

    @Override
    public String toString() {
      return "bridge";
    }
  }
}
