package io.busbar.host;

import io.busbar.model.Failure;
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
import java.util.List;
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
  private boolean closed; // guarded by retired: nothing stays any more

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

  /** An address for a callback of the last instance of this chain. */
  Open open(List<String> chain) {
    String instance = chain.get(chain.size() - 1);
    byte[] token = new byte[TOKEN_BYTES];
    random.nextBytes(token);
    String address = addresses.caller(HexFormat.of().formatHex(token));
    CallerSession session = new CallerSession();
    instances.put(address, instance);
    Future<Endpoint> endpoint =
        Endpoint.open(vertx, address, policy, ask -> handle(ask, chain, session));
    return new Open(address, session, endpoint);
  }

  private Future<Body> handle(Ask ask, List<String> chain, CallerSession session) {
    ask.concerns(chain.get(chain.size() - 1), node);
    session.checkOpen();
    if (ask.action().equals("start")) {
      ask.comesFrom(chain);
      return starting.handle(ask);
    }
    return session.submit(ask, operations);
  }

  /** A call that waits, through however many callbacks, for itself would wait for ever. */
  void checkChain(Ask ask, String instance) {
    List<String> chain = ask.chain();
    boolean own = ask.caller().filter(c -> instance.equals(instances.get(c))).isPresent();
    if (own || !chain.isEmpty() && chain.get(chain.size() - 1).equals(instance)) {
      throw Failure.BAD_REQUEST.because(
          "instance `%s` waits for this callback: use the caller", instance);
    }
    if (chain.contains(instance)) {
      throw Failure.BAD_REQUEST.because(
          "call chain %s → %s comes back to `%s`", path(chain), instance, instance);
    }
    if (chain.size() >= Ask.MOST_IN_CHAIN) {
      throw Failure.BAD_REQUEST.because(
          "call chain %s → %s is longer than %d", path(chain), instance, Ask.MOST_IN_CHAIN);
    }
  }

  private static String path(List<String> chain) {
    return String.join(" → ", chain);
  }

  /** The callback is over. */
  void retire(Open open) {
    instances.remove(open.address());
    Open eldest;
    synchronized (retired) {
      retired.add(open);
      eldest = closed || retired.size() > MOST_RETIRED ? retired.poll() : null;
    }
    if (eldest != null) {
      eldest.endpoint().onSuccess(Endpoint::close);
    }
  }

  /** Closes every address. */
  void close() {
    synchronized (retired) {
      closed = true;
      retired.forEach(open -> open.endpoint().onSuccess(Endpoint::close));
      retired.clear();
    }
  }
}
