package io.busbar.client;

import io.busbar.model.Failure;
import io.busbar.model.Signature;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import java.util.List;

/** An address that answers imports with a Java function, for guests on any node. */
public final class ImportServer {
  private final Bus bus;
  private final Signature signature;
  private final ImportFunction function;
  private MessageConsumer<Object> consumer;

  private ImportServer(Bus bus, Signature signature, ImportFunction function) {
    this.bus = bus;
    this.signature = signature;
    this.function = function;
  }

  static Future<ImportServer> open(
      Bus bus, String address, Signature signature, ImportFunction function) {
    ImportServer server = new ImportServer(bus, signature, function);
    Vertx vertx = bus.vertx();
    server.consumer = vertx.eventBus().consumer(address, server::handle);
    return server.consumer.completion().map(server);
  }

  private void handle(Message<Object> message) {
    call(message)
        .onSuccess(results -> message.reply(Body.of("results", results), options()))
        .onFailure(e -> message.reply(Failures.body(Failures.from(e)), options()));
  }

  private static DeliveryOptions options() {
    return new DeliveryOptions().setCodecName(Endpoint.CODEC);
  }

  private Future<List<Object>> call(Message<Object> message) {
    try {
      List<Object> args = Codec.values(signature.params(), Endpoint.body(message).list("params"));
      return answer(function, caller(message), args);
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
  }

  /** What the function answers; its future fails with whatever goes wrong. */
  public static Future<List<Object>> answer(
      ImportFunction function, CallerRef caller, List<Object> args) {
    try {
      Future<List<Object>> answer = function.call(caller, args);
      return answer == null
          ? Future.failedFuture(Failure.BAD_RESULT.because("the function answered no future"))
          : answer;
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
  }

  private CallerRef caller(Message<Object> message) {
    String caller = message.headers().get(Headers.CALLER);
    String chain = message.headers().get(Headers.CHAIN);
    String instance = message.headers().get(Headers.INSTANCE);
    if (caller == null || instance == null) {
      throw Failure.BAD_REQUEST.because("a call of an import names its caller and instance");
    }
    return new CallerRef(bus, new Bus.Origin(caller, chain == null ? instance : chain), instance);
  }

  /** Stops answering. */
  public Future<Void> close() {
    return consumer.unregister();
  }
}
