package io.busbar.client;

import io.busbar.model.Reach;
import io.busbar.wire.Endpoint;
import java.util.Optional;
import java.util.function.Consumer;

/** Where instances live and which nodes there are, as far as the node of this JVM knows. */
public interface Routes {
  /**
   * Where an instance lives.
   *
   * @param node its name
   * @param here what answers there, if that is in this JVM
   */
  record Place(String node, Optional<Endpoint.Actions> here) {}

  /** Knows nothing: every question goes to a common address. */
  Routes NONE =
      new Routes() {
        @Override
        public Optional<String> self() {
          return Optional.empty();
        }

        @Override
        public Optional<Place> place(String instance, Reach asker) {
          return Optional.empty();
        }

        @Override
        public boolean isThere(String node) {
          return true;
        }

        @Override
        public long term(String node) {
          return 0;
        }

        @Override
        public void onLost(Consumer<String> told) {
          // no node is known, so none is lost
        }
      };

  /** The node of this JVM, if there is one: it answers at the common addresses. */
  Optional<String> self();

  /**
   * Where an instance lives; empty where that is not known here, or it is gone, or out of the
   * asker's reach.
   */
  Optional<Place> place(String instance, Reach asker);

  /** Whether this node is in the cluster and answers. */
  boolean isThere(String node);

  /** What the time since this node was last given up is called; what is sent there says it. */
  long term(String node);

  /** From now on it is told of each node that is gone, or does not answer any more. */
  void onLost(Consumer<String> told);
}
