package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.model.Reach;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What a node does before it gets traffic: hears all others, and they it; compiles the modules that
 * are in use; and answers questions until that is quick.
 */
final class Arrival {
  private static final System.Logger LOG = System.getLogger(Arrival.class.getName());

  /** No longer than this: a node that does not warm up is better than none. */
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private static final Duration ACQUAINTED = Duration.ofSeconds(5);
  private static final int MOST_MODULES = 64;
  private static final int QUESTIONS = 200;
  private static final long AGAIN_MILLIS = 10;

  private final Vertx vertx;
  private final Addresses addresses;
  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Bus bus;
  private final long began = System.nanoTime();

  Arrival(
      Vertx vertx,
      Addresses addresses,
      Members members,
      Directory directory,
      Pulse pulse,
      Bus bus) {
    this.vertx = vertx;
    this.addresses = addresses;
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.bus = bus;
  }

  /** Never fails: it does what it can in its time. */
  Future<Void> warmUp() {
    if (members.names().size() == 1) {
      return Future.succeededFuture();
    }
    return acquainted()
        .compose(done -> compile(modules()))
        .compose(done -> answer(QUESTIONS))
        .timeout(LONGEST.toMillis(), TimeUnit.MILLISECONDS)
        .recover(
            e -> {
              LOG.log(System.Logger.Level.WARNING, "not warmed up: {0}", e.getMessage());
              return Future.succeededFuture();
            });
  }

  private Future<Void> acquainted() {
    boolean isLong = System.nanoTime() - began > ACQUAINTED.toNanos();
    if (pulse.isWhole(members.names()) || isLong) {
      return Future.succeededFuture();
    }
    return vertx.timer(AGAIN_MILLIS, TimeUnit.MILLISECONDS).compose(later -> acquainted());
  }

  /** Those that most instances use, first. */
  private List<String> modules() {
    return directory.usersByModule(Reach.OPERATOR).entrySet().stream()
        .sorted(Comparator.comparingInt(users -> -users.getValue().size()))
        .limit(MOST_MODULES)
        .map(Map.Entry::getKey)
        .toList();
  }

  private Future<Void> compile(List<String> modules) {
    Future<Void> last = Future.succeededFuture();
    for (String module : modules) {
      last = last.compose(done -> Moves.prepare(bus, members.self(), module).otherwiseEmpty());
    }
    return last;
  }

  /** Each node is asked about itself, and this one too, over the bus. */
  private Future<Void> answer(int left) {
    if (left == 0) {
      return Future.succeededFuture();
    }
    List<Future<?>> answers =
        members.names().stream().filter(pulse::isTrusted).<Future<?>>map(this::ask).toList();
    return Future.join(answers).otherwiseEmpty().compose(done -> answer(left - 1));
  }

  private Future<?> ask(String node) {
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "node")
            .setSendTimeout(ACQUAINTED.toMillis());
    return vertx.eventBus().request(addresses.node(node), Body.EMPTY, options);
  }
}
