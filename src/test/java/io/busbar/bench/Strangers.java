package io.busbar.bench;

import io.busbar.gateway.Credentials;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.UUID;

/**
 * What strangers can do to a gateway, or learn from it: how long one more connection takes beside
 * thousands that never send a whole request, and whether what is there but another's takes as long
 * to be refused as what is not there.
 */
public final class Strangers {
  private static final int HALF_OPEN = 5_000;
  private static final int ASKED = 500;
  private static final int PROBES = 2_000;
  private static final String KEY = "secret-of-the-benchmark";

  private Strangers() {}

  /** Prints both tables. */
  public static void main(String[] args) throws Exception {
    JsonArray keys = new JsonArray().add(key("one")).add(key("other"));
    JsonObject http = new JsonObject().put("auth", new JsonObject().put("keys", keys));
    Edge edge = Edge.start(new JsonObject().put("node", "edge").put("http", http));
    for (int i = 0; i < 4; i++) {
      nanosOfConnections(edge.gateway); // until it is compiled
    }
    print("a connection, alone", nanosOfConnections(edge.gateway));
    List<Socket> silent = new ArrayList<>();
    for (int i = 0; i < HALF_OPEN; i++) {
      silent.add(connect(edge.gateway, i % 2 == 0 ? "" : "GET /api/v1/nodes HTT"));
    }
    print("beside " + HALF_OPEN + " half-open ones", nanosOfConnections(edge.gateway));
    for (Socket socket : silent) {
      socket.close();
    }
    probe(edge.gateway);
    edge.kill();
    System.exit(0);
  }

  private static JsonObject key(String tenant) {
    return new JsonObject()
        .put("name", tenant)
        .put("sha256", Credentials.Key.digest(credential(tenant)))
        .put("tenant", tenant)
        .put("permissions", "all");
  }

  private static String credential(String tenant) {
    return tenant + "." + KEY;
  }

  private static Socket connect(int port, String text) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  /** From connecting to the first byte of an answer. */
  private static long[] nanosOfConnections(int port) throws IOException {
    long[] nanos = new long[ASKED];
    byte[] request =
        "GET /api/v1/nodes HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < ASKED; i++) {
      long start = System.nanoTime();
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        OutputStream out = socket.getOutputStream();
        out.write(request);
        InputStream in = socket.getInputStream();
        if (in.read() != 'H') {
          throw new IOException("no answer");
        }
      }
      nanos[i] = System.nanoTime() - start;
    }
    return nanos;
  }

  /** In turns: an instance of another tenant, and one that is not there. */
  private static void probe(int port) throws Exception {
    HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    String wasm = Base64.getEncoder().encodeToString(Guests.binary("sum"));
    JsonObject spec = new JsonObject().put("module", new JsonObject().put("bytes", wasm));
    String theirs = UUID.randomUUID().toString();
    send(http, port, "other", "/instances", spec.put("id", theirs).encode(), 201);
    String call = "/call/sum";
    long[] ofAnother = new long[PROBES];
    long[] absent = new long[PROBES];
    for (int i = -PROBES; i < PROBES; i++) {
      long one = timed(http, port, "/instances/" + theirs + call);
      long none = timed(http, port, "/instances/" + UUID.randomUUID() + call);
      if (i >= 0) {
        ofAnother[i] = one;
        absent[i] = none;
      }
    }
    print("refused, another's", ofAnother);
    print("refused, not there", absent);
  }

  private static long timed(HttpClient http, int port, String path) {
    long start = System.nanoTime();
    send(http, port, "one", path, "{\"params\":[20,22]}", 404);
    return System.nanoTime() - start;
  }

  private static void send(
      HttpClient http, int port, String tenant, String path, String body, int status) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/v1" + path))
            .header("Authorization", "Bearer " + credential(tenant))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != status) {
        throw new IllegalStateException(response.statusCode() + " " + response.body());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void print(String what, long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    System.out.printf(
        "  %-32s p10 %,8.1f us  p50 %,8.1f us  p90 %,8.1f us  p99 %,8.1f us%n",
        what, at(sorted, 10), at(sorted, 50), at(sorted, 90), at(sorted, 99));
  }

  private static double at(long[] sorted, int percent) {
    return sorted[sorted.length * percent / 100] / 1e3;
  }
}
