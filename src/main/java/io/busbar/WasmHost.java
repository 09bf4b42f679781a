package io.busbar;

import io.busbar.client.Bus;
import io.busbar.client.CallerRef;
import io.busbar.client.ImportFunction;
import io.busbar.client.ImportServer;
import io.busbar.client.Routes;
import io.busbar.client.WasmClient;
import io.busbar.cluster.Cluster;
import io.busbar.cluster.Members;
import io.busbar.engine.Compiler;
import io.busbar.engine.JavaVersion;
import io.busbar.engine.Library;
import io.busbar.engine.ModuleStore;
import io.busbar.host.Functions;
import io.busbar.host.Host;
import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.HostFunction;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.EventBusOptions;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A node: it hosts instances on this Vert.x, at the addresses of the protocol.
 *
 * <pre>{@code
 * WasmHost.start(vertx)
 *     .compose(host -> host.client().put(wasm, "calc"))
 *     ...
 * }</pre>
 */
public final class WasmHost {
  private static final System.Logger LOG = System.getLogger(WasmHost.class.getName());

  private final Vertx vertx;
  private final Config config;
  private final Host host;
  private final Compiler compiler;
  private final Functions functions;
  private final Bus bus;
  private final Optional<Cluster> cluster; // with it, the Vert.x is this node's own
  private final WasmClient client;
  private Future<Void> closed; // guarded by this

  private WasmHost(
      Vertx vertx,
      Config config,
      Host host,
      Compiler compiler,
      Functions functions,
      Optional<Cluster> cluster) {
    this.vertx = vertx;
    this.config = config;
    this.host = host;
    this.compiler = compiler;
    this.functions = functions;
    this.cluster = cluster;
    this.bus =
        cluster
            .map(Cluster::bus)
            .orElseGet(() -> new Bus(vertx, config.host().addresses(), alone(node(), host)));
    this.client = WasmClient.of(bus);
  }

  /**
   * Where instances live, as a node knows that is alone. Others may be at the common addresses too:
   * this Vert.x may be one of several.
   */
  private static Routes alone(String node, Host host) {
    Optional<Routes.Place> here = Optional.of(new Routes.Place(node, Optional.of(host.actions())));
    return (instance, asker) -> host.isLive(instance, asker) ? here : Optional.empty();
  }

  /** Starts a node with the standard settings. */
  public static Future<WasmHost> start(Vertx vertx) {
    return start(vertx, Config.standard());
  }

  /** Starts a node that is alone; done when its addresses can be reached. */
  public static Future<WasmHost> start(Vertx vertx, Config config) {
    if (config.cluster().enabled()) {
      return Future.failedFuture(
          Failure.BAD_REQUEST.because("`cluster.enabled`: start it with WasmHost.clustered"));
    }
    return start(vertx, config, Optional.empty()).compose(host -> host.host.announce().map(host));
  }

  /** Starts a node that is one of several, on a Vert.x of its own, which is closed with it. */
  public static Future<WasmHost> clustered(Config config) {
    return clustered(new VertxOptions(), config);
  }

  /** The same on a Vert.x with these options; where its bus listens is the configuration's. */
  public static Future<WasmHost> clustered(VertxOptions options, Config config) {
    return clustered(options, config, host -> {});
  }

  /**
   * The same, with what is done before the node takes instances: they may be moved here as soon as
   * it does, and call the functions that it is to have.
   */
  public static Future<WasmHost> clustered(
      VertxOptions options, Config config, Consumer<WasmHost> before) {
    Config.Clustering clustering = config.cluster();
    InetAddress host;
    try {
      host = checkCluster(clustering);
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
    Members members = new Members(clustering.members().withHost(host.getHostAddress()));
    EventBusOptions bus = options.getEventBusOptions();
    bus.setHost(members.host()).setPort(clustering.busPort());
    clustering.tls().ifPresent(tls -> tls.secure(bus));
    return Vertx.builder()
        .with(options)
        .withClusterManager(members.manager())
        .buildClustered()
        .recover(e -> Future.failedFuture(cannotJoin(e)))
        .onSuccess(vertx -> exposed(host).ifPresent(text -> LOG.log(Level.WARNING, text)))
        .compose(vertx -> clustered(vertx, members, config, before));
  }

  /**
   * The address to bind to. The bus without TLS takes messages from whoever reaches it, as
   * Hazelcast takes members.
   */
  static InetAddress checkCluster(Config.Clustering cluster) {
    cluster.tls().ifPresent(Tls::check);
    String name = cluster.members().host();
    InetAddress host = address(name);
    if (host.isAnyLocalAddress()) {
      throw Failure.BAD_REQUEST.because(
          "a cluster on `%s` is refused: others cannot reach a node by that address",
          Names.shown(name));
    }
    if (!host.isLoopbackAddress() && cluster.tls().isEmpty()) {
      throw Failure.BAD_REQUEST.because(
          "a cluster on `%s` is refused: without `cluster.tls` whoever reaches its ports could do"
              + " anything, so only loopback is allowed",
          Names.shown(name));
    }
    return host;
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw Failure.BAD_REQUEST.because("cluster host `%s` is not known", Names.shown(host));
    }
  }

  /** What is still to be done by others when a node binds there. */
  static Optional<String> exposed(InetAddress host) {
    return host.isLoopbackAddress()
        ? Optional.empty()
        : Optional.of(
            "Hazelcast at "
                + host.getHostAddress()
                + " has neither TLS nor passwords: who reaches its port is as good as a node, so"
                + " let only nodes reach it");
  }

  private static Throwable cannotJoin(Throwable e) {
    return e instanceof WasmException
        ? e
        : Failure.UNAVAILABLE.because("cannot join a cluster: %s", e.getMessage());
  }

  /** Told without the Vert.x if it fails, as it is closed then. */
  private static Future<WasmHost> clustered(
      Vertx vertx, Members members, Config config, Consumer<WasmHost> before) {
    Promise<WasmHost> started = Promise.promise();
    Cluster.join(vertx, members, config.host().policy())
        .compose(
            cluster ->
                start(vertx, config, Optional.of(cluster))
                    .map(host -> host.prepared(before))
                    .compose(host -> cluster.open(host.host).map(host))
                    .onFailure(e -> cluster.close()))
        .onSuccess(started::complete)
        .onFailure(e -> vertx.close().onComplete(closed -> started.fail(e)));
    return started.future();
  }

  private WasmHost prepared(Consumer<WasmHost> before) {
    before.accept(this);
    return this;
  }

  private static Future<WasmHost> start(Vertx vertx, Config config, Optional<Cluster> cluster) {
    JavaVersion.check();
    Functions functions = new Functions();
    Compiler compiler = new Compiler(config.compiler());
    return library(vertx, config, cluster)
        .compose(
            library ->
                Host.open(
                    vertx,
                    config.host(),
                    library,
                    compiler,
                    functions,
                    cluster.map(Roster.class::cast).orElse(Roster.ALONE)))
        .map(host -> new WasmHost(vertx, config, host, compiler, functions, cluster))
        .onFailure(e -> compiler.close());
  }

  private static Future<Library> library(Vertx vertx, Config config, Optional<Cluster> cluster) {
    return vertx.executeBlocking(
        () -> {
          ModuleStore store = new ModuleStore(config.data().map(d -> d.resolve("modules")));
          return cluster.isPresent() ? cluster.get().library(store) : store;
        });
  }

  /** A client of this node's bus. */
  public WasmClient client() {
    return client;
  }

  /** The Vert.x it runs on. */
  public Vertx vertx() {
    return vertx;
  }

  /** How what runs beside the node asks it and the others, such as an {@code HttpGateway}. */
  public Bus bus() {
    return bus;
  }

  /** The node's name. */
  public String node() {
    return config.host().node();
  }

  /**
   * Answers imports whose spec names this address with a Java function, on the guest's thread.
   *
   * @throws io.busbar.model.WasmException {@code CONFLICT} where one answers there already
   */
  public WasmHost function(String address, HostFunction function) {
    functions.put(address, function);
    return this;
  }

  /**
   * The same for a function that answers later: the guest's thread waits without its right to run,
   * and runs what the function asks its caller.
   */
  public WasmHost asyncFunction(String address, ImportFunction function) {
    functions.put(
        address,
        (caller, chain, args) ->
            ImportServer.answer(
                function, CallerRef.of(client, caller, String.join(",", chain)), args));
    return this;
  }

  /**
   * Leaves: instances move to other nodes where there are any; the others are stopped, each call
   * with an answer. Again does nothing.
   */
  public synchronized Future<Void> close() {
    if (closed == null) {
      closed = cluster.isEmpty() ? stop() : closeAll();
    }
    return closed;
  }

  /** Told without the Vert.x, whose contexts run nothing any more once it is closed. */
  private Future<Void> closeAll() {
    Promise<Void> gone = Promise.promise();
    stop().onComplete(done -> vertx.close().onComplete(gone));
    return gone.future();
  }

  /**
   * All instances move to other nodes, and what is on its way here is still answered: what is left
   * to do is to close. Where there is no other node, and again, it does nothing.
   */
  Future<Void> leave() {
    return cluster.map(Cluster::leave).orElse(Future.succeededFuture());
  }

  /** All of {@link #close} but that the Vert.x stays. */
  Future<Void> stop() {
    return leave()
        .eventually(host::close)
        .onComplete(
            done -> {
              compiler.close();
              cluster.ifPresent(Cluster::close);
            });
  }

  /**
   * Done when somebody has had this node drained: all it had is on other nodes, and it may close.
   * Fails where it has dropped out of the cluster for good, and is never done where it is alone.
   */
  public Future<Void> drained() {
    return cluster.map(Cluster::drained).orElseGet(() -> Promise.<Void>promise().future());
  }

  /** Where it meets other nodes, and which it has met; empty where it is alone. */
  Optional<Members> members() {
    return cluster.map(Cluster::members);
  }
}
