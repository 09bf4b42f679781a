package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.vertx.core.Future;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What nodes settle with each other about their instances; a node that is alone, with itself.
 *
 * <p>A key is an instance's id, or for one of several copies its id and number.
 */
public interface Roster {
  /** Between the id and the number of one of several copies; no id contains it. */
  String COPY = "/";

  /** The key of one of several copies. */
  static String copy(String id, int number) {
    return id + COPY + number;
  }

  /** The id of the instance that this key belongs to. */
  static String id(String key) {
    int copy = key.indexOf(COPY);
    return copy < 0 ? key : key.substring(0, copy);
  }

  /** The text itself if it can be a key; else {@code BAD_REQUEST}. */
  static String checkKey(String text) {
    Names.check("instance id", id(text));
    if (!text.equals(id(text)) && !text.substring(id(text).length()).matches("/[1-9][0-9]{0,3}")) {
      throw Failure.BAD_REQUEST.because("`%s` is no instance id", Names.shown(text));
    }
    return text;
  }

  /** Which of several copies this key belongs to; empty for one that is the only one. */
  static OptionalInt number(String key) {
    int copy = key.indexOf(COPY);
    return copy < 0
        ? OptionalInt.empty()
        : OptionalInt.of(Integer.parseInt(key.substring(copy + COPY.length())));
  }

  /** A node alone: it answers for all there is, and every id that is free here is free. */
  Roster ALONE =
      new Roster() {
        @Override
        public Endpoint.Actions node(Endpoint.Actions here) {
          return here;
        }

        @Override
        public Endpoint.Actions instances(Endpoint.Actions here) {
          return here;
        }

        @Override
        public Endpoint.Actions nodes(Endpoint.Actions here) {
          return here;
        }

        @Override
        public Permit permit(Ask ask, Home home) {
          return () -> {};
        }

        @Override
        public Future<Body> elsewhere(Ask ask, String key) {
          throw WasmException.noSuchInstance(key);
        }

        @Override
        public Future<Void> withdraw(Endpoint endpoint) {
          return Future.succeededFuture();
        }

        @Override
        public Future<Long> claim(String key, Home home, OptionalLong epoch) {
          if (home.replicas() > 1) {
            throw Failure.BAD_REQUEST.because(
                "`replicas` must be 1 on a node that is alone, not %d", home.replicas());
          }
          return Future.succeededFuture(1L);
        }

        @Override
        public Future<Void> started(Started instance) {
          return Future.succeededFuture();
        }

        @Override
        public void renewed(String key, long epoch) {
          // nobody else keeps count
        }

        @Override
        public Future<Void> left(String key, long epoch, boolean forGood) {
          return Future.succeededFuture();
        }
      };

  /** Whether what was asked may still run. */
  @FunctionalInterface
  interface Permit {
    /** Fails with {@code UNAVAILABLE}, and {@code ran: never}, where it must not be begun. */
    void check();
  }

  /**
   * An instance that can be called.
   *
   * @param spec the modules in it are digests
   * @param about what lists show
   * @param user who started it; empty: the operator
   */
  record Started(
      String key,
      long epoch,
      InstanceSpec spec,
      Map<String, Object> about,
      Optional<String> user) {}

  /** What answers at this node's own address, given what does for its instances. */
  Endpoint.Actions node(Endpoint.Actions here);

  /** What answers for the instances of all nodes, given what does for those here. */
  Endpoint.Actions instances(Endpoint.Actions here);

  /** What answers for all nodes, given what does for this one. */
  Endpoint.Actions nodes(Endpoint.Actions here);

  /** To be looked at when it arrives and again just before it runs, on any thread. */
  Permit permit(Ask ask, Home home);

  /** Answers what was asked of an instance that has left this node. */
  Future<Body> elsewhere(Ask ask, String key);

  /** Other nodes send nothing to this address here any more; what is on its way still arrives. */
  Future<Void> withdraw(Endpoint endpoint);

  /**
   * Takes a key for an instance that is to be started here; or finds it taken for this node, with
   * this epoch.
   *
   * @return its epoch; fails with {@code CONFLICT} where it is another's
   */
  Future<Long> claim(String key, Home home, OptionalLong epoch);

  /** It can be called from now on; fails where the claim is no longer this node's. */
  Future<Void> started(Started instance);

  /** It has begun anew on its node, with this epoch from now on. */
  void renewed(String key, long epoch);

  /**
   * It is gone, or was never started: the key is free again, unless it is another's.
   *
   * @param forGood false where only its node closes, and it may live on elsewhere
   */
  Future<Void> left(String key, long epoch, boolean forGood);
}
