package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line makes of whatever answers where a node should be. */
class ApiTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;
  private String base;

  @BeforeEach
  void listen() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
    base = "http://127.0.0.1:" + server.getAddress().getPort() + "/api/v1";
  }

  @AfterEach
  void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private int run(String... args) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.line(new PrintWriter(out, true), new PrintWriter(err, true)).execute(args);
  }

  private int ask(String... args) {
    String[] all = Arrays.copyOf(args, args.length + 1);
    all[args.length] = "--api=" + base;
    return run(all);
  }

  private void answers(int status, String type, String text) {
    server.createContext(
        "/",
        exchange -> {
          byte[] body = text.getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().add("Content-Type", type);
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
  }

  private void assertFails(int code, String said) {
    assertEquals("busbar: " + said + "\n", err.toString());
    assertEquals("", out.toString());
    assertEquals(1, code);
  }

  private void assertNoNode(int status, String type, String text) {
    answers(status, type, text);
    int code = ask("nodes");
    assertFails(
        code, base + " is not a Busbar node: it answered with status " + status + " and " + type);
  }

  @Test
  void refusedConnection_namesTheUrl() {
    server.stop(0);
    int code = ask("nodes");
    assertFails(code, "cannot reach a node at " + base + ": ConnectException");
  }

  @Test
  void unknownHost_namesTheUrl() {
    assertEquals(1, run("nodes", "--api=http://nowhere.invalid:1"));
    assertTrue(
        err.toString().startsWith("busbar: cannot reach a node at http://nowhere.invalid:1/api/v1"),
        err::toString);
  }

  @Test
  void html_isNoNode() {
    assertNoNode(200, "text/html", "<html><body>hello</body></html>");
  }

  @Test
  void htmlError_isNoNode() {
    assertNoNode(502, "text/html", "<h1>Bad Gateway</h1>");
  }

  @Test
  void nothing_isNoNode() {
    assertNoNode(200, "application/json", "");
  }

  @Test
  void redirect_isNotFollowed() {
    assertNoNode(302, "text/plain", "elsewhere");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "null",
        "7",
        "{\"nodes\":[]} {}",
        "{\"nodes\":[",
        "{'nodes':[]}",
        "{\"message\":\"no code\"}x"
      })
  void otherJson_isNoNode(String json) {
    assertNoNode(200, "application/json", json);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"code\":\"4040\",\"message\":\"text for a number\"}",
        "{\"code\":4040}",
        "{\"code\":4040,\"message\":{}}",
        "{\"error\":{\"code\":4040,\"message\":\"deeper\"}}"
      })
  void otherError_isNoNode(String json) {
    assertNoNode(404, "application/json", json);
  }

  @Test
  void depthWithoutEnd_isNoNode() {
    assertNoNode(200, "application/json", "[".repeat(1_000_000));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"nodes\":7}", "{\"nodes\":{}}", "{\"nodes\":null}"})
  void answerWithoutTheList_isNoNode(String json) {
    answers(200, "application/json", json);
    int code = ask("nodes");
    assertFails(code, base + " is not a Busbar node: it answered without a list `nodes`");
  }

  @Test
  void fieldsOfOtherTypes_areMissing() {
    answers(
        200,
        "application/json",
        "{\"nodes\":[7,null,{\"node\":[],\"open\":\"no\",\"memory\":7,\"labels\":[]},"
            + "{\"node\":\"n1\",\"state\":\"draining\",\"suspected\":true,\"healthy\":false,"
            + "\"instances\":12,\"memory\":{\"reserved\":3145728,\"limit\":1e9},"
            + "\"labels\":{\"b\":1,\"a\":{}}},{\"node\":\"n2\",\"silent\":true,\"open\":false}]}");
    assertEquals(0, ask("nodes"), err::toString);
    assertEquals(
        List.of(
            "NODE  STATE                         INSTANCES  MEMORY        LABELS",
            "-     open                          -          -             -",
            "n1    draining,suspected,unhealthy  12         3 of 953 MiB  a=-,b=1",
            "n2    closed,silent                 -          -             -"),
        out.toString().lines().toList());
  }

  @Test
  void instances_showTheirState() {
    answers(
        200,
        "application/json",
        "{\"instances\":[{\"id\":\"c\",\"state\":\"moving\"},{\"id\":\"a\",\"parked\":\"why\"},{}]}");
    assertEquals(0, ask("ps"), err::toString);
    assertEquals(
        List.of(
            "INSTANCE  NODE  STATE   MODULE",
            "-         -     live    -",
            "a         -     parked  -",
            "c         -     moving  -"),
        out.toString().lines().toList());
  }

  @Test
  void controlCharacters_neverReachTheTerminal() {
    String evil = "\u001b[2J\u009b31m\r\u202ereversed\u2028\u007f";
    String escaped = "\\u001b[2J\u009b31m\\r\u202ereversed\u2028\u007f";
    answers(
        200,
        "application/json",
        "{\"nodes\":\n\t[{\"node\":\"" + escaped + "\",\"labels\":{\"" + escaped + "\":1}}]}\r ");
    assertEquals(0, ask("nodes"), err::toString);
    assertSeen(out.toString());
    assertEquals(0, ask("nodes", "--json"), err::toString);
    assertSeen(out.toString());
    assertEquals(
        evil,
        new JsonObject(out.toString()).getJsonArray("nodes").getJsonObject(0).getString("node"));
  }

  @Test
  void controlCharactersOfAnError_neverReachTheTerminal() {
    answers(
        409,
        "application/json",
        "{\"code\":4090,\"message\":\"\\u001b[2J\\n\\u009b\u202e" + "x".repeat(100_000) + "\"}");
    assertEquals(3, ask("drain", "n1"));
    assertSeen(err.toString());
    assertEquals(1, err.toString().lines().count());
    assertTrue(err.toString().length() < 5000);
  }

  private static void assertSeen(String printed) {
    assertTrue(printed.codePoints().allMatch(c -> c == '\n' || c == '\t' || isSeen(c)), printed);
  }

  private static boolean isSeen(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }

  @Test
  void unknownCode_isShownAndEndsWithOne() {
    answers(599, "application/json", "{\"code\":9999,\"name\":\"NEW\",\"message\":\"so new\"}");
    assertFails(ask("nodes"), "so new");
  }

  @Test
  void exitOfAStranger_isNoSuccess() {
    answers(422, "application/json", "{\"code\":4221,\"message\":\"exit\",\"exit\":0}");
    assertFails(ask("nodes"), "exit");
  }

  @Test
  void silence_endsInTime() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    server.createContext("/", exchange -> await(over));
    long start = System.nanoTime();
    assertEquals(6, ask("nodes", "--timeout=100"));
    assertTrue(Duration.ofNanos(System.nanoTime() - start).toSeconds() < 10);
    assertEquals("busbar: no answer from " + base + " in 100 ms\n", err.toString());
    over.countDown();
  }

  @Test
  void answerThatNeverEnds_endsInTime() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          OutputStream body = exchange.getResponseBody();
          body.write('[');
          body.flush();
          await(over);
        });
    assertEquals(6, ask("nodes", "--timeout=100"));
    assertEquals("busbar: no answer from " + base + " in 100 ms\n", err.toString());
    over.countDown();
  }

  private static void await(CountDownLatch over) {
    try {
      over.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void endlessAnswer_isTooLarge() {
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] some = new byte[1 << 20];
          try (OutputStream body = exchange.getResponseBody()) {
            while (true) {
              body.write(some);
            }
          }
        });
    assertEquals(6, ask("nodes"));
    assertEquals("busbar: " + base + " answered more than 67108864 bytes\n", err.toString());
  }

  @Test
  void otherProtocol_isNotReached() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      threads.execute(() -> greet(other));
      String url = "http://127.0.0.1:" + other.getLocalPort();
      assertEquals(1, run("nodes", "--api=" + url));
      assertTrue(
          err.toString().startsWith("busbar: cannot reach a node at " + url + "/api/v1: "),
          err::toString);
      assertSeen(err.toString());
    }
  }

  private static void greet(ServerSocket other) {
    try (Socket socket = other.accept()) {
      socket.getInputStream().read(new byte[1000]);
      socket.getOutputStream().write("SSH-2.0-\u001b[2J\r\n\r\n".getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // the test is over
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost:8080",
        "127.0.0.1:8080",
        "ftp://localhost",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://user:secret@localhost:8080",
        "http://localhost:8080?x=1",
        "http://localhost:8080/#x",
        "http://local host",
        "http://localhost:99999",
        "\u001b[2J"
      })
  void urlThatIsNone_isMisuse(String url) {
    assertEquals(2, run("nodes", "--api=" + url));
    assertEquals(1, err.toString().lines().count());
    assertSeen(err.toString());
    assertTrue(
        err.toString().startsWith("busbar: `--api` must be a URL such as http://127.0.0.1:8080"),
        err::toString);
    assertTrue(err.toString().contains("(see busbar nodes --help)"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "/api/v1", "/api/v1/", "///"})
  void url_endsAsItLikes(String end) {
    answers(200, "application/json", "{\"nodes\":[]}");
    String url = base.substring(0, base.length() - "/api/v1".length()) + end;
    assertEquals(0, run("nodes", "--api", url), err::toString);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "300001", "soon", "99999999999999999999"})
  void timeoutThatIsNone_isMisuse(String timeout) {
    assertEquals(2, ask("drain", "n1", "--timeout=" + timeout));
    assertEquals(1, err.toString().lines().count());
  }
}
