package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.client.Routes;
import io.busbar.engine.Library;
import io.busbar.engine.ModuleStore;
import io.busbar.host.Events;
import io.busbar.host.Host;
import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The door of this room: one node's part in the cluster. */
public final class Cluster implements Roster, Routes {
  private static final System.Logger LOG = System.getLogger(Cluster.class.getName());

  /** How often this node looks whether the bus still knows its addresses, whatever happens. */
  private static final Duration REGISTRATIONS = Duration.ofSeconds(30);

  private final Vertx vertx;
  private final Addresses addresses;
  private final Members members;
  private final Work work;
  private final List<Consumer<String>> losses = new CopyOnWriteArrayList<>();
  private final Registrations registrations;
  private final Directory directory;
  private final Pulse pulse;
  private final Heartbeat heartbeat;
  private final Bus bus;
  private final Doors doors;
  private final Promise<Void> drained = Promise.promise();
  private Router router; // this and the next: set once it is open, before anything else is told
  private Host host;
  private volatile Optional<Endpoint.Actions> here = Optional.empty(); // from its opening on
  private volatile Failover failover;
  private volatile Moves moves;
  private volatile Departure departure;
  private volatile boolean leaving;

  /** Blocks. */
  private Cluster(Vertx vertx, Members members, SendPolicy policy) {
    this.vertx = vertx;
    this.addresses = policy.addresses();
    this.members = members;
    this.work = new Work(vertx);
    members.joined();
    this.registrations = new Registrations(members.manager());
    this.directory = new Directory(members, this::changed);
    this.heartbeat = new Heartbeat(vertx, addresses, members, this::lost, this::checkRegistrations);
    this.pulse = heartbeat.pulse();
    this.bus = new Bus(vertx, addresses, this);
    this.doors =
        new Doors(
            vertx, addresses, policy, (ask, id) -> router.routeFromDoor(ask, id), this::close);
    members.onChange(this::membersChanged, this::gone, this::ended);
    directory.reload();
  }

  /** Takes part with this Vert.x, which the members' manager has made a clustered one. */
  public static Future<Cluster> join(Vertx vertx, Members members, SendPolicy policy) {
    return vertx.executeBlocking(() -> new Cluster(vertx, members, policy));
  }

  private void changed(String key) {
    Failover told = failover;
    if (told != null) {
      told.changed(key);
    }
  }

  private void membersChanged() {
    Failover told = failover;
    if (told != null) {
      told.lookAgain();
    }
    checkRegistrations();
  }

  private void checkRegistrations() {
    Host known = host;
    if (known != null && !leaving) {
      registrations.checkAll(
          () -> Stream.concat(known.endpoints().stream(), doors.endpoints().stream()).toList());
    }
  }

  private void gone(String node) {
    pulse.left(node); // or who is told asks again, and is sent there once more
    lost(node);
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
      heartbeat.close();
      Host left = host;
      left.live().keySet().forEach(key -> left.giveUp(key, "its node dropped out of the cluster"));
      drained.tryFail("this node has dropped out of the cluster");
    }
  }

  /** The modules of all nodes, those of this one in its store. Blocks. */
  public Library library(ModuleStore store) {
    return new SharedModules(members, directory, pulse, store, work);
  }

  /** A way to ask that knows where instances live. */
  public Bus bus() {
    return bus;
  }

  public Members members() {
    return members;
  }

  /** Gets to know the others and their modules, and takes instances from then on. */
  public Future<Void> open(Host host) {
    this.host = host;
    Events events = new Events(vertx, addresses, members.self());
    this.moves = new Moves(vertx, members, directory, pulse, work, bus, host, doors::leave);
    this.departure = new Departure(vertx, members, directory, work, moves, this::withdrawAll);
    heartbeat.start();
    vertx.setPeriodic(REGISTRATIONS.toMillis(), now -> checkRegistrations());
    Arrival arrival = new Arrival(vertx, addresses, members, directory, pulse, bus);
    return arrival
        .warmUp()
        .compose(warm -> host.announce())
        .compose(
            announced ->
                work.run(
                    () -> {
                      directory.state(Directory.OPEN);
                      failover = new Failover(members, directory, pulse, work, host, bus, events);
                      failover.lookAgain();
                      return null;
                    }));
  }

  /**
   * Moves what this node has to others and takes nothing any more; what can go nowhere stays until
   * its host closes, and starts again where there is a place for it. Again it does nothing.
   */
  public Future<Void> leave() {
    leaving = true;
    Departure known = departure;
    Future<Void> gone = known == null ? Future.succeededFuture() : known.leave();
    return gone.onComplete(
        done -> {
          Failover stopped = failover;
          if (stopped != null) {
            stopped.close();
          }
        });
  }

  /** Its host is closed, or was never opened: others hear nothing of this node any more. */
  public void close() {
    leaving = true;
    Failover stopped = failover;
    if (stopped != null) {
      stopped.close();
    }
    heartbeat.close();
  }

  /**
   * Done when somebody has had this node drained: it has nothing any more, and may close. Fails
   * where it has dropped out of the cluster for good.
   */
  public Future<Void> drained() {
    return drained.future();
  }

  /** Nobody sends anything to this node any more. */
  private Future<Void> withdrawAll() {
    return Future.join(host.endpoints().stream().map(registrations::withdraw).toList()).mapEmpty();
  }

  /** An address is closed once nothing can be on its way there any more. */
  private void close(Endpoint endpoint) {
    registrations
        .withdraw(endpoint)
        .onComplete(
            done ->
                vertx.setTimer(
                    Math.max(1, members.patience().linger().toMillis()),
                    later -> endpoint.close()));
  }

  @Override
  public Endpoint.Actions node(Endpoint.Actions here) {
    Endpoint.Actions all = ask -> handleHere(ask, here);
    this.here = Optional.of(all);
    return all;
  }

  /** What nodes ask each other. */
  private Future<Body> handleHere(Ask ask, Endpoint.Actions here) {
    if (ask.action().equals("ping") && ask.instance().isEmpty()) {
      return heartbeat.handle(ask);
    }
    permit(ask).check();
    if (ask.instance().isPresent() && !ask.action().equals("move")) {
      return here.handle(ask); // what is asked of an instance is nothing that a node does
    }
    return switch (ask.action()) {
      case "prepare" -> opened(host).prepare(ask.body().string("module"));
      case "move" -> opened(moves).move(ask);
      case "drain" -> drain(ask);
      default -> here.handle(ask);
    };
  }

  private <T> T opened(T part) {
    if (part == null) {
      throw Failure.UNAVAILABLE.because("node `%s` is starting", members.self());
    }
    return part;
  }

  private Future<Body> drain(Ask ask) {
    return opened(departure)
        .drain(ask)
        .onSuccess(
            done ->
                vertx.setTimer(
                    members.patience().linger().toMillis() + 1, t -> drained.tryComplete()));
  }

  @Override
  public Endpoint.Actions instances(Endpoint.Actions here) {
    router = new Router(vertx, members, directory, pulse, work, bus, here);
    return router::handle;
  }

  @Override
  public Endpoint.Actions nodes(Endpoint.Actions here) {
    return new Nodes(members, directory, pulse, bus)::handle;
  }

  @Override
  public Permit permit(Ask ask, Home home) {
    Permit general = permit(ask);
    return home.replicas() > 1
        ? general
        : () -> {
          general.check();
          fail(pulse.minority());
        };
  }

  private Permit permit(Ask ask) {
    Optional<String> via = ask.via();
    long term = via.isPresent() ? ask.term() : 0;
    return () -> fail(pulse.refusal(via, term));
  }

  private static void fail(Optional<WasmException> why) {
    if (why.isPresent()) {
      throw why.get();
    }
  }

  @Override
  public Future<Body> elsewhere(Ask ask, String key) {
    return router.route(ask, key);
  }

  @Override
  public Future<Void> withdraw(Endpoint endpoint) {
    return registrations.withdraw(endpoint);
  }

  @Override
  public Future<Long> claim(String key, Home home, OptionalLong epoch) {
    if (home.replicas() > 1 && key.equals(Roster.id(key))) {
      throw Failure.BAD_REQUEST.because("instance `%s` has several copies: which is meant?", key);
    }
    return work.run(() -> directory.claim(key, epoch));
  }

  @Override
  public Future<Void> started(Started instance) {
    String key = instance.key();
    boolean isBehindDoor = !key.equals(Roster.id(key)) && instance.about().containsKey("address");
    return work.run(
            () -> {
              directory.started(instance);
              return null;
            })
        .compose(done -> isBehindDoor ? doors.enter(key) : Future.succeededFuture());
  }

  @Override
  public void renewed(String key, long epoch) {
    work.run(
            () -> {
              directory.renewed(key, epoch);
              return null;
            })
        .onFailure(e -> LOG.log(System.Logger.Level.WARNING, "epoch of {0}: {1}", key, e));
  }

  /** What a node still has when it closes is started again elsewhere, as if it had been lost. */
  @Override
  public Future<Void> left(String key, long epoch, boolean forGood) {
    if (!key.equals(Roster.id(key))) {
      doors.leave(key);
    }
    return forGood
        ? work.run(
            () -> {
              directory.left(key, epoch);
              return null;
            })
        : Future.succeededFuture();
  }

  @Override
  public Optional<String> self() {
    return Optional.of(members.self());
  }

  @Override
  public Optional<Place> place(String instance, Reach asker) {
    return directory
        .find(instance)
        .filter(entry -> entry.isLive() && asker.includes(entry.user()))
        .map(Entry::owner)
        .filter(node -> isThere(node) && directory.stateOf(node).isPresent())
        .map(node -> new Place(node, node.equals(members.self()) ? here : Optional.empty()));
  }

  @Override
  public boolean isThere(String node) {
    return members.names().contains(node) && !pulse.isSuspected(node);
  }

  @Override
  public long term(String node) {
    return pulse.term(node);
  }

  @Override
  public void onLost(Consumer<String> told) {
    losses.add(told);
  }
}
