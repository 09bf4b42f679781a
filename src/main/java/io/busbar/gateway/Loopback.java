package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import java.net.InetAddress;
import java.net.URI;
import java.util.Set;

/**
 * The guard of a gateway without passwords: only this machine, and no page of another site.
 *
 * <p>A page anywhere can make a browser here send requests to loopback; they carry that page's
 * {@code Origin}, or after DNS rebinding its name as {@code Host}. Both are refused.
 */
final class Loopback implements Handler<RoutingContext> {
  private static final Set<String> NAMES = Set.of("localhost", "127.0.0.1", "[::1]", "::1");

  private final String host;

  private Loopback(String host) {
    this.host = host;
  }

  /** Fails with {@code BAD_REQUEST} where the host is not a loopback address. */
  static Future<Loopback> check(Vertx vertx, String host) {
    return vertx.executeBlocking(
        () -> {
          if (!InetAddress.getByName(host).isLoopbackAddress()) {
            throw Failure.BAD_REQUEST.because(
                "cannot listen on `%s`: without authentication only loopback is allowed",
                Names.shown(host));
          }
          return new Loopback(host);
        });
  }

  @Override
  public void handle(RoutingContext ctx) {
    HostAndPort authority = ctx.request().authority();
    String origin = ctx.request().getHeader("Origin");
    if (authority == null || !isOurs(authority.host())) {
      refuse(ctx, "Host", authority == null ? "" : authority.toString());
    } else if (origin != null && !origin.equals("null") && !isOurs(hostOf(origin))
        || "null".equals(origin)) {
      refuse(ctx, "Origin", origin);
    } else {
      ctx.next();
    }
  }

  private boolean isOurs(String name) {
    return name != null && (NAMES.contains(name) || name.equals(host));
  }

  private static String hostOf(String origin) {
    try {
      return URI.create(origin).getHost();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static void refuse(RoutingContext ctx, String header, String value) {
    ctx.fail(
        Failure.FORBIDDEN.because(
            "header `%s: %s` is not of this host", header, Names.shown(value)));
  }
}
