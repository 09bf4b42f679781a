package io.busbar.client;

import io.busbar.model.Reach;
import io.busbar.wire.Endpoint;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where instances live and which nodes there are, as far as the node of this JVM knows: no other
 * one, unless an implementation says so.
 */
public interface Routes {
  /**
   * Where an instance lives.
   *
   * @param node its name
   * @param here what answers there, if that is in this JVM
   */
  record Place(String node, Optional<Endpoint.Actions> here) {}

  /** Knows nothing: every question goes to a common address. */
  Routes NONE = (instance, asker) -> Optional.empty();

  /** The node of this JVM, if there is one: it answers at the common addresses. */
  default Optional<String> self() {
    return Optional.empty();
  }

  /**
   * Where an instance lives; empty where that is not known here, or it is gone, or out of the
   * asker's reach.
   */
  Optional<Place> place(String instance, Reach asker);

  /** Whether this node is in the cluster and answers. */
  default boolean isThere(String node) {
    return true;
  }

  /** What the time since this node was last given up is called; what is sent there says it. */
  default long term(String node) {
    return 0;
  }

  /** From now on it is told of each node that is gone, or does not answer any more. */
  default void onLost(Consumer<String> told) {
    // no node is known, so none is lost
  }
}
