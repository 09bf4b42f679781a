package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The console's files as a browser gets them. */
class PagesTest {
  private static final Path FOLDER = Path.of("src", "main", "resources", "web");
  private static final Pattern IMPORT = Pattern.compile("^import .* from \"(.*)\";", 8);

  private final Vertx vertx = Vertx.vertx();
  private WebClient web;

  @BeforeEach
  void start() {
    Router router = Router.router(vertx);
    Pages.on(router);
    HttpServer server =
        vertx.createHttpServer().requestHandler(router).listen(0, "127.0.0.1").await();
    web =
        WebClient.create(
            vertx,
            new WebClientOptions().setDefaultHost("127.0.0.1").setDefaultPort(server.actualPort()));
  }

  @AfterEach
  void stop() {
    vertx.close().await();
  }

  private HttpResponse<Buffer> send(HttpMethod method, String path, Map<String, String> headers) {
    var request = web.request(method, path);
    headers.forEach(request::putHeader);
    return request.send().await();
  }

  private HttpResponse<Buffer> get(String path) {
    return send(HttpMethod.GET, path, Map.of());
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(FOLDER)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private static String address(Path file) {
    String name = FOLDER.relativize(file).toString().replace('\\', '/');
    return name.equals("index.html") ? "/" : "/" + name;
  }

  private static String type(Path file) {
    String name = file.toString();
    return name.endsWith(".js")
        ? "text/javascript; charset=utf-8"
        : name.endsWith(".css") ? "text/css; charset=utf-8" : "text/html; charset=utf-8";
  }

  @Test
  void eachFile_isServedAsItsType() throws IOException {
    for (Path file : files()) {
      HttpResponse<Buffer> response = get(address(file));
      assertEquals(200, response.statusCode(), file.toString());
      assertEquals(type(file), response.getHeader("content-type"));
      assertArrayEquals(Files.readAllBytes(file), response.body().getBytes());
    }
  }

  @Test
  void imports_areServed() throws IOException {
    for (Path file : files()) {
      var imports = IMPORT.matcher(Files.readString(file));
      while (imports.find()) {
        Path imported = file.resolveSibling(imports.group(1)).normalize();
        assertEquals(200, get(address(imported)).statusCode(), file + " imports " + imported);
      }
    }
  }

  @Test
  void pages_mayLoadNothingFromElsewhere() {
    HttpResponse<Buffer> page = get("/");
    assertEquals(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
            + " img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
        page.getHeader("content-security-policy"));
    assertEquals("nosniff", page.getHeader("x-content-type-options"));
    assertEquals("no-referrer", page.getHeader("referrer-policy"));
    String html = page.bodyAsString();
    assertFalse(
        Pattern.compile("<script(?! type=\"module\" src)|\\sstyle=|\\son\\w+=|//cdn")
            .matcher(html)
            .find());
  }

  @Test
  void pageThatIsKnown_isNotSentAgain() {
    HttpResponse<Buffer> page = get("/client.js");
    String etag = page.getHeader("etag");
    assertEquals("no-cache", page.getHeader("cache-control"));
    HttpResponse<Buffer> same = send(HttpMethod.GET, "/client.js", Map.of("If-None-Match", etag));
    assertEquals(304, same.statusCode());
    assertNull(same.body());
    assertEquals(etag, same.getHeader("etag"));
    assertEquals(
        200, send(HttpMethod.GET, "/client.js", Map.of("If-None-Match", "\"other\"")).statusCode());
  }

  @Test
  void head_tellsTheSameWithoutBody() {
    HttpResponse<Buffer> head = send(HttpMethod.HEAD, "/", Map.of());
    assertEquals(200, head.statusCode());
    assertEquals(get("/").getHeader("content-length"), head.getHeader("content-length"));
    assertNull(head.body());
  }

  @Test
  void nothingElse_isServed() {
    for (String path :
        List.of("/index.html", "/web/client.js", "/console/", "/console/../client.jsx", "/x")) {
      assertEquals(404, get(path).statusCode(), path);
    }
    assertEquals(405, send(HttpMethod.POST, "/client.js", Map.of()).statusCode());
    assertTrue(get("/console/%2e%2e/%2e%2e/META-INF/MANIFEST.MF").statusCode() >= 400);
  }
}
