package io.busbar;

import io.busbar.client.Bus;
import io.busbar.client.WasmClient;
import io.busbar.gateway.HttpGateway;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Some nodes of one cluster in this JVM, which see each other: {@code n0}, {@code n1}, … */
public final class TestCluster implements AutoCloseable {
  private final String name = "test-" + UUID.randomUUID();
  private final Consumer<JsonObject> change;
  private final JsonArray join = new JsonArray();
  private final Supplier<VertxOptions> options;
  private final List<WasmHost> nodes = new ArrayList<>();
  private final Set<Integer> gone = new TreeSet<>(); // nodes that were closed
  private final List<Integer> ports = new ArrayList<>();

  private TestCluster(int size, Consumer<JsonObject> change, Supplier<VertxOptions> options) {
    this.change = change;
    this.options = options;
    for (int i = 0; i < size; i++) {
      ports.add(freePort());
      join.add("127.0.0.1:" + ports.get(i));
    }
  }

  /**
   * Of nodes {@code n0}, {@code n1}, … labelled {@code zone}: {@code z0}, … and {@code odd}: {@code
   * yes} but for the first.
   */
  public static TestCluster of(int size) {
    return of(size, config -> {});
  }

  /** The same with this change to the settings of each node. */
  public static TestCluster of(int size, Consumer<JsonObject> change) {
    return of(size, change, VertxOptions::new);
  }

  /** The same, each on a Vert.x of such options. */
  public static TestCluster of(
      int size, Consumer<JsonObject> change, Supplier<VertxOptions> options) {
    TestCluster cluster = new TestCluster(size, change, options);
    for (int i = 0; i < size; i++) {
      cluster.nodes.add(cluster.start(i));
    }
    cluster.awaitNodes(size);
    return cluster;
  }

  private WasmHost start(int node) {
    return WasmHost.clustered(options.get(), config(node)).await();
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Config config(int node) {
    return config("n" + node, ports.get(node), labels(node));
  }

  /** The settings of a further node, for one in a process of its own. */
  public JsonObject settings(String node) {
    return settings(node, freePort(), new JsonObject());
  }

  private Config config(String node, int port, JsonObject labels) {
    return Config.from(settings(node, port, labels));
  }

  private JsonObject settings(String node, int port, JsonObject labels) {
    JsonObject cluster =
        new JsonObject()
            .put("enabled", true)
            .put("name", name)
            .put("port", port)
            .put("join", join)
            .put("lingerMillis", 50)
            .put("suspectMillis", 5000) // one JVM on a busy machine stands still now and then
            .put("labels", labels);
    JsonObject config = new JsonObject().put("node", node).put("cluster", cluster);
    change.accept(config);
    return config;
  }

  private static JsonObject labels(int node) {
    return new JsonObject().put("zone", "z" + node).put("odd", node > 0 ? "yes" : "no");
  }

  /** Closes one node; the others go on. */
  public void close(int node) {
    closing(node).await();
  }

  /** The same, not awaited. */
  public Future<Void> closing(int node) {
    gone.add(node);
    return node(node).close();
  }

  /** Closes all nodes at once. */
  public void closeTogether() {
    Future.all(IntStream.range(0, nodes.size()).mapToObj(this::closing).toList()).await();
  }

  /** What a further node would be started with. */
  public Config further(String name) {
    return config(name, freePort(), new JsonObject());
  }

  /** Takes a node out of the cluster at once: for the others it is as if it had been killed. */
  public void cut(int node) {
    HazelcastClusterManager manager =
        (HazelcastClusterManager) ((VertxInternal) vertx(node)).clusterManager();
    manager.getHazelcastInstance().getLifecycleService().terminate();
  }

  /** Until each that is left knows that there are so many, all open. */
  public void awaitNodes(int size) {
    IntStream.range(0, nodes.size())
        .filter(node -> !gone.contains(node))
        .forEach(node -> await(node(node), size));
  }

  /**
   * For the next test: each node that was closed is back, and there is no instance. Not where one
   * was cut.
   */
  public void renew() {
    awaitNodes(nodes.size() - gone.size());
    for (int node : gone) {
      node(node).close().await();
      nodes.set(node, start(node));
    }
    gone.clear();
    awaitNodes(nodes.size());
    Until.isTrue(this::isEmptied);
  }

  private boolean isEmptied() {
    List<String> ids =
        client(0).instances().await().stream()
            .map(about -> about.getString("id"))
            .distinct()
            .toList();
    ids.forEach(id -> client(0).instance(id).stop().otherwiseEmpty().await());
    return ids.isEmpty();
  }

  private static void await(WasmHost node, int size) {
    Until.isTrue(
        () -> {
          List<JsonObject> seen = node.client().nodes().await();
          return seen.size() == size && seen.stream().allMatch(n -> n.getBoolean("open"));
        });
  }

  public WasmHost node(int index) {
    return nodes.get(index);
  }

  /** A client that knows where instances live. */
  public WasmClient client(int index) {
    return node(index).client();
  }

  public Vertx vertx(int index) {
    return node(index).vertx();
  }

  /** The same, for who asks in the name of others. */
  public Bus bus(int index) {
    return node(index).bus();
  }

  /** HTTP of one node, on a free port. */
  public HttpGateway http(int index) {
    HttpGateway.Options anywhere = HttpGateway.Options.dev("127.0.0.1", 0);
    return HttpGateway.open(
            vertx(index), anywhere, node(index).bus(), 1 << 20, Duration.ofMinutes(1))
        .await();
  }

  /** A client that only knows the bus. */
  public WasmClient stranger(int index) {
    return WasmClient.create(vertx(index));
  }

  @Override
  public void close() {
    Future.join(nodes.stream().map(WasmHost::close).toList()).await();
  }
}
