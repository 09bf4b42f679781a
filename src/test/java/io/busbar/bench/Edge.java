package io.busbar.bench;

import io.busbar.Config;
import io.busbar.WasmHost;
import io.busbar.gateway.HttpGateway;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A node with a gateway, and beside it a bare server that sends back what it gets, in a JVM of its
 * own, which ends with the one that started it.
 */
final class Edge {
  private final Process process;
  final int gateway;
  final int echo;

  private Edge(Process process, int gateway, int echo) {
    this.process = process;
    this.gateway = gateway;
    this.echo = echo;
  }

  /** With these settings of a node; done when both can be asked. */
  static Edge start(JsonObject config) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Edge.class.getName(), config.encode()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String line = process.inputReader().readLine();
    if (line == null || !line.startsWith("ready ")) {
      process.destroyForcibly();
      throw new IOException("a node did not start: " + line);
    }
    String[] words = line.split(" ");
    return new Edge(process, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
  }

  void kill() {
    process.destroyForcibly();
  }

  /** Serves until nobody holds the other end of its standard input. */
  public static void main(String[] args) throws IOException {
    Config config = Config.from(new JsonObject(args[0]));
    WasmHost host =
        config.cluster().enabled()
            ? WasmHost.clustered(config).await()
            : WasmHost.start(Vertx.vertx(), config).await();
    HttpGateway gateway =
        HttpGateway.open(
                host.vertx(),
                config.http().at("127.0.0.1", 0).withDev(!args[0].contains("\"keys\"")),
                host.bus(),
                1 << 20,
                Duration.ofMinutes(1))
            .await();
    System.out.printf("ready %d %d%n", gateway.port(), echo(host.vertx()).actualPort());
    while (System.in.read() >= 0) {
      // whoever started it lives
    }
    Runtime.getRuntime().halt(0);
  }

  /**
   * Below {@code /worker} what comes takes the way over a worker thread, as what guests do must.
   */
  private static HttpServer echo(Vertx vertx) {
    return vertx
        .createHttpServer(
            new HttpServerOptions()
                .setHost("127.0.0.1")
                .setPort(0)
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false))
        .webSocketHandler(
            socket ->
                socket.textMessageHandler(
                    text -> on(vertx, socket.path(), text).onSuccess(socket::writeTextMessage)))
        .requestHandler(
            request ->
                request
                    .body()
                    .compose(body -> on(vertx, request.path(), body))
                    .onSuccess(
                        body ->
                            request
                                .response()
                                .putHeader("Content-Type", "application/json")
                                .end(body)))
        .listen()
        .await();
  }

  private static <T> Future<T> on(Vertx vertx, String path, T what) {
    return path.equals("/worker")
        ? vertx.executeBlocking(() -> what, false)
        : Future.succeededFuture(what);
  }
}
