package io.busbar.gateway;

import io.busbar.wire.Headers;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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

  /** An address that somebody listens at. */
  private static final class Topic {
    final Set<Listener> listeners = ConcurrentHashMap.newKeySet();
    MessageConsumer<Object> consumer; // guarded by the map's owner
  }

  private final Vertx vertx;
  private final Map<String, Topic> topics = new HashMap<>(); // by address, guarded by this

  Topics(Vertx vertx) {
    this.vertx = vertx;
  }

  /**
   * Listens from now on; done when nothing of this node is missed any more. The others learn of it
   * within moments.
   *
   * @return what ends it, to be run once
   */
  Future<Runnable> join(String address, Consumer<News> told) {
    Listener listener = new Listener(vertx.getOrCreateContext(), told);
    return open(address, listener)
        .completion()
        .onFailure(e -> leave(address, listener))
        .map(done -> () -> leave(address, listener));
  }

  private synchronized MessageConsumer<Object> open(String address, Listener listener) {
    Topic topic = topics.computeIfAbsent(address, a -> new Topic());
    topic.listeners.add(listener);
    if (topic.consumer == null) {
      topic.consumer = vertx.eventBus().consumer(address);
      topic.consumer.handler(message -> publish(topic, message));
    }
    return topic.consumer;
  }

  /** At how many addresses somebody listens. */
  synchronized int size() {
    return topics.size();
  }

  private static void publish(Topic topic, Message<Object> message) {
    if (message.body() instanceof JsonObject event) {
      News news = new News(event, Optional.ofNullable(message.headers().get(Headers.USER)));
      topic.listeners.forEach(listener -> listener.tell(news));
    }
  }

  private synchronized void leave(String address, Listener listener) {
    Topic topic = topics.get(address);
    if (topic != null && topic.listeners.remove(listener) && topic.listeners.isEmpty()) {
      topics.remove(address);
      topic.consumer.unregister();
    }
  }
}
