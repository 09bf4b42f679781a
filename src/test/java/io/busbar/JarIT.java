package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The one jar as its users run it: in processes of its own. */
class JarIT {
  private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

  @TempDir Path folder;

  private static Process run(String... args) throws IOException {
    List<String> command = new ArrayList<>(List.of(JAVA.toString(), "-jar", "target/busbar.jar"));
    command.addAll(List.of(args));
    return new ProcessBuilder(command).start();
  }

  private static void assertEnds(int code, Process process) throws InterruptedException {
    assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it goes on running");
    assertEquals(code, process.exitValue());
  }

  private static String text(java.io.InputStream stream) throws IOException {
    return new String(stream.readAllBytes());
  }

  @Test
  void call_printsTheResult() throws Exception {
    Path file = Files.write(folder.resolve("multi.wat"), Guests.text("multi"));
    Process call = run("call", file.toString(), "fib", "20");
    assertEquals("6765\n", text(call.getInputStream()));
    assertEquals("", text(call.getErrorStream()));
    assertEnds(0, call);
  }

  @Test
  void serve_answersOverHttp_keepsModules_andEndsWhenTold() throws Exception {
    String data = folder.resolve("data").toString();
    Process first = run("serve", "--dev", "--port", "0", "--data", data);
    try {
      String api = address(first);
      byte[] wat = Guests.text("multi");
      assertEquals(
          201,
          post(api + "/modules?name=m", HttpRequest.BodyPublishers.ofByteArray(wat)).statusCode());
      assertCalled(api);
      assertServesPages(api);
      first.destroy(); // SIGTERM
      assertEnds(143, first);
    } finally {
      first.destroyForcibly();
    }
    Process second = run("serve", "--dev", "--port", "0", "--data", data);
    try {
      assertCalled(address(second));
    } finally {
      second.destroyForcibly();
    }
  }

  private static String address(Process serving) throws IOException {
    BufferedReader lines = serving.inputReader();
    String line = lines.readLine();
    while (line != null && !line.contains("http://")) {
      line = lines.readLine();
    }
    return line.substring(line.indexOf("http://"));
  }

  private static void assertCalled(String api) throws Exception {
    post(api + "/instances", json("{\"id\":\"i\",\"module\":\"m\"}"));
    HttpResponse<String> answer = post(api + "/instances/i/call/fib", json("{\"params\":[20]}"));
    assertEquals("{\"results\":[6765]}", answer.body());
  }

  private static void assertServesPages(String api) throws Exception {
    for (String page : List.of("/", "/client.js", "/console/dom.js")) {
      HttpRequest get = HttpRequest.newBuilder(URI.create(api).resolve(page)).build();
      HttpResponse<Void> answer =
          HttpClient.newHttpClient().send(get, HttpResponse.BodyHandlers.discarding());
      assertEquals(200, answer.statusCode(), page);
    }
  }

  private static HttpRequest.BodyPublisher json(String body) {
    return HttpRequest.BodyPublishers.ofString(body);
  }

  private static HttpResponse<String> post(String uri, HttpRequest.BodyPublisher body)
      throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(uri)).POST(body).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
  }
}
