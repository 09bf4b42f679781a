package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.eventbus.MessageConsumerOptions;
import io.vertx.core.eventbus.impl.MessageConsumerImpl;

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

  private final Vertx vertx;
  private final String address;
  private final SendPolicy policy;
  private final Actions actions;
  private volatile boolean closed; // or about to be, and not to be found any more
  private MessageConsumer<?> consumer; // guarded by this

  private Endpoint(Vertx vertx, String address, SendPolicy policy, Actions actions) {
    this.vertx = vertx;
    this.address = address;
    this.policy = policy;
    this.actions = actions;
    this.consumer = listen();
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
    Endpoint endpoint = new Endpoint(vertx, address, policy, actions);
    return endpoint.consumer.completion().map(done -> endpoint);
  }

  private MessageConsumer<?> listen() {
    MessageConsumer<Object> listening =
        vertx
            .eventBus()
            .consumer(
                new MessageConsumerOptions()
                    .setAddress(address)
                    .setMaxBufferedMessages(MOST_UNSEEN));
    if (listening instanceof MessageConsumerImpl<Object> known) {
      known.discardHandler(this::discarded);
    }
    return listening.handler(message -> Received.handle(vertx, message, policy, actions));
  }

  /** It came when there were too many; of one that is closed the bus says that nobody was there. */
  private void discarded(Message<?> message) {
    if (!closed) {
      Received.refuse(message, overloaded(address));
    }
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
  public boolean isClosed() {
    return closed;
  }

  /** From now on it is never announced again, while what arrives is still answered. */
  public void retire() {
    closed = true;
  }

  /** Announces the address again, where others have forgotten it; never is nobody there. */
  public synchronized Future<Void> renew() {
    if (closed) {
      return Future.succeededFuture();
    }
    MessageConsumer<?> before = consumer;
    consumer = listen();
    return consumer.completion().compose(done -> before.unregister());
  }

  /** Stops listening; what was accepted is still answered. */
  public synchronized Future<Void> close() {
    closed = true;
    return consumer.unregister();
  }
}
