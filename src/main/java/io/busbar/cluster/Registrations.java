package io.busbar.cluster;

import io.busbar.wire.Endpoint;
import io.vertx.core.Completable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.core.spi.cluster.RegistrationInfo;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * What the bus says about where this node's addresses are: the list that all nodes look into before
 * they send, which can lose entries when members come and go.
 */
final class Registrations {
  private static final System.Logger LOG = System.getLogger(Registrations.class.getName());

  /** Looked at together; each takes a thread for as long as it takes to ask another node. */
  private static final int AT_ONCE = 8;

  private final ClusterManager bus;
  private final AtomicBoolean checking = new AtomicBoolean();

  Registrations(ClusterManager bus) {
    this.bus = bus;
  }

  /** Announces again what others do not find here any more; not while it does so already. */
  void checkAll(Supplier<List<Endpoint>> endpoints) {
    if (checking.compareAndSet(false, true)) {
      Queue<Endpoint> left = new ConcurrentLinkedQueue<>(endpoints.get());
      List<Future<Void>> lines =
          IntStream.range(0, AT_ONCE).mapToObj(line -> checkNext(left)).toList();
      Future.join(lines).onComplete(done -> checking.set(false));
    }
  }

  private Future<Void> checkNext(Queue<Endpoint> left) {
    Endpoint endpoint = left.poll();
    return endpoint == null
        ? Future.succeededFuture()
        : check(endpoint).otherwiseEmpty().compose(done -> checkNext(left));
  }

  private Future<Void> check(Endpoint endpoint) {
    return isThere(endpoint.address())
        .compose(
            there -> {
              if (there || endpoint.isClosed()) {
                return Future.succeededFuture();
              }
              LOG.log(
                  System.Logger.Level.WARNING,
                  "nobody found {0} any more: announced again",
                  endpoint.address());
              return endpoint.renew();
            });
  }

  /** Whether others find this address here. */
  private Future<Boolean> isThere(String address) {
    return own(address).map(own -> !own.isEmpty());
  }

  /** Those of this node. */
  private Future<List<RegistrationInfo>> own(String address) {
    String self = bus.getNodeId();
    return Registrations.<List<RegistrationInfo>>done(
            promise -> bus.getRegistrations(address, promise))
        .map(all -> all.stream().filter(info -> info.nodeId().equals(self)).toList());
  }

  /**
   * Takes an address off the list while its consumer goes on: what is on its way still arrives. A
   * consumer that just left would let it go unanswered.
   */
  Future<Void> withdraw(Endpoint endpoint) {
    String address = endpoint.address();
    endpoint.retire();
    return own(address)
        .compose(
            own ->
                Future.join(own.stream().map(info -> remove(address, info)).toList()).mapEmpty());
  }

  private Future<Void> remove(String address, RegistrationInfo info) {
    return done(promise -> bus.removeRegistration(address, info, promise));
  }

  private static <T> Future<T> done(Consumer<Completable<T>> operation) {
    Promise<T> promise = Promise.promise();
    operation.accept(promise);
    return promise.future();
  }
}
