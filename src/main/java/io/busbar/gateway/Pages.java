package io.busbar.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * The console at {@code /} and the client at {@code /client.js}: files of the class path, read
 * once.
 *
 * <p>They hold nothing that is worth a token; what they show they ask the API for.
 */
final class Pages {
  private static final String FOLDER = "/web/";
  private static final String INDEX = "index.html";
  private static final List<String> FILES =
      List.of(
          INDEX,
          "client.js",
          "console.css",
          "console.js",
          "console/calls.js",
          "console/dialogs.js",
          "console/dom.js",
          "console/events.js",
          "console/failures.js",
          "console/globals.js",
          "console/instance.js",
          "console/lists.js",
          "console/live.js",
          "console/memory.js",
          "console/module.js",
          "console/output.js",
          "console/tables.js",
          "console/tabs.js",
          "console/theme.js",
          "console/types.js",
          "console/uploads.js");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8");

  /** Nothing but what this node serves is loaded, framed or sent to. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
          + " data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";

  /** A file as it is sent. */
  private record Page(Buffer bytes, String type, String etag) {
    static Page read(String file) {
      byte[] bytes = resource(file);
      String type = TYPES.get(file.substring(file.lastIndexOf('.') + 1));
      return new Page(Buffer.buffer(bytes), type, '"' + digest(bytes) + '"');
    }

    void send(RoutingContext ctx) {
      HttpServerResponse response = ctx.response();
      response
          .putHeader(HttpHeaders.CONTENT_TYPE, type)
          .putHeader(HttpHeaders.ETAG, etag)
          .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
          .putHeader("Content-Security-Policy", POLICY)
          .putHeader("X-Content-Type-Options", "nosniff")
          .putHeader("Referrer-Policy", "no-referrer");
      if (ctx.isFresh()) {
        response.setStatusCode(304).end();
      } else {
        response.putHeader(HttpHeaders.CONTENT_LENGTH, String.valueOf(bytes.length())); // for HEAD
        response.end(bytes);
      }
    }
  }

  private Pages() {}

  /** Adds one route for all of them: what is no page passes it by. */
  static void on(Router router) {
    Map<String, Page> pages = new HashMap<>();
    FILES.forEach(file -> pages.put(file.equals(INDEX) ? "/" : "/" + file, Page.read(file)));
    router
        .route()
        .method(HttpMethod.GET)
        .method(HttpMethod.HEAD)
        .handler(
            ctx -> {
              Page page = pages.get(ctx.request().path());
              if (page == null) {
                ctx.next();
              } else {
                page.send(ctx);
              }
            });
  }

  private static byte[] resource(String file) {
    try (InputStream in = Pages.class.getResourceAsStream(FOLDER + file)) {
      if (in == null) {
        throw new FileNotFoundException(FOLDER + file);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String digest(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
