package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which pages may send requests through a browser: those of this gateway, and those of the sites
 * that are listed. Who is no browser says nothing of a page.
 */
final class Origins implements Handler<RoutingContext> {
  private static final int KEPT_SECONDS = 600;

  private final Set<String> listed;
  private final boolean encrypted;
  private final CorsHandler cors = CorsHandler.create();

  /**
   * A guard.
   *
   * @param listed origins of other sites, such as {@code https://shop.example}
   * @param encrypted whether something in front may have spoken HTTPS with the client
   */
  Origins(List<String> listed, boolean encrypted) {
    this.encrypted = encrypted;
    this.listed = Set.copyOf(listed);
    listed.forEach(origin -> cors.addOrigin(check(origin)));
    cors.allowedMethods(Set.of(HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE))
        .allowedHeaders(Set.of("authorization", "content-type"))
        .maxAgeSeconds(KEPT_SECONDS);
  }

  /** The origin itself as browsers write it; else {@code BAD_REQUEST}. */
  static String check(String origin) {
    if (!origin.matches("https?://[a-z0-9.\\[\\]:-]+") || URI.create(origin).getHost() == null) {
      throw Failure.BAD_REQUEST.because(
          "`%s` is no origin, such as https://shop.example", Names.shown(origin));
    }
    return origin;
  }

  @Override
  public void handle(RoutingContext ctx) {
    Optional<String> origin = only(ctx, "Origin");
    if (origin.isEmpty() || isOwn(ctx, origin.get())) {
      ctx.next();
    } else if (listed.contains(origin.get())) {
      cors.handle(ctx);
    } else {
      throw refused("Origin", Names.shown(origin.get()));
    }
  }

  private boolean isOwn(RoutingContext ctx, String origin) {
    String host = only(ctx, "Host").orElse("");
    String scheme = ctx.request().isSSL() ? "https" : "http";
    return origin.equalsIgnoreCase(scheme + "://" + host)
        || encrypted && origin.equalsIgnoreCase("https://" + host);
  }

  /** The value of a header that may be there once. */
  static Optional<String> only(RoutingContext ctx, String header) {
    List<String> values = ctx.request().headers().getAll(header);
    if (values.size() > 1) {
      throw refused(header, Names.shown(String.join(", ", values)));
    }
    return values.stream().findFirst();
  }

  static WasmException refused(String header, String value) {
    return Failure.FORBIDDEN.because("header `%s: %s` is not of this host", header, value);
  }
}
