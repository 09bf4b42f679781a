package io.busbar.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** What the API is, as OpenAPI tells it, at {@code /api/v1/openapi.yaml}: open to all. */
final class Description {
  private static final String FILE = "/openapi.yaml";
  private static final String YAML = "application/yaml"; // RFC 9512

  private Description() {}

  static void on(Router router) {
    Buffer text = read();
    router
        .get(ApiRoutes.API + "/openapi.yaml")
        .handler(
            ctx ->
                ctx.response()
                    .putHeader(HttpHeaders.CONTENT_TYPE, YAML)
                    .putHeader("X-Content-Type-Options", "nosniff")
                    .end(text));
  }

  private static Buffer read() {
    try (InputStream in = Description.class.getResourceAsStream(FILE)) {
      if (in == null) {
        throw new FileNotFoundException(FILE);
      }
      return Buffer.buffer(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
