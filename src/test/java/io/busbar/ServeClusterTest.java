package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code serve --cluster} in processes of its own, one of which is killed. */
class ServeClusterTest {
  private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
  private static final String CLASSES =
      System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  private static final String GUEST =
      """
      (module
        (func (export "spin") (loop (br 0)))
        (func (export "seven") (result i32) (i32.const 7)))
      """;

  @TempDir Path folder;
  private final String name = "test-" + UUID.randomUUID();
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<Serving> nodes = new ArrayList<>();

  /** A node and where it answers. */
  private record Serving(Process process, String api) {}

  @AfterEach
  void stop() {
    nodes.forEach(node -> node.process.destroyForcibly());
  }

  private Serving serve(String node) throws IOException {
    JsonObject config =
        new JsonObject().put("node", node).put("cluster", new JsonObject().put("name", name));
    Path file = Files.writeString(folder.resolve(node + ".json"), config.encode());
    Process process =
        new ProcessBuilder(
                JAVA.toString(),
                "-Djava.net.preferIPv4Stack=true",
                "-XX:TieredStopAtLevel=1", // starts sooner
                "-cp",
                CLASSES,
                "io.busbar.Main",
                "serve",
                "--dev",
                "--cluster",
                "--port=0",
                "--config",
                file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Serving serving = new Serving(process, address(process));
    nodes.add(serving);
    return serving;
  }

  private static String address(Process process) throws IOException {
    BufferedReader lines = process.inputReader();
    String line = lines.readLine();
    while (line != null && !line.contains("http://")) {
      line = lines.readLine();
    }
    return line.substring(line.indexOf("http://"));
  }

  private JsonObject get(Serving node, String path) {
    return send(HttpRequest.newBuilder(URI.create(node.api + path)).GET()).join();
  }

  private JsonObject post(Serving node, String path, JsonObject body) {
    return posting(node, path, body).join();
  }

  private CompletableFuture<JsonObject> posting(Serving node, String path, JsonObject body) {
    return send(
        HttpRequest.newBuilder(URI.create(node.api + path))
            .POST(HttpRequest.BodyPublishers.ofString(body.encode())));
  }

  private CompletableFuture<JsonObject> send(HttpRequest.Builder request) {
    return http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString())
        .thenApply(answer -> new JsonObject(answer.body()));
  }

  private String start(Serving node, String id) {
    JsonObject spec =
        new JsonObject().put("id", id).put("module", new JsonObject().put("wat", GUEST));
    return post(node, "/instances", spec).getString("node");
  }

  private JsonObject seven(Serving node, String id) {
    return post(node, "/instances/" + id + "/call/seven", new JsonObject());
  }

  @Test
  void nodeThatIsKilled_isTold_andItsInstancesAnswerElsewhere() throws Exception {
    Serving first = serve("first");
    Serving second = serve("second");
    Until.isTrue(() -> open(first) == 2 && open(second) == 2);
    List<String> lost = new ArrayList<>();
    for (String id : List.of("a", "b", "c", "d")) {
      if (start(first, id).equals("second")) {
        lost.add(id);
      }
      assertEquals(new JsonArray(List.of(7)), seven(second, id).getJsonArray("results"));
    }
    assertEquals(2, lost.size(), "each node has as many");
    String id = lost.get(0);
    CompletableFuture<JsonObject> spinning =
        posting(first, "/instances/" + id + "/call/spin?timeout=60000", new JsonObject());
    Until.isTrue(() -> get(first, "/instances/" + id).getBoolean("running"));
    second.process.destroyForcibly();
    long killed = System.nanoTime();
    JsonObject told = spinning.get(30, TimeUnit.SECONDS);
    Duration after = Duration.ofNanos(System.nanoTime() - killed);
    assertEquals("NODE_LOST", told.getString("name"));
    assertEquals(
        "the node `second` was lost: whether the operation ran is unknown",
        told.getString("message"));
    assertTrue(after.toMillis() < 5000, "told after " + after);
    for (String gone : lost) {
      JsonObject seven = seven(first, gone);
      assertEquals(List.of(7), results(seven), () -> "it waited for its new node: " + seven);
      JsonObject about = get(first, "/instances/" + gone);
      assertEquals("first", about.getString("node"));
      assertEquals(2, about.getInteger("epoch"));
      assertTrue(about.getBoolean("fresh"));
    }
    Serving third = serve("third");
    assertEquals(new JsonArray(List.of(7)), seven(third, id).getJsonArray("results"));
  }

  private static List<?> results(JsonObject answer) {
    return answer.getJsonArray("results", new JsonArray()).getList();
  }

  private long open(Serving node) {
    return get(node, "/nodes").getJsonArray("nodes").stream()
        .filter(about -> ((JsonObject) about).getBoolean("open"))
        .count();
  }
}
