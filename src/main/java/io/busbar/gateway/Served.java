package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/**
 * Imports that clients of this gateway answer: one consumer for each address on the bus, its
 * clients take turns.
 */
final class Served {
  /**
   * A guest's call of an import.
   *
   * @param name such as {@code env.sum3}
   * @param instance whose guest calls
   * @param origin where the instance can be reached while it waits
   * @param body its params
   * @param patience how long the guest waits
   */
  record Call(
      String name, String instance, Bus.Origin origin, JsonObject body, Duration patience) {}

  /** A client that answers, called on its own event loop. */
  private record Server(Context context, Function<Call, Future<JsonObject>> answering) {}

  private static final Duration LONGEST = Duration.ofMinutes(10);

  private final Vertx vertx;
  private final Consumers<Server> consumers;

  Served(Vertx vertx) {
    this.vertx = vertx;
    this.consumers = new Consumers<>(vertx, this::answer);
  }

  /**
   * Answers from now on; done when guests on all nodes reach it.
   *
   * @param answering fails where the client cannot answer
   * @return what ends it, to be run once
   */
  Future<Runnable> join(String address, Function<Call, Future<JsonObject>> answering) {
    return consumers.join(address, new Server(vertx.getOrCreateContext(), answering));
  }

  /** How many addresses somebody answers at. */
  int size() {
    return consumers.size();
  }

  private void answer(Message<Object> message) {
    Optional<Server> server = consumers.next(message.address());
    if (server.isEmpty()) {
      refuse(
          message, Failure.UNAVAILABLE.because("nobody answers `%s` any more", message.address()));
      return;
    }
    server.get().context.runOnContext(now -> ask(server.get(), message));
  }

  private static void ask(Server server, Message<Object> message) {
    Future<JsonObject> answer;
    try {
      answer = server.answering.apply(call(message));
    } catch (RuntimeException e) {
      answer = Future.failedFuture(e);
    }
    answer.onSuccess(message::reply).onFailure(e -> refuse(message, e));
  }

  private static Call call(Message<Object> message) {
    String caller = message.headers().get(Headers.CALLER);
    String instance = message.headers().get(Headers.INSTANCE);
    if (caller == null || instance == null) {
      throw Failure.BAD_REQUEST.because("a call of an import names its caller and instance");
    }
    String chain = message.headers().get(Headers.CHAIN);
    return new Call(
        message.headers().get(Headers.IMPORT),
        instance,
        new Bus.Origin(caller, chain == null ? instance : chain),
        Endpoint.body(message).toJson(),
        patience(message.headers().get(Headers.TIMEOUT)));
  }

  /** Where the guest does not say, it does not wait for ever either. */
  private static Duration patience(String timeout) {
    boolean isSaid = timeout != null && timeout.matches("[1-9][0-9]{0,8}");
    return isSaid ? Duration.ofMillis(Long.parseLong(timeout)) : LONGEST;
  }

  private static void refuse(Message<Object> message, Throwable e) {
    Body failure = Failures.body(Failures.from(e));
    message.reply(failure, new DeliveryOptions().setCodecName(Endpoint.CODEC));
  }
}
