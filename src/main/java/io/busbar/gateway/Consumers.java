package io.busbar.gateway;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.internal.VertxInternal;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One consumer on the bus for each address, however many want what comes there: opened for the
 * first of them, and closed after the last.
 */
final class Consumers<T> {
  /** An address that somebody wants something of. */
  private static final class Shared<T> {
    final Set<T> members = new LinkedHashSet<>(); // who has had the last turn is last
    MessageConsumer<Object> consumer;
  }

  private final Vertx vertx;
  private final Handler<Message<Object>> told;
  private final Map<String, Shared<T>> open = new HashMap<>(); // by address, guarded by this

  /** With what is told each message once. */
  Consumers(Vertx vertx, Handler<Message<Object>> told) {
    this.vertx = vertx;
    this.told = told;
  }

  /**
   * One more wants what comes there; done, on the event loop of who joins, when nothing of it is
   * missed any more.
   *
   * @return what ends it, to be run once
   */
  Future<Runnable> join(String address, T member) {
    Promise<Void> joined = ((VertxInternal) vertx).getOrCreateContext().promise();
    add(address, member).completion().onComplete(joined); // that is told where the first one joined
    return joined
        .future()
        .onFailure(e -> leave(address, member))
        .map(done -> () -> leave(address, member));
  }

  private synchronized MessageConsumer<Object> add(String address, T member) {
    Shared<T> shared = open.computeIfAbsent(address, a -> new Shared<>());
    shared.members.add(member);
    if (shared.consumer == null) {
      shared.consumer = vertx.eventBus().consumer(address);
      shared.consumer.handler(told);
    }
    return shared.consumer;
  }

  private synchronized void leave(String address, T member) {
    Shared<T> shared = open.get(address);
    if (shared != null && shared.members.remove(member) && shared.members.isEmpty()) {
      open.remove(address);
      shared.consumer.unregister();
    }
  }

  /** Whoever wants what has come there. */
  synchronized List<T> all(String address) {
    Shared<T> shared = open.get(address);
    return shared == null ? List.of() : List.copyOf(shared.members);
  }

  /** The one whose turn it is; empty where all have left. */
  synchronized Optional<T> next(String address) {
    Shared<T> shared = open.get(address);
    if (shared == null) {
      return Optional.empty();
    }
    T next = shared.members.iterator().next();
    shared.members.remove(next);
    shared.members.add(next);
    return Optional.of(next);
  }

  /** At how many addresses there is one. */
  synchronized int size() {
    return open.size();
  }
}
