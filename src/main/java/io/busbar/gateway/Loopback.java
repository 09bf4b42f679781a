package io.busbar.gateway;

import io.busbar.model.Names;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Set;

/**
 * The guard of a door that is open to all on this machine: what comes under another name than this
 * machine's is refused, since a page anywhere can, after DNS rebinding, send requests here under
 * its own.
 */
final class Loopback implements Handler<RoutingContext> {
  private static final Set<String> NAMES = Set.of("localhost", "127.0.0.1", "[::1]", "::1");

  private final String host;
  private volatile String last; // authority that was ours; null: none was

  Loopback(String host) {
    this.host = host;
  }

  /** Whether this is an address of this machine that no other can reach. */
  static Future<Boolean> isLoopback(Vertx vertx, String host) {
    return vertx.executeBlocking(() -> InetAddress.getByName(host).isLoopbackAddress());
  }

  @Override
  public void handle(RoutingContext ctx) {
    String authority = Origins.only(ctx, "Host").orElse("");
    if (!authority.equals(last)) {
      if (!isOurs(authority)) {
        throw Origins.refused("Host", Names.shown(authority));
      }
      last = authority;
    }
    ctx.next();
  }

  /** A name of this machine, and perhaps a port. */
  private boolean isOurs(String authority) {
    String name = authority.replaceFirst(":[0-9]{1,5}$", "").toLowerCase(Locale.ROOT);
    return NAMES.contains(name) || name.equals(host);
  }
}
