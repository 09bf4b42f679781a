package io.busbar.host;

import io.busbar.model.InstanceSpec;
import io.busbar.wire.Endpoint;
import io.vertx.core.Future;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** What nodes settle with each other about their instances; a node that is alone, with itself. */
public interface Roster {
  /** A node alone: it answers for all there is, and every id that is free here is free. */
  Roster ALONE =
      new Roster() {
        @Override
        public Endpoint.Actions instances(Endpoint.Actions here) {
          return here;
        }

        @Override
        public Endpoint.Actions nodes(Endpoint.Actions here) {
          return here;
        }

        @Override
        public Future<Long> claim(String id, OptionalLong epoch) {
          return Future.succeededFuture(1L);
        }

        @Override
        public Future<Void> started(Started instance) {
          return Future.succeededFuture();
        }

        @Override
        public void renewed(String id, long epoch) {
          // nobody else keeps count
        }

        @Override
        public Future<Void> left(String id, long epoch) {
          return Future.succeededFuture();
        }
      };

  /**
   * An instance that can be called.
   *
   * @param spec the modules in it are digests
   * @param about what lists show
   * @param user who started it; empty: the operator
   */
  record Started(
      String id, long epoch, InstanceSpec spec, Map<String, Object> about, Optional<String> user) {}

  /** What answers for the instances of all nodes, given what does for those here. */
  Endpoint.Actions instances(Endpoint.Actions here);

  /** What answers for all nodes, given what does for this one. */
  Endpoint.Actions nodes(Endpoint.Actions here);

  /**
   * Takes an id for an instance that is to be started here; or finds it taken for this node, with
   * this epoch.
   *
   * @return its epoch; fails with {@code CONFLICT} where it is another's
   */
  Future<Long> claim(String id, OptionalLong epoch);

  /** It can be called from now on; fails where the claim is no longer this node's. */
  Future<Void> started(Started instance);

  /** It has begun anew on its node, with this epoch from now on. */
  void renewed(String id, long epoch);

  /** It is gone, or was never started: the id is free again, unless it is another's. */
  Future<Void> left(String id, long epoch);
}
