package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.client.Routes;
import io.busbar.engine.Library;
import io.busbar.engine.ModuleStore;
import io.busbar.host.Events;
import io.busbar.host.Host;
import io.busbar.host.Roster;
import io.busbar.wire.Addresses;
import io.busbar.wire.Endpoint;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** The door of this room: one node's part in the cluster. */
public final class Cluster implements Roster, Routes {
  private static final System.Logger LOG = System.getLogger(Cluster.class.getName());

  private final Vertx vertx;
  private final Addresses addresses;
  private final Members members;
  private final Work work;
  private final List<Consumer<String>> losses = new CopyOnWriteArrayList<>();
  private final Directory directory;
  private final Bus bus;
  private Host host; // this and the next: set once it is open, before anything else is told
  private volatile Failover failover;
  private volatile boolean leaving;

  /** Blocks. */
  private Cluster(Vertx vertx, Members members, Addresses addresses) {
    this.vertx = vertx;
    this.addresses = addresses;
    this.members = members;
    this.work = new Work(vertx);
    members.joined();
    this.directory = new Directory(members, this::changed);
    this.bus = new Bus(vertx, addresses, this);
    members.onChange(this::membersChanged, this::lost, this::ended);
    directory.reload();
  }

  /** Takes part with this Vert.x, which the members' manager has made a clustered one. */
  public static Future<Cluster> join(Vertx vertx, Members members, Addresses addresses) {
    return vertx.executeBlocking(() -> new Cluster(vertx, members, addresses));
  }

  private void changed() {
    Failover told = failover;
    if (told != null) {
      told.lookSoon();
    }
  }

  private void membersChanged() {
    Failover told = failover;
    if (told != null) {
      told.lookAgain();
    }
  }

  private void lost(String node) {
    losses.forEach(told -> told.accept(node));
  }

  /** Cut off for good: what runs here is not this node's any more. */
  private void ended() {
    Failover stopped = failover;
    if (!leaving && stopped != null) {
      LOG.log(System.Logger.Level.ERROR, "this node has dropped out of the cluster");
      stopped.close();
      Host left = host;
      left.live().keySet().forEach(id -> left.giveUp(id, "its node dropped out of the cluster"));
    }
  }

  /** The modules of all nodes, those of this one in its store. Blocks. */
  public Library library(ModuleStore store) {
    return new SharedModules(members, directory, store, work);
  }

  /** A way to ask that knows where instances live. */
  public Bus bus() {
    return bus;
  }

  public Members members() {
    return members;
  }

  /** This node takes instances from now on. */
  public Future<Void> open(Host host) {
    this.host = host;
    Events events = new Events(vertx, addresses, members.self());
    this.failover = new Failover(members, directory, host, bus, events);
    return work.run(
        () -> {
          directory.open(true);
          failover.lookSoon();
          return null;
        });
  }

  /** This node takes no instances any more; what it has stays until its host closes. */
  public Future<Void> leave() {
    leaving = true;
    if (failover != null) {
      failover.close();
    }
    return work.run(
        () -> {
          directory.open(false);
          return null;
        });
  }

  @Override
  public Endpoint.Actions instances(Endpoint.Actions here) {
    return new Router(vertx, members, directory, work, bus, here)::handle;
  }

  @Override
  public Endpoint.Actions nodes(Endpoint.Actions here) {
    return new Router(vertx, members, directory, work, bus, here)::handleNodes;
  }

  @Override
  public Future<Long> claim(String id, OptionalLong epoch) {
    return work.run(() -> directory.claim(id, epoch));
  }

  @Override
  public Future<Void> started(Started instance) {
    return work.run(
        () -> {
          directory.started(instance);
          return null;
        });
  }

  @Override
  public void renewed(String id, long epoch) {
    work.run(
            () -> {
              directory.renewed(id, epoch);
              return null;
            })
        .onFailure(e -> LOG.log(System.Logger.Level.WARNING, "epoch of {0}: {1}", id, e));
  }

  @Override
  public Future<Void> left(String id, long epoch) {
    return work.run(
        () -> {
          directory.left(id, epoch);
          return null;
        });
  }

  @Override
  public Optional<String> self() {
    return Optional.of(members.self());
  }

  @Override
  public Optional<String> owner(String instance) {
    return directory.find(instance).filter(Entry::isLive).map(Entry::owner).filter(this::isThere);
  }

  @Override
  public boolean isThere(String node) {
    return members.names().contains(node);
  }

  @Override
  public void onLost(Consumer<String> told) {
    losses.add(told);
  }
}
