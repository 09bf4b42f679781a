package io.busbar.bench;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a call from outside costs over HTTP and over a WebSocket, beside a bare server of the same
 * process that sends back what it gets; the clients are in this process.
 */
public final class GatewayBench {
  private static final int[] IN_FLIGHT = {1, 64, 512};
  private static final int WARMING = 64; // in flight
  private static final int WARM_CALLS = 20_000; // in each of some rounds
  private static final String PARAMS = "{\"params\":[20,22]}";
  private static final String WORKER = "/worker";
  private static final String CALL = "/api/v1/instances/sum/call/sum";

  private GatewayBench() {}

  /** Prints the tables for an instance on the node that is asked, and on another one. */
  public static void main(String[] args) throws Exception {
    JsonObject unbounded =
        new JsonObject().put("maxMessagesPerSecond", 10_000_000).put("maxInFlight", 1_000);
    Edge alone = Edge.start(new JsonObject().put("node", "alone").put("http", unbounded));
    measure("the instance is on the node that is asked", alone, new JsonObject());
    alone.kill();
    List<JsonObject> configs = Member.configs(2);
    Member there = Member.start(configs.get(1));
    Edge here = Edge.start(configs.get(0).put("http", unbounded));
    JsonObject labels = new JsonObject().put("labels", new JsonObject().put("node", "n1"));
    measure("the instance is on another node", here, new JsonObject().put("placement", labels));
    here.kill();
    there.kill();
    System.exit(0);
  }

  private static void measure(String what, Edge edge, JsonObject spec) {
    Vertx vertx = Vertx.vertx();
    Context context = ((VertxInternal) vertx).createEventLoopContext();
    start(vertx, edge, spec);
    try (Load load = new Load(vertx, context, edge, WARMING)) {
      Way.warmUp(WARMING, load.overHttp(WARM_CALLS));
      Way.warmUp(WARMING, load.overSocket(WARM_CALLS));
    }
    for (int inFlight : IN_FLIGHT) {
      int calls = inFlight == 1 ? 1_000 : 8_000;
      try (Load load = new Load(vertx, context, edge, inFlight)) {
        Way.measure(what + ", HTTP", inFlight, load.overHttp(calls));
        Way.measure(what + ", WebSocket", inFlight, load.overSocket(calls));
      }
    }
    vertx.close().await();
  }

  /** What asks one gateway and the server beside it. */
  private static final class Load implements AutoCloseable {
    private final Context context;
    private final Edge edge;
    private final HttpClient http;
    private final Socket echo;
    private final Socket working;
    private final Socket calling;

    Load(Vertx vertx, Context context, Edge edge, int connections) {
      this.context = context;
      this.edge = edge;
      this.http = http(vertx, connections);
      this.echo = Socket.open(vertx, context, edge.echo, "/");
      this.working = Socket.open(vertx, context, edge.echo, WORKER);
      this.calling = Socket.open(vertx, context, edge.gateway, "/api/v1/ws");
    }

    List<Way> overHttp(int calls) {
      return List.of(
          new Way("echo over HTTP", calls, context, () -> post(http, edge.echo, "/")),
          new Way("the same over a worker", calls, context, () -> post(http, edge.echo, WORKER)),
          new Way("sum over HTTP", calls, context, () -> post(http, edge.gateway, CALL)));
    }

    List<Way> overSocket(int calls) {
      return List.of(
          new Way("echo over a WebSocket", calls, context, echo::ask),
          new Way("the same over a worker", calls, context, working::ask),
          new Way("sum over a WebSocket", calls, context, calling::ask));
    }

    @Override
    public void close() {
      http.close().await();
      echo.close();
      working.close();
      calling.close();
    }
  }

  private static void start(Vertx vertx, Edge edge, JsonObject spec) {
    String base64 = Base64.getEncoder().encodeToString(Guests.binary("sum"));
    JsonObject bytes = new JsonObject().put("bytes", base64);
    JsonObject body = spec.copy().put("id", "sum").put("module", bytes);
    HttpClient http = http(vertx, 1);
    send(http, edge.gateway, "/api/v1/instances", body.encode()).await();
    http.close().await();
  }

  private static HttpClient http(Vertx vertx, int connections) {
    return vertx
        .httpClientBuilder()
        .with(new HttpClientOptions().setKeepAlive(true))
        .with(new PoolOptions().setHttp1MaxSize(connections))
        .build();
  }

  private static Future<Buffer> post(HttpClient http, int port, String path) {
    return send(http, port, path, PARAMS);
  }

  private static Future<Buffer> send(HttpClient http, int port, String path, String body) {
    return http.request(HttpMethod.POST, port, "127.0.0.1", path)
        .compose((HttpClientRequest request) -> request.send(Buffer.buffer(body)))
        .compose(
            response ->
                response.statusCode() / 100 == 2
                    ? response.body()
                    : Future.failedFuture("status " + response.statusCode()));
  }

  /** One socket, whose answers are told by their id. */
  private static final class Socket {
    private static final JsonObject FRAME =
        new JsonObject()
            .put("action", "call")
            .put("instance", "sum")
            .put(
                "body",
                new JsonObject()
                    .put("function", "sum")
                    .put("params", new JsonArray().add(20).add(22)));

    private final Map<String, Promise<Void>> asked = new HashMap<>(); // on its event loop
    private WebSocketClient client; // one that nobody has any more closes its sockets
    private WebSocket socket;
    private long ids;

    static Socket open(Vertx vertx, Context context, int port, String path) {
      Socket opened = new Socket();
      opened.client = vertx.createWebSocketClient();
      Promise<Void> open = Promise.promise();
      context.runOnContext(
          run ->
              opened
                  .client
                  .connect(port, "127.0.0.1", path)
                  .onSuccess(opened::use)
                  .<Void>mapEmpty()
                  .onComplete(open));
      open.future().await();
      return opened;
    }

    private void use(WebSocket opened) {
      socket = opened;
      opened.textMessageHandler(this::answered);
    }

    private void answered(String text) {
      int start = text.indexOf("\"id\":\"") + 6;
      String id = text.substring(start, text.indexOf('"', start));
      Promise<Void> waiting = asked.remove(id);
      if (text.contains("\"error\"")) {
        waiting.fail(text);
      } else {
        waiting.complete();
      }
    }

    void close() {
      socket.close().await();
    }

    Future<Void> ask() {
      String id = Long.toString(ids++);
      Promise<Void> answer = Promise.promise();
      asked.put(id, answer);
      socket.writeTextMessage(FRAME.put("id", id).encode());
      return answer.future();
    }
  }
}
