package io.busbar.cluster;

import io.busbar.host.Roster;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * The addresses that copies of one instance share: one consumer on each node that has any, however
 * many it has, since the bus would send to the node with the most only.
 */
final class Doors {
  private final Vertx vertx;
  private final Addresses addresses;
  private final SendPolicy policy;
  private final BiFunction<Ask, String, Future<Body>> route;
  private final Consumer<Endpoint> leaving;
  private final Map<String, Door> doors = new HashMap<>(); // by id; guarded by this

  /** An address, and the keys of the copies here that are behind it. */
  private record Door(Future<Endpoint> endpoint, Set<String> copies) {}

  /**
   * Of a node without copies.
   *
   * @param route passes an operation on to one of the copies of this id
   * @param leaving closes an address once nothing can be on its way there any more
   */
  Doors(
      Vertx vertx,
      Addresses addresses,
      SendPolicy policy,
      BiFunction<Ask, String, Future<Body>> route,
      Consumer<Endpoint> leaving) {
    this.vertx = vertx;
    this.addresses = addresses;
    this.policy = policy;
    this.route = route;
    this.leaving = leaving;
  }

  /** One more copy is here; done when the address is. */
  synchronized Future<Void> enter(String key) {
    String id = Roster.id(key);
    Door door = doors.get(id);
    if (door != null) {
      door.copies.add(key);
      return door.endpoint.mapEmpty();
    }
    Door opened =
        new Door(
            Endpoint.open(vertx, addresses.instance(id), policy, ask -> route.apply(ask, id)),
            new HashSet<>(Set.of(key)));
    doors.put(id, opened);
    return opened.endpoint.mapEmpty();
  }

  /** Those that are open. */
  synchronized List<Endpoint> endpoints() {
    return doors.values().stream()
        .map(door -> door.endpoint)
        .filter(Future::succeeded)
        .map(Future::result)
        .toList();
  }

  /** This copy is not here any more, if it ever was. */
  synchronized void leave(String key) {
    String id = Roster.id(key);
    Door door = doors.get(id);
    if (door != null && door.copies.remove(key) && door.copies.isEmpty()) {
      doors.remove(id);
      door.endpoint.onSuccess(leaving::accept);
    }
  }
}
