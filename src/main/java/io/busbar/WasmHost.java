package io.busbar;

import io.busbar.client.CallerRef;
import io.busbar.client.ImportFunction;
import io.busbar.client.ImportServer;
import io.busbar.client.WasmClient;
import io.busbar.engine.Compiler;
import io.busbar.engine.JavaVersion;
import io.busbar.engine.ModuleStore;
import io.busbar.host.Functions;
import io.busbar.host.Host;
import io.busbar.model.HostFunction;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

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
  private final Config config;
  private final Host host;
  private final Compiler compiler;
  private final Functions functions;
  private final WasmClient client;
  private Future<Void> closed; // guarded by this

  private WasmHost(Vertx vertx, Config config, Host host, Compiler compiler, Functions functions) {
    this.config = config;
    this.host = host;
    this.compiler = compiler;
    this.functions = functions;
    this.client = WasmClient.create(vertx, config.host().addresses());
  }

  /** Starts a node with the standard settings. */
  public static Future<WasmHost> start(Vertx vertx) {
    return start(vertx, Config.standard());
  }

  /** Starts a node; done when its addresses can be reached. */
  public static Future<WasmHost> start(Vertx vertx, Config config) {
    JavaVersion.check();
    Functions functions = new Functions();
    Compiler compiler = new Compiler(config.compiler());
    return open(vertx, config, compiler, functions)
        .map(host -> new WasmHost(vertx, config, host, compiler, functions))
        .onFailure(e -> compiler.close());
  }

  private static Future<Host> open(
      Vertx vertx, Config config, Compiler compiler, Functions functions) {
    return vertx
        .executeBlocking(() -> new ModuleStore(config.data().map(d -> d.resolve("modules"))))
        .compose(store -> Host.open(vertx, config.host(), store, compiler, functions));
  }

  /** A client of this node's bus. */
  public WasmClient client() {
    return client;
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

  /** Stops every instance, each call with an answer, and leaves the bus; again does nothing. */
  public synchronized Future<Void> close() {
    if (closed == null) {
      closed = host.close().onComplete(done -> compiler.close());
    }
    return closed;
  }
}
