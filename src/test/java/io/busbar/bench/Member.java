package io.busbar.bench;

import io.busbar.Config;
import io.busbar.WasmHost;
import io.busbar.wire.Addresses;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A node of a cluster in a JVM of its own, which ends with the one that started it.
 *
 * <p>At {@code bench.<node>.…} it answers what those that measure ask: {@code echo}, the same by
 * {@code executeBlocking}, both on the event loop that takes what the node is asked; the thread
 * that took what came last for an address; how much heap it keeps; and where it believes each
 * instance to be.
 */
final class Member {
  private static final String READY = "ready";

  private final Process process;

  private Member(Process process) {
    this.process = process;
  }

  /** The settings of so many nodes that meet: {@code n0}, {@code n1}, … */
  static List<JsonObject> configs(int size) {
    String name = "bench-" + UUID.randomUUID();
    JsonArray join = new JsonArray();
    List<JsonObject> configs = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      int port = freePort();
      join.add("127.0.0.1:" + port);
      JsonObject cluster =
          new JsonObject()
              .put("enabled", true)
              .put("name", name)
              .put("port", port)
              .put("suspectMillis", 5000); // it measures work, on machines that stand still
      configs.add(new JsonObject().put("node", "n" + i).put("cluster", cluster.put("join", join)));
    }
    return configs;
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A node of this JVM. */
  static WasmHost here(JsonObject config) {
    return WasmHost.clustered(Config.from(config)).await();
  }

  /** A node in another JVM, of the same options as this one; done when it is there. */
  static Member start(JsonObject config) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Member.class.getName(), config.encode()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String line = process.inputReader().readLine();
    if (!READY.equals(line)) {
      process.destroyForcibly();
      throw new IOException("a member did not start: " + line);
    }
    return new Member(process);
  }

  /** The address at which it answers such a question. */
  static String address(String node, String question) {
    return "bench." + node + "." + question;
  }

  /** As {@code kill -9} does. */
  void kill() {
    process.destroyForcibly();
  }

  /** Runs a node with these settings until nobody holds the other end of its standard input. */
  public static void main(String[] args) throws IOException {
    WasmHost host = here(new JsonObject(args[0]));
    answer(host).await();
    System.out.println(READY);
    while (System.in.read() >= 0) {
      // whoever started it lives
    }
    Runtime.getRuntime().halt(0);
  }

  /** Opens the addresses of a node of this JVM. */
  static Future<?> answer(WasmHost host) {
    Vertx vertx = host.vertx();
    String node = host.node();
    Map<String, String> threads = new ConcurrentHashMap<>();
    vertx
        .eventBus()
        .addInboundInterceptor(
            delivery -> {
              threads.put(delivery.message().address(), Thread.currentThread().getName());
              delivery.next();
            });
    return vertx
        .eventBus()
        .request(Addresses.STANDARD.node(node), new JsonObject(), action("node"))
        .compose(asked -> on(vertx, threads.get(Addresses.STANDARD.node(node))))
        .compose(
            context ->
                Future.all(
                    consume(context, node, "echo", m -> Future.succeededFuture(m.body())),
                    consume(context, node, "blocking", m -> vertx.executeBlocking(m::body, false)),
                    consume(context, node, "thread", m -> thread(vertx, threads, m.body())),
                    consume(context, node, "heap", m -> vertx.executeBlocking(Member::heapNow)),
                    consume(context, node, "owners", m -> owners(host))));
  }

  static DeliveryOptions action(String action) {
    return new DeliveryOptions().addHeader("action", action);
  }

  /** A context of the event loop whose thread has this name. */
  private static Future<Context> on(Vertx vertx, String thread) {
    Context context = ((VertxInternal) vertx).createEventLoopContext();
    Promise<String> name = Promise.promise();
    context.runOnContext(run -> name.complete(Thread.currentThread().getName()));
    return name.future()
        .compose(
            found -> found.equals(thread) ? Future.succeededFuture(context) : on(vertx, thread));
  }

  /** Whatever is opened next is on another event loop than it would have been. */
  private static Future<JsonObject> thread(
      Vertx vertx, Map<String, String> threads, JsonObject question) {
    ((VertxInternal) vertx).createEventLoopContext();
    String name = threads.get(question.getString("address"));
    return Future.succeededFuture(new JsonObject().put("thread", name));
  }

  private interface Answers {
    Future<JsonObject> of(Message<JsonObject> question);
  }

  private static Future<Void> consume(
      Context context, String node, String question, Answers answers) {
    Promise<Void> listening = Promise.promise();
    context.runOnContext(
        run ->
            context
                .owner()
                .eventBus()
                .<JsonObject>consumer(
                    address(node, question), m -> answers.of(m).onSuccess(m::reply))
                .completion()
                .onComplete(listening));
    return listening.future();
  }

  /** How many instances it sees, and a number that is the same where their owners are. */
  private static Future<JsonObject> owners(WasmHost host) {
    return host.client()
        .instances()
        .map(
            instances -> {
              Map<String, String> owners = new TreeMap<>();
              instances.forEach(i -> owners.put(i.getString("id"), i.getString("node")));
              return new JsonObject()
                  .put("instances", owners.size())
                  .put("hash", owners.hashCode());
            });
  }

  private static JsonObject heapNow() {
    return new JsonObject().put("bytes", heap());
  }

  /** What the heap retains, in bytes. */
  static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
