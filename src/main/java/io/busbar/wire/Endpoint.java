package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.MessageConsumerOptions;
import io.vertx.core.eventbus.impl.MessageConsumerImpl;
import java.util.function.Supplier;

/** An address and what it does; whatever goes wrong leaves as a code. */
public final class Endpoint {
  /** What an address does. */
  @FunctionalInterface
  public interface Actions {
    /**
     * Runs one operation.
     *
     * @return the answer, once the operation is accepted
     * @throws RuntimeException where it is refused
     */
    Future<Body> handle(Ask ask);
  }

  /** The codec of the bodies that our own rooms send each other. */
  public static final String CODEC = BodyCodec.NAME;

  /** Messages that have arrived and were not looked at; what comes beyond is refused unread. */
  private static final int MOST_UNSEEN = 500;

  private final String address;
  private final Supplier<MessageConsumer<?>> consumers;
  private MessageConsumer<?> consumer; // this and the next guarded by this
  private boolean closed; // or about to be, and not to be found any more

  private Endpoint(String address, Supplier<MessageConsumer<?>> consumers) {
    this.address = address;
    this.consumers = consumers;
    this.consumer = consumers.get();
  }

  /** Makes the bus know {@link #CODEC}; any number of times. */
  public static void prepare(Vertx vertx) {
    BodyCodec.register(vertx);
  }

  /** The body of any message of the protocol, as our own rooms see it. */
  public static Body body(Message<?> message) {
    return Body.from(message.body());
  }

  /** Listens at an address; done when it can be reached from everywhere. */
  public static Future<Endpoint> open(
      Vertx vertx, String address, SendPolicy policy, Actions actions) {
    prepare(vertx);
    Endpoint endpoint = new Endpoint(address, () -> consumer(vertx, address, policy, actions));
    return endpoint.consumer.completion().map(done -> endpoint);
  }

  private static MessageConsumer<?> consumer(
      Vertx vertx, String address, SendPolicy policy, Actions actions) {
    MessageConsumer<Object> consumer =
        vertx
            .eventBus()
            .consumer(
                new MessageConsumerOptions()
                    .setAddress(address)
                    .setMaxBufferedMessages(MOST_UNSEEN));
    if (consumer instanceof MessageConsumerImpl<Object> known) {
      known.discardHandler(message -> Ask.refuse(message, overloaded(address)));
    }
    return consumer.handler(message -> Ask.handle(vertx, message, policy, actions));
  }

  /** The bus would say that it was a timeout. */
  private static WasmException overloaded(String address) {
    return Failure.OVERLOADED.because(
        "`%s` gets messages faster than it can look at them", address);
  }

  public String address() {
    return address;
  }

  /** Whether nobody is to find it any more. */
  public synchronized boolean isClosed() {
    return closed;
  }

  /** From now on it is never announced again, while what arrives is still answered. */
  public synchronized void retire() {
    closed = true;
  }

  /** Announces the address again, where others have forgotten it; never is nobody there. */
  public synchronized Future<Void> renew() {
    if (closed) {
      return Future.succeededFuture();
    }
    MessageConsumer<?> before = consumer;
    consumer = consumers.get();
    return consumer.completion().compose(done -> before.unregister());
  }

  /** Stops listening; what was accepted is still answered. */
  public synchronized Future<Void> close() {
    closed = true;
    return consumer.unregister();
  }
}
