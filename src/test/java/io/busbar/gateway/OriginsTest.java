package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pages of other sites, at every door. */
@Timeout(60)
class OriginsTest {
  private static final String SHOP = "https://shop.example";
  private static final TestGateway GATEWAY =
      TestGateway.of(TestGateway.guarded().withOrigins(List.of(SHOP)));
  private static final String BEARER = "Authorization: Bearer " + GATEWAY.token("t", "all");

  @AfterAll
  static void stop() {
    GATEWAY.close();
  }

  private static RawClient client() {
    return new RawClient(GATEWAY.gateway.port());
  }

  private static String own() {
    return "http://127.0.0.1:" + GATEWAY.gateway.port();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://evil.example",
        "null",
        "",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://shop.example:444",
        "https://SHOP.example/",
        "https://shop.example, https://shop.example",
        "file://"
      })
  void foreignOnes_areRefusedEverywhere(String origin) {
    String header = "Origin: " + origin;
    for (String path : List.of("/api/v1/nodes", "/api/v1/events", "/eventbus/info", "/none")) {
      try (RawClient client = client()) {
        assertEquals(403, client.request("GET " + path, BEARER, header).status(), path);
      }
    }
    for (String path : List.of("/api/v1/ws", "/eventbus/websocket", "/eventbus/1/2/websocket")) {
      try (RawClient client = client()) {
        assertEquals(403, client.ask(path, BEARER, header).status(), path);
      }
    }
    try (RawClient client = client()) {
      String preflight =
          client
              .request("OPTIONS /api/v1/nodes", header, "Access-Control-Request-Method: GET")
              .response();
      assertTrue(preflight.startsWith("HTTP/1.1 403"), preflight);
      assertFalse(preflight.toLowerCase().contains("access-control-allow"), preflight);
    }
  }

  @Test
  void listedAndOwnOnes_areTaken() {
    for (String origin : List.of(SHOP, own())) {
      String header = "Origin: " + origin;
      try (RawClient client = client()) {
        String answer = client.request("GET /api/v1/nodes", BEARER, header).response();
        assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
        assertEquals(
            origin.equals(SHOP),
            answer.toLowerCase().contains("access-control-allow-origin: " + SHOP),
            answer);
      }
      for (String path : List.of("/api/v1/ws", "/eventbus/websocket")) {
        client().upgrade(path, BEARER, header).close();
      }
    }
    try (RawClient client = client()) {
      String preflight =
          client
              .request(
                  "OPTIONS /api/v1/nodes",
                  "Origin: " + SHOP,
                  "Access-Control-Request-Method: POST",
                  "Access-Control-Request-Headers: authorization,content-type")
              .response();
      assertTrue(preflight.startsWith("HTTP/1.1 204"), preflight);
      assertTrue(preflight.contains("access-control-allow-origin: " + SHOP), preflight);
      assertFalse(preflight.contains("credentials"), preflight);
    }
    try (RawClient client = client()) { // the answer to a page without a token is readable
      String refused = client.request("GET /api/v1/nodes", "Origin: " + SHOP).response();
      assertTrue(refused.startsWith("HTTP/1.1 401"), refused);
      assertTrue(refused.contains("access-control-allow-origin: " + SHOP), refused);
    }
  }

  @Test
  void headersThatAreThereTwice_areRefused() {
    try (RawClient client = client()) {
      assertEquals(
          403,
          client
              .request("GET /api/v1/nodes", BEARER, "Origin: " + SHOP, "Origin: " + SHOP)
              .status());
    }
    try (RawClient client = client()) {
      int status =
          client
              .request(
                  "GET /api/v1/nodes",
                  BEARER,
                  "Origin: " + own(),
                  "Host: 127.0.0.1:" + GATEWAY.gateway.port(),
                  "Host: evil.example")
              .status();
      assertTrue(status == 403 || status == 400, "status " + status);
    }
    try (RawClient client = client()) {
      assertEquals(403, client.request("GET /api/v1/nodes", BEARER, BEARER).status());
    }
    try (RawClient client = client()) {
      int status = client.send("GET /api/v1/nodes HTTP/1.1\r\n" + BEARER + "\r\n\r\n").status();
      assertTrue(status == 400 || status == 200, "status " + status);
    }
  }
}
