package io.busbar.gateway;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Serves one port on several event loops, each connection on one of them. */
final class Listener {
  /** Those that share a free port find each other by a negative number, which nobody else uses. */
  private static final AtomicInteger SHARED = new AtomicInteger(Integer.MIN_VALUE);

  private final Vertx vertx;
  private final HttpServerOptions options;
  private final Handler<HttpConnection> accepted;
  private final Handler<HttpServerRequest> handler;
  private final Runnable stopping;
  private final int loops;
  private final int port;
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>();
  private volatile String deployment;
  private Future<Void> closed; // guarded by this

  /**
   * A listener.
   *
   * @param accepted is told each connection
   * @param handler answers requests
   * @param stopping is done before its connections are closed; perhaps several times
   * @param loops on how many event loops
   */
  Listener(
      Vertx vertx,
      HttpServerOptions options,
      Handler<HttpConnection> accepted,
      Handler<HttpServerRequest> handler,
      Runnable stopping,
      int loops) {
    this.vertx = vertx;
    this.options = options;
    this.accepted = accepted;
    this.handler = handler;
    this.stopping = stopping;
    this.loops = loops;
    this.port = options.getPort() == 0 ? SHARED.incrementAndGet() : options.getPort();
  }

  /** One event loop of several. */
  private final class Loop extends VerticleBase {
    @Override
    public Future<?> start() {
      return vertx
          .createHttpServer(options)
          .connectionHandler(accepted)
          .requestHandler(handler)
          .listen(port, options.getHost())
          .onSuccess(servers::add);
    }

    @Override
    public Future<?> stop() {
      stopping.run();
      return Future.succeededFuture();
    }
  }

  /** Done when requests are answered; nothing is left open where it fails. */
  Future<Void> open() {
    DeploymentOptions all = new DeploymentOptions().setInstances(loops);
    return vertx.deployVerticle(Loop::new, all).onSuccess(id -> deployment = id).mapEmpty();
  }

  /** The port it listens on. */
  int port() {
    return servers.get(0).actualPort();
  }

  /** Again, or where the Vert.x or the verticle that opened it has closed it, does nothing. */
  synchronized Future<Void> close() {
    if (closed == null) {
      boolean isOpen = vertx.deploymentIDs().contains(deployment);
      closed = isOpen ? vertx.undeploy(deployment) : Future.succeededFuture();
    }
    return closed;
  }
}
