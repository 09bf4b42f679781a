package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.model.WasiSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Server-sent events, as any HTTP client reads them. */
@Timeout(60)
class EventStreamTest {
  private static final TestGateway GATEWAY = TestGateway.dev();

  /** Says hello when it is asked to. */
  static final String TALKER =
      """
      (module
        (import "wasi_snapshot_preview1" "fd_write"
          (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00hello\\n")
        (func (export "say")
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
      """;

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private static BufferedReader open(String query) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + GATEWAY.gateway.port() + "/api/v1/events" + query))
            .build();
    var response =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofInputStream());
    assertEquals("text/event-stream", response.headers().firstValue("content-type").orElse(""));
    return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  private static String lineWith(BufferedReader lines, String text) throws IOException {
    String line = lines.readLine();
    while (line != null && !line.contains(text)) {
      line = lines.readLine();
    }
    return line;
  }

  @Test
  void whatHappens_isStreamed() throws Exception {
    try (BufferedReader lines = open("")) {
      assertEquals(": busbar", lines.readLine());
      String id = GATEWAY.node.start("wasm_test").id();
      assertEquals("event: instance.started", lineWith(lines, "event: instance"));
      String data = lines.readLine();
      assertTrue(data.startsWith("data: {") && data.contains(id), data);
    }
  }

  @Test
  void outputOfAnInstance_isStreamed() throws Exception {
    try (BufferedReader lines = open("?address=wasm.stdio.talker")) {
      lines.readLine();
      WasiSpec wasi = WasiSpec.ISOLATED.withPublish(true);
      GATEWAY
          .node
          .start(TestNode.inlineText(TALKER).withId("talker").withWasi(wasi))
          .call("say")
          .await();
      String data = lineWith(lines, "data: ");
      assertTrue(data.contains("\"stream\":\"stdout\""), data);
    }
  }

  @Test
  void otherAddresses_areDenied() {
    var response =
        GATEWAY.send(
            io.vertx.core.http.HttpMethod.GET,
            "/events?address=my.service",
            null,
            java.util.Map.of());
    assertEquals(403, response.statusCode());
  }
}
