package io.busbar.host;

import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The caller addresses of this node: each belongs to one callback, and cannot be guessed.
 *
 * <p>After its callback an address stays for a while, to say that it is no longer valid.
 */
final class Callers {
  private static final int MOST_RETIRED = 256;
  private static final int TOKEN_BYTES = 16;

  private final Vertx vertx;
  private final String node;
  private final Addresses addresses;
  private final SendPolicy policy;
  private final Operations operations;
  private final Endpoint.Actions starting;
  private final SecureRandom random = new SecureRandom();
  private final Map<String, String> instances = new ConcurrentHashMap<>(); // by caller address
  private final Deque<Open> retired = new ArrayDeque<>(); // guarded by itself

  /** A caller address, its session, and whether it could be opened. */
  record Open(String address, CallerSession session, Future<Endpoint> endpoint) {}

  /** With {@code starting} for those callbacks that start another instance. */
  Callers(
      Vertx vertx,
      String node,
      Addresses addresses,
      SendPolicy policy,
      Operations operations,
      Endpoint.Actions starting) {
    this.vertx = vertx;
    this.node = node;
    this.addresses = addresses;
    this.policy = policy;
    this.operations = operations;
    this.starting = starting;
  }

  /** An address for a callback of this instance. */
  Open open(String instance) {
    byte[] token = new byte[TOKEN_BYTES];
    random.nextBytes(token);
    String address = addresses.caller(HexFormat.of().formatHex(token));
    CallerSession session = new CallerSession();
    instances.put(address, instance);
    Future<Endpoint> endpoint =
        Endpoint.open(vertx, address, policy, ask -> handle(ask, instance, session));
    return new Open(address, session, endpoint);
  }

  private Future<Body> handle(Ask ask, String instance, CallerSession session) {
    ask.concerns(instance, node);
    return ask.action().equals("start") ? starting.handle(ask) : session.submit(ask, operations);
  }

  /** Whether this is the address of a callback that this instance waits for. */
  boolean isOf(String address, String instance) {
    return instance.equals(instances.get(address));
  }

  /** The callback is over. */
  void retire(Open open) {
    instances.remove(open.address());
    Open eldest;
    synchronized (retired) {
      retired.add(open);
      eldest = retired.size() > MOST_RETIRED ? retired.poll() : null;
    }
    if (eldest != null) {
      eldest.endpoint().onSuccess(Endpoint::close);
    }
  }

  /** Closes every address. */
  void close() {
    synchronized (retired) {
      retired.forEach(open -> open.endpoint().onSuccess(Endpoint::close));
      retired.clear();
    }
  }
}
