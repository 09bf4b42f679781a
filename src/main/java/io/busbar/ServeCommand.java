package io.busbar;

import com.sun.management.HotSpotDiagnosticMXBean;
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
    description = "Runs a node: its bus addresses, and HTTP on loopback.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  private static final long CLOSE_SECONDS = 10;
  private static final String HUGE_METHODS = "DontCompileHugeMethods";

  @Spec private CommandSpec spec;

  @Option(names = "--host", paramLabel = "H", description = "A loopback address.")
  private String host;

  @Option(names = "--port", paramLabel = "P", description = "0 for any free one. Default: 8080.")
  private Integer port;

  @Option(names = "--data", paramLabel = "DIR", description = "Keeps modules there.")
  private Path data;

  @Option(names = "--config", paramLabel = "F", description = "Settings as JSON.")
  private Path file;

  @Override
  public Integer call() throws Exception {
    Config config;
    try {
      config = config();
    } catch (WasmException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    Vertx vertx = Vertx.vertx();
    CountDownLatch ended = new CountDownLatch(1);
    try {
      WasmHost node = WasmHost.start(vertx, config).await();
      HttpGateway http = http(vertx, config);
      closeOnSignal(vertx, node, http, ended);
      PrintWriter out = spec.commandLine().getOut();
      out.printf("busbar: node %s%n", node.node());
      out.printf("busbar: http://%s:%d/api/v1%n", shown(config.http().host()), http.port());
      hint(out);
      out.flush();
    } catch (Exception e) {
      vertx.close().await();
      throw e;
    }
    ended.await();
    return Exit.OK;
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
    HttpGateway.Options http = config.http();
    return config.withHttp(
        new HttpGateway.Options(
            host == null ? http.host() : host,
            port == null ? http.port() : HttpGateway.Options.port(port)));
  }

  private static HttpGateway http(Vertx vertx, Config config) {
    Host.Options host = config.host();
    long bodyBytes = Math.max(host.moduleBytes(), host.sliceBytes());
    return HttpGateway.open(
            vertx, config.http(), host.addresses(), bodyBytes, host.limits().deadline())
        .recover(e -> Future.failedFuture(cannotListen(config.http(), e)))
        .await();
  }

  /** SIGTERM and Ctrl-C: no new requests, every instance stopped with its calls answered. */
  private static void closeOnSignal(
      Vertx vertx, WasmHost node, HttpGateway http, CountDownLatch ended) {
    Thread close =
        new Thread(
            () -> {
              http.drain();
              node.close()
                  .eventually(http::close)
                  .eventually(vertx::close)
                  .onComplete(done -> ended.countDown());
              awaitQuietly(ended);
            });
    Runtime.getRuntime().addShutdownHook(close);
  }

  private static void awaitQuietly(CountDownLatch ended) {
    try {
      ended.await(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
