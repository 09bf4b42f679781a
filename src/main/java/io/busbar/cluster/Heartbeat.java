package io.busbar.cluster;

import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/** Beats this node's {@link Pulse} on a thread of its own, and carries its pings over the bus. */
final class Heartbeat {
  private final Vertx vertx;
  private final Context context; // where pings are sent and answers heard
  private final Addresses addresses;
  private final Members members;
  private final Runnable unreached;
  private final Pulse pulse;
  private final ScheduledExecutorService thread = Work.thread("busbar-pulse");

  /**
   * Of a node that has joined; it does not beat yet.
   *
   * @param suspecting told of each node that does not answer any more
   * @param unreached told when this node and another do not find each other by their addresses
   */
  Heartbeat(
      Vertx vertx,
      Addresses addresses,
      Members members,
      Consumer<String> suspecting,
      Runnable unreached) {
    this.vertx = vertx;
    this.context = vertx.getOrCreateContext();
    this.addresses = addresses;
    this.members = members;
    this.unreached = unreached;
    this.pulse =
        new Pulse(
            members.self(),
            members.size(),
            members.patience().suspect(),
            System::nanoTime,
            node -> context.runOnContext(now -> ping(node)),
            suspecting);
  }

  Pulse pulse() {
    return pulse;
  }

  void start() {
    long step = pulse.step().toNanos();
    Work.repeat(thread, () -> pulse.tick(members.names()), step);
  }

  private void ping(String node) {
    long sent = System.nanoTime();
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "ping")
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .setSendTimeout(members.patience().suspect().toMillis());
    vertx
        .eventBus()
        .request(addresses.node(node), Body.of("node", members.self()), options)
        .map(reply -> answer(Failures.answer(reply)))
        .onComplete((answer, e) -> answered(node, sent, answer, e));
  }

  private static Pulse.Answer answer(Body body) {
    return new Pulse.Answer(
        body.optionalBoolean("member").orElse(false),
        body.whole("term"),
        body.optionalBoolean("reached").orElse(true));
  }

  private void answered(String node, long sent, Pulse.Answer answer, Throwable e) {
    if (e == null) {
      pulse.answered(node, sent, answer);
    } else if (Failures.isNobody(e)) {
      pulse.unreached(node);
    }
    if (e == null ? !answer.reached() : Failures.isNobody(e)) {
      unreached.run();
    }
  }

  /** Answers another node's ping. */
  Future<Body> handle(Ask ask) {
    Pulse.Answer answer = pulse.pinged(ask.body().string("node"));
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("member", answer.member());
    fields.put("term", answer.term());
    fields.put("reached", answer.reached());
    return Future.succeededFuture(Body.of(fields));
  }

  void close() {
    thread.shutdownNow();
  }
}
