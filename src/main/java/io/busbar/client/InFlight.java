package io.busbar.client;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** The questions that wait for a node's answer, which nobody gives when that node is lost. */
final class InFlight {
  private final Predicate<String> isThere;
  private final Map<String, Set<Promise<?>>> waiting = new ConcurrentHashMap<>(); // by node

  InFlight(Predicate<String> isThere) {
    this.isThere = isThere;
  }

  /** The answer, or {@code NODE_LOST} if the node goes before it has come. */
  <T> Future<T> watch(String node, Future<T> answer) {
    if (answer.isComplete()) {
      return answer;
    }
    Promise<T> first = Promise.promise();
    Set<Promise<?>> same = waiting.computeIfAbsent(node, n -> ConcurrentHashMap.newKeySet());
    same.add(first);
    answer.onComplete(
        (value, e) -> {
          same.remove(first);
          if (e == null) {
            first.tryComplete(value);
          } else {
            first.tryFail(e);
          }
        });
    if (!isThere.test(node)) { // it went before it could be looked up here
      first.tryFail(lost(node));
    }
    return first.future();
  }

  private static WasmException lost(String node) {
    return Failure.NODE_LOST
        .because("the node `%s` was lost: whether the operation ran is unknown", node)
        .with("node", node);
  }

  /** The node is gone: what fails all it was asked until now, to be run by the asker. */
  Runnable fail(String node) {
    Set<Promise<?>> left = waiting.remove(node);
    WasmException why = lost(node);
    return left == null ? () -> {} : () -> left.forEach(promise -> promise.tryFail(why));
  }
}
