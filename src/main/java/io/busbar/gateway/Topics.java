package io.busbar.gateway;

import io.busbar.wire.Headers;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What is published on the bus, for all clients of this gateway that listen: one consumer for each
 * address, however many listen.
 */
final class Topics {
  /** What was published, and whose it is; the operator's where there is no user. */
  record News(JsonObject event, Optional<String> user) {}

  /** A client that listens, called on its own event loop. */
  private record Listener(Context context, Consumer<News> told) {
    void tell(News news) {
      context.runOnContext(now -> told.accept(news));
    }
  }

  private final Vertx vertx;
  private final Consumers<Listener> consumers;

  Topics(Vertx vertx) {
    this.vertx = vertx;
    this.consumers = new Consumers<>(vertx, this::publish);
  }

  /**
   * Listens from now on; done when nothing of this node is missed any more. The others learn of it
   * within moments.
   *
   * @return what ends it, to be run once
   */
  Future<Runnable> join(String address, Consumer<News> told) {
    return consumers.join(address, new Listener(vertx.getOrCreateContext(), told));
  }

  private void publish(Message<Object> message) {
    if (message.body() instanceof JsonObject event) {
      News news = new News(event, Optional.ofNullable(message.headers().get(Headers.USER)));
      consumers.all(message.address()).forEach(listener -> listener.tell(news));
    }
  }

  /** At how many addresses somebody listens. */
  int size() {
    return consumers.size();
  }
}
