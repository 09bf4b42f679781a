package io.busbar.host;

import io.busbar.engine.Compiler;
import io.busbar.engine.Library;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.SendPolicy;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The door of this room: one node's modules and instances, at their addresses. */
public final class Host {
  /**
   * How a node hosts instances.
   *
   * @param node the node's id
   * @param limits what each instance gets at most, and unless its spec asks for less
   * @param addressed whether an instance has an address of its own if its spec does not say
   * @param deny addresses, or beginnings of them with {@code *}, where no answer may be sent
   * @param rights calls that run at the same time, calls longer than 20 ms not counted
   * @param threads the most worker threads
   * @param lost so many of them may be lost to guests that cannot be stopped; beyond that the node
   *     starts nothing more
   * @param moduleBytes the largest module that is taken
   * @param sliceBytes the most bytes one read or write of memory, or one way of an {@code invoke},
   *     may move
   * @param callsAtOnce the most calls one {@code calls} may hold
   * @param roots the real directories below which guests may be given others
   * @param quota what all instances may take together, and those of one user
   * @param labels what specs may ask of a node, beside its name as {@code node}
   */
  public record Options(
      String node,
      Addresses addresses,
      Limits limits,
      boolean addressed,
      List<String> deny,
      int rights,
      int threads,
      int lost,
      int moduleBytes,
      long sliceBytes,
      int callsAtOnce,
      List<Path> roots,
      Quota quota,
      Map<String, String> labels) {
    public Options {
      Map<String, String> all = new LinkedHashMap<>(labels);
      all.put("node", node);
      labels = Collections.unmodifiableMap(all);
    }

    /** Where no answer may be sent. */
    public SendPolicy policy() {
      return new SendPolicy(addresses, deny);
    }
  }

  /**
   * What instances may take together.
   *
   * @param all what those of the operator and all users may take
   * @param user what those of one user may take of that
   * @param users the same of single users, where it is something else
   * @param messageBytes what the operations that wait or run may take of the heap
   */
  public record Quota(Share all, Share user, Map<String, Share> users, long messageBytes) {
    public Quota {
      users = Map.copyOf(users);
    }

    /** What those of this user may take. */
    Share of(String user) {
      return users.getOrDefault(user, this.user);
    }
  }

  /**
   * What some instances may take together.
   *
   * @param bytes what they may reserve of the heap
   * @param instances how many there may be
   */
  public record Share(long bytes, int instances) {}

  /** How long after its deadline a guest's thread may go on before it is written off. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final Vertx vertx;
  private final Options options;
  private final Roster roster;
  private final Callers callers;
  private final Health health;
  private final Lanes lanes;
  private final Tenants tenants;
  private final WorkerExecutor blocking;
  private final ModuleLoader loader;
  private final ModuleService modules;
  private final ModuleUses uses;
  private final InstanceService instances;
  private final List<Endpoint> endpoints = new CopyOnWriteArrayList<>();
  private final Endpoint.Actions everywhere; // what answers for the instances of all nodes
  private final Instant started = Instant.now();

  private Host(
      Vertx vertx,
      Options options,
      Library library,
      Compiler compiler,
      Functions functions,
      Roster roster) {
    this.vertx = vertx;
    this.options = options;
    this.roster = roster;
    int stack = Math.toIntExact(options.limits.get(Limit.STACK));
    this.tenants = new Tenants(options.quota);
    Events events = new Events(vertx, options.addresses, options.node);
    this.health = new Health(options.node, options.lost, events);
    this.lanes =
        new Lanes(
            vertx, new Lanes.Options(options.rights, options.threads, stack, PATIENCE), health);
    this.blocking = vertx.createSharedWorkerExecutor("busbar-control", 2, 10, TimeUnit.MINUTES);
    this.loader = new ModuleLoader(vertx, compiler, blocking, options.moduleBytes);
    this.modules = new ModuleService(library, loader, events);
    this.uses = new ModuleUses(library, loader);
    Operations operations = new Operations(options.sliceBytes, options.callsAtOnce);
    this.callers =
        new Callers(
            vertx,
            options.node,
            options.addresses,
            options.policy(),
            operations,
            this::startInstance);
    this.instances =
        new InstanceService(
            vertx,
            new LiveInstance.Context(
                options.node,
                options.addresses,
                options.policy(),
                operations,
                callers,
                events,
                roster,
                new Inbox(options.quota.messageBytes),
                options.roots),
            uses,
            lanes,
            tenants,
            functions,
            health,
            new Starter.Options(options.limits, options.addressed, options.labels));
    this.everywhere = roster.instances(instances::handle);
  }

  /** What a callback starts is an instance like any other. */
  private Future<Body> startInstance(Ask ask) {
    ask.isBy(instances.owner(ask));
    return everywhere.handle(ask);
  }

  /** Opens the node's own address; what it opened is closed again if that cannot be. */
  public static Future<Host> open(
      Vertx vertx,
      Options options,
      Library library,
      Compiler compiler,
      Functions functions,
      Roster roster) {
    Host host = new Host(vertx, options, library, compiler, functions, roster);
    String own = options.addresses.node(options.node);
    return host.listen(own, roster.node(host::handleHere))
        .map(host)
        .recover(e -> host.close().transform(done -> Future.failedFuture(e)));
  }

  /** Answers at the common addresses too from now on; closes where one cannot be opened. */
  public Future<Void> announce() {
    Addresses addresses = options.addresses;
    return listen(addresses.modules(), modules::handle)
        .compose(done -> listen(addresses.instances(), everywhere))
        .compose(done -> listen(addresses.nodes(), roster.nodes(this::handleNodes)))
        .recover(e -> close().transform(done -> Future.failedFuture(e)));
  }

  /** Every operation on what lives here, and the node itself. */
  private Future<Body> handleHere(Ask ask) {
    return ask.action().equals("node") && ask.instance().isEmpty()
        ? Future.succeededFuture(Body.of(about()))
        : instances.handle(ask);
  }

  private Future<Void> listen(String address, Endpoint.Actions actions) {
    return Endpoint.open(vertx, address, options.policy(), actions)
        .onSuccess(endpoints::add)
        .mapEmpty();
  }

  private Future<Body> handleNodes(Ask ask) {
    if (!ask.action().equals("list")) {
      throw ask.unknownAction();
    }
    return Future.succeededFuture(Body.of("nodes", List.of(about())));
  }

  private Map<String, Object> about() {
    Map<String, Object> node = new LinkedHashMap<>();
    node.put("node", options.node);
    node.put("instances", instances.size());
    node.put("memory", memory());
    node.put("running", lanes.running());
    node.put("waiting", lanes.lent());
    node.put("lost", lanes.lost());
    node.put("healthy", health.trouble().isEmpty());
    health.trouble().ifPresent(reason -> node.put("reason", reason));
    node.put("started", started.toString());
    return node;
  }

  /** The keys of the live instances that are not about to leave, and their epochs. */
  public Map<String, Long> live() {
    return instances.live();
  }

  /** The epoch of a live instance that is not about to leave. */
  public OptionalLong epoch(String key) {
    return instances.epoch(key);
  }

  /** Whether an instance of this key lives here, or is being started or stopped. */
  public boolean holds(String key) {
    return instances.holds(key);
  }

  /** Stops an instance that is not this node's any more. */
  public void giveUp(String key, String reason) {
    instances.giveUp(key, reason);
  }

  /** The keys of those that have been called and keep something that is in memory only. */
  public List<String> precious() {
    return instances.precious();
  }

  /**
   * Lets an instance come to rest: done when what it was asked is answered. What comes meanwhile is
   * passed on, or told that it did not run.
   *
   * @param fresh whether it may lose what it has in memory; else that is a {@code CONFLICT}
   */
  public Future<Rested> rest(String key, boolean fresh, Duration most) {
    return instances.rest(key, fresh, most);
  }

  /** Whether an instance has been called and keeps something that is in memory only. */
  public boolean isPrecious(String key) {
    return instances.isPrecious(key);
  }

  /**
   * An instance at rest.
   *
   * @param losesState whether something is lost if it begins anew
   */
  public record Rested(long epoch, boolean losesState) {}

  /** It goes on after a rest. */
  public void wake(String key) {
    instances.wake(key);
  }

  /**
   * Gives an instance at rest away: its guest is closed, and what comes to its address here within
   * {@code linger} is passed on.
   */
  public Future<Void> handOver(String key, Duration linger) {
    return instances.handOver(key, linger);
  }

  /** Reads and compiles a module, as a start that follows needs it. */
  public Future<Body> prepare(String module) {
    return uses.prepare(ModuleRef.parse(module));
  }

  /** What answers at this node's own address, on any thread and without blocking it. */
  public Endpoint.Actions actions() {
    return this::handleHere;
  }

  /** Whether an instance lives here and is for this asker. */
  public boolean isLive(String key, Reach asker) {
    return instances.isLive(key, asker);
  }

  /** Where this node and its instances answer. */
  public List<Endpoint> endpoints() {
    return Stream.concat(endpoints.stream(), instances.endpoints()).toList();
  }

  private Map<String, Object> memory() {
    Map<String, Object> bytes = new LinkedHashMap<>();
    bytes.put("reserved", tenants.node().reserved());
    bytes.put("limit", tenants.node().most());
    return bytes;
  }

  /** Stops listening, then every instance, then the threads. */
  public Future<Void> close() {
    List<Future<Void>> silent = endpoints.stream().map(Endpoint::close).toList();
    return Future.join(silent)
        .eventually(instances::close)
        .eventually(blocking::close)
        .onComplete(
            done -> {
              loader.close();
              callers.close();
              lanes.close();
            })
        .mapEmpty();
  }
}
