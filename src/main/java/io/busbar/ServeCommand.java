package io.busbar;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.busbar.cluster.Members;
import io.busbar.gateway.HttpGateway;
import io.busbar.host.Host;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code busbar serve}: a node with HTTP, until it is told to end. */
@Command(
    name = "serve",
    description = "Runs a node: its bus addresses, and HTTP for the clients it knows.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  private static final Duration CLOSE = Duration.ofSeconds(10);
  private static final String HUGE_METHODS = "DontCompileHugeMethods";

  @Spec private CommandSpec spec;

  @Option(
      names = "--host",
      paramLabel = "H",
      description = "Where HTTP listens. Default: loopback.")
  private String host;

  @Option(names = "--port", paramLabel = "P", description = "0 for any free one. Default: 8080.")
  private Integer port;

  @Option(
      names = "--dev",
      description = "Lets everybody on this machine in, who may do everything.")
  private boolean dev;

  @Option(names = "--data", paramLabel = "DIR", description = "Keeps modules there.")
  private Path data;

  @Option(names = "--config", paramLabel = "F", description = "Settings as JSON.")
  private Path file;

  @Option(names = "--cluster", description = "As one of several nodes, which find each other.")
  private boolean cluster;

  @Option(
      names = "--join",
      paramLabel = "H:P",
      split = ",",
      description = "Looks for nodes there. Default: on this machine.")
  private List<String> join;

  @Option(
      names = "--cluster-host",
      paramLabel = "H",
      description = "Where other nodes reach this one; loopback, unless there is `cluster.tls`.")
  private String clusterHost;

  @Option(
      names = "--cluster-port",
      paramLabel = "P",
      description = "The same. Default: the first free one of 5701 to 5708.")
  private Integer clusterPort;

  @Override
  public Integer call() throws Exception {
    Config config;
    try {
      config = config();
      if (config.cluster().enabled()) {
        WasmHost.checkCluster(config.cluster());
      }
    } catch (WasmException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    boolean clustered = config.cluster().enabled();
    WasmHost node = clustered ? WasmHost.clustered(config).await() : alone(config);
    Vertx vertx = node.vertx();
    CountDownLatch ended = new CountDownLatch(1);
    try {
      HttpGateway http = http(node, config);
      closeWhenTold(node, http, config, ended);
      PrintWriter out = spec.commandLine().getOut();
      out.printf("busbar: node %s%n", node.node());
      node.members().ifPresent(members -> out.printf("busbar: %s%n", shown(members)));
      String scheme = config.http().tls().isPresent() ? "https" : "http";
      String host = shown(config.http().host());
      out.printf("busbar: %s://%s:%d/api/v1%n", scheme, host, http.port());
      door(config.http()).ifPresent(text -> out.printf("busbar: %s%n", text));
      hint(out);
      out.flush();
    } catch (Exception e) {
      vertx.close().await();
      throw e;
    }
    ended.await();
    return node.drained().failed() ? Exit.INTERNAL : Exit.OK;
  }

  /** What an operator should know of who is let in. */
  private static Optional<String> door(HttpGateway.Options http) {
    if (http.dev()) {
      return Optional.of(
          "WARNING: --dev: the door is open, everybody on this machine may do everything");
    } else if (http.credentials().isEmpty()) {
      return Optional.of(
          "nobody is let in over HTTP: there are no keys (`http.auth`), and --dev was not given");
    }
    return Optional.empty();
  }

  private static WasmHost alone(Config config) {
    Vertx vertx = Vertx.vertx();
    try {
      return WasmHost.start(vertx, config).await();
    } catch (RuntimeException e) {
      vertx.close().await();
      throw e;
    }
  }

  private static String shown(Members members) {
    return String.format(
        "cluster %s at %s:%d, nodes: %s",
        members.name(), shown(members.host()), members.port(), String.join(", ", members.names()));
  }

  /** HotSpot never compiles a method over 8,000 bytecodes, unless it is told to. */
  private static void hint(PrintWriter out) {
    HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    if (vm != null && vm.getVMOption(HUGE_METHODS).getValue().equals("true")) {
      out.printf("busbar: large functions run faster with java -XX:-%s%n", HUGE_METHODS);
    }
  }

  private static String shown(String host) {
    return host.contains(":") ? "[" + host + "]" : host;
  }

  private static Throwable cannotListen(HttpGateway.Options http, Throwable e) {
    return e instanceof IOException
        ? Failure.UNAVAILABLE.because(
            "cannot listen on %s:%d: %s", shown(http.host()), http.port(), e.getMessage())
        : e;
  }

  private Config config() {
    Config config = file == null ? Config.standard() : Config.read(file);
    if (data != null) {
      config = config.withData(data);
    }
    config = config.withCluster(clustering(config.cluster()));
    HttpGateway.Options http = config.http();
    return config.withHttp(
        http.at(
                host == null ? http.host() : host,
                port == null ? http.port() : HttpGateway.Options.port(port))
            .withDev(dev));
  }

  private Config.Clustering clustering(Config.Clustering known) {
    Members.Options asked = known.members();
    if (clusterHost != null) {
      asked = asked.withHost(clusterHost);
    }
    if (clusterPort != null) {
      asked = asked.withPort(HttpGateway.Options.port(clusterPort));
    }
    if (join != null) {
      asked = asked.withJoin(join);
    }
    return known.withMembers(asked).withEnabled(cluster || known.enabled());
  }

  /** Of several nodes on one machine, the first has the standard port and the others any. */
  private HttpGateway http(WasmHost node, Config config) {
    HttpGateway.Options http = config.http();
    Future<HttpGateway> opened = open(node, config, http);
    if (port == null && config.cluster().enabled()) {
      opened = opened.recover(e -> open(node, config, http.at(http.host(), 0)));
    }
    return opened.recover(e -> Future.failedFuture(cannotListen(http, e))).await();
  }

  private static Future<HttpGateway> open(WasmHost node, Config config, HttpGateway.Options http) {
    Host.Options host = config.host();
    long bodyBytes = Math.max(host.moduleBytes(), host.sliceBytes());
    return HttpGateway.open(node.vertx(), http, node.bus(), bodyBytes, host.limits().deadline());
  }

  /** SIGTERM, Ctrl-C and a drain that somebody asked for: nothing that was asked is lost. */
  private static void closeWhenTold(
      WasmHost node, HttpGateway http, Config config, CountDownLatch ended) {
    Thread close =
        new Thread(
            () -> {
              close(node, http, ended);
              awaitQuietly(ended, patience(config));
            });
    Runtime.getRuntime().addShutdownHook(close);
    node.drained().onComplete(done -> close(node, http, ended));
  }

  /** Requests are taken until other nodes have all there is; then every instance is stopped. */
  private static void close(WasmHost node, HttpGateway http, CountDownLatch ended) {
    node.leave()
        .onComplete(
            left -> {
              http.drain();
              node.stop()
                  .eventually(http::close)
                  .onComplete(done -> node.vertx().close().onComplete(closed -> ended.countDown()));
            });
  }

  private static Duration patience(Config config) {
    Members.Patience patience = config.cluster().members().patience();
    return config.cluster().enabled()
        ? CLOSE.plus(patience.drain()).plus(patience.linger())
        : CLOSE;
  }

  private static void awaitQuietly(CountDownLatch ended, Duration most) {
    try {
      ended.await(most.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
