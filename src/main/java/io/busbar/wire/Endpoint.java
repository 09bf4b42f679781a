package io.busbar.wire;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;

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

  private final MessageConsumer<?> consumer;

  private Endpoint(MessageConsumer<?> consumer) {
    this.consumer = consumer;
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
    MessageConsumer<Object> consumer =
        vertx.eventBus().consumer(address, message -> Ask.handle(vertx, message, policy, actions));
    return consumer.completion().map(done -> new Endpoint(consumer));
  }

  /** Stops listening; what was accepted is still answered. */
  public Future<Void> close() {
    return consumer.unregister();
  }
}
