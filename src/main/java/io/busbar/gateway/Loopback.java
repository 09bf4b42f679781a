package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
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
    String authority = only(ctx, "Host").orElse("");
    Optional<String> origin = only(ctx, "Origin");
    if (!isOurs(authority)) {
      throw refused("Host", authority);
    }
    if (origin.isPresent() && !origin.get().equalsIgnoreCase("http://" + authority)) {
      throw refused("Origin", origin.get());
    }
    ctx.next();
  }

  /** The value of a header that may be there once. */
  private static Optional<String> only(RoutingContext ctx, String header) {
    List<String> values = ctx.request().headers().getAll(header);
    if (values.size() > 1) {
      throw refused(header, String.join(", ", values));
    }
    return values.stream().findFirst();
  }

  /** A name of this machine, and perhaps a port. */
  private boolean isOurs(String authority) {
    String name = authority.replaceFirst(":[0-9]{1,5}$", "").toLowerCase(Locale.ROOT);
    return NAMES.contains(name) || name.equals(host);
  }

  private static WasmException refused(String header, String value) {
    return Failure.FORBIDDEN.because(
        "header `%s: %s` is not of this host", header, Names.shown(value));
  }
}
