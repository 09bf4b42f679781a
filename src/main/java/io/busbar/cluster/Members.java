package io.busbar.cluster;

import com.hazelcast.cluster.Member;
import com.hazelcast.cluster.MembershipEvent;
import com.hazelcast.cluster.MembershipListener;
import com.hazelcast.config.ClassFilter;
import com.hazelcast.config.Config;
import com.hazelcast.config.JavaSerializationFilterConfig;
import com.hazelcast.config.MapConfig;
import com.hazelcast.config.MemberAttributeConfig;
import com.hazelcast.config.MergePolicyConfig;
import com.hazelcast.config.MultiMapConfig;
import com.hazelcast.config.NetworkConfig;
import com.hazelcast.config.TcpIpConfig;
import com.hazelcast.core.HazelcastException;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.core.HazelcastInstanceNotActiveException;
import com.hazelcast.core.LifecycleEvent;
import com.hazelcast.map.IMap;
import com.hazelcast.map.listener.EntryAddedListener;
import com.hazelcast.map.listener.EntryMergedListener;
import com.hazelcast.map.listener.EntryRemovedListener;
import com.hazelcast.map.listener.EntryUpdatedListener;
import com.hazelcast.spi.merge.PutIfAbsentMergePolicy;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.vertx.core.spi.cluster.ClusterManager;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Who is in the cluster, and the maps all of them share: the only class that names Hazelcast. */
public final class Members {
  /**
   * How a node joins.
   *
   * @param node the node's name, another than that of any other member
   * @param cluster only nodes of the same cluster name meet
   * @param host the address the node binds to
   * @param port where it listens; 0 for the first free one of those that are looked for by itself
   * @param join members to look for, {@code host:port}; empty for those on this machine
   * @param serviceDns instead of that, the name whose addresses are members, as Kubernetes has it
   * @param size how many nodes there are meant to be; 0 where that is not known
   * @param patience how long nodes wait for each other
   * @param labels what specs may ask of a node
   */
  public record Options(
      String node,
      String cluster,
      String host,
      int port,
      List<String> join,
      Optional<String> serviceDns,
      int size,
      Patience patience,
      Map<String, String> labels) {
    public Options {
      Names.check("node", node);
      Names.check("cluster name", cluster);
      join = List.copyOf(join);
      labels = Map.copyOf(labels);
      if (serviceDns.isPresent() && !join.isEmpty()) {
        throw Failure.BAD_REQUEST.because(
            "`join` %s and `kubernetes.serviceDns` `%s`: only one of them can say where members are",
            Names.shown(join.toString()), Names.shown(serviceDns.get()));
      }
    }

    public Options withPatience(Patience patience) {
      return new Options(node, cluster, host, port, join, serviceDns, size, patience, labels);
    }

    public Options withNode(String node) {
      return new Options(node, cluster, host, port, join, serviceDns, size, patience, labels);
    }

    public Options withHost(String host) {
      return new Options(node, cluster, host, port, join, serviceDns, size, patience, labels);
    }

    public Options withPort(int port) {
      return new Options(node, cluster, host, port, join, serviceDns, size, patience, labels);
    }

    public Options withJoin(List<String> join) {
      return new Options(node, cluster, host, port, join, serviceDns, size, patience, labels);
    }

    public Options withLabels(Map<String, String> labels) {
      return new Options(node, cluster, host, port, join, serviceDns, size, patience, labels);
    }
  }

  /**
   * How long nodes wait for each other.
   *
   * @param suspect how long one may be silent before nothing is sent there any more
   * @param linger how long what was sent to one that leaves may still be on its way
   * @param drain how long one that leaves waits for what its instances were asked
   */
  public record Patience(Duration suspect, Duration linger, Duration drain) {
    public static final Patience STANDARD =
        new Patience(Duration.ofMillis(750), Duration.ofSeconds(2), Duration.ofSeconds(30));

    public Patience withSuspect(Duration suspect) {
      return new Patience(suspect, linger, drain);
    }

    public Patience withLinger(Duration linger) {
      return new Patience(suspect, linger, drain);
    }

    public Patience withDrain(Duration drain) {
      return new Patience(suspect, linger, drain);
    }
  }

  private static final int FIRST_PORT = 5701;
  private static final int PORTS = 8;
  private static final String NODE = "busbar.node";
  private static final String LABEL = "busbar.label.";
  private static final int BACKUPS = 2;

  /** What differs from Hazelcast's own settings, and why. */
  private static final Map<String, String> SETTINGS =
      Map.ofEntries(
          // nothing is sent to its makers
          Map.entry("hazelcast.phone.home.enabled", "false"),
          // else it listens on all interfaces, whichever is named
          Map.entry("hazelcast.socket.bind.any", "false"),
          // one log for all; Vert.x closes it, in its own order
          Map.entry("hazelcast.logging.type", "jdk"),
          Map.entry("hazelcast.shutdownhook.enabled", "false"),
          // a member that is silent is dead after 4 s, not 60: its instances wait for that
          Map.entry("hazelcast.heartbeat.interval.seconds", "1"),
          Map.entry("hazelcast.max.no.heartbeat.seconds", "4"),
          // a cluster that was cut looks every 5 s whether it can be whole again, not every 120
          Map.entry("hazelcast.merge.first.run.delay.seconds", "5"),
          Map.entry("hazelcast.merge.next.run.delay.seconds", "5"),
          // members are told, not awaited
          Map.entry("hazelcast.wait.seconds.before.join", "0"),
          // a member that leaves hands its part of the maps over, but not for 600 s
          Map.entry("hazelcast.graceful.shutdown.max.wait", "30"),
          // what a map does not answer within 15 s fails, and does not hold a thread for 60
          Map.entry("hazelcast.operation.call.timeout.millis", "15000"));

  /** It tells each step of its own at the level of what matters; held, or the level is lost. */
  private static final Logger HAZELCAST = Logger.getLogger("com.hazelcast");

  private final Options options;
  private final HazelcastClusterManager manager;
  private HazelcastInstance hazelcast;
  private volatile Map<String, Map<String, String>> nodes = Map.of(); // with their labels

  public Members(Options options) {
    if (HAZELCAST.getLevel() == null) {
      HAZELCAST.setLevel(Level.WARNING);
    }
    this.options = options;
    this.manager = new HazelcastClusterManager(config(options));
  }

  private static Config config(Options options) {
    Config config = new Config();
    config.setClusterName(options.cluster);
    SETTINGS.forEach(config::setProperty);
    attributes(config.getMemberAttributeConfig(), options);
    network(config.getNetworkConfig(), options);
    config.getSerializationConfig().setJavaSerializationFilterConfig(filter());
    config.addMultiMapConfig(
        new MultiMapConfig("__vertx.subs")
            .setBackupCount(BACKUPS)
            .setValueCollectionType(MultiMapConfig.ValueCollectionType.SET));
    config.addMapConfig(
        new MapConfig("busbar.*")
            .setBackupCount(BACKUPS)
            .setReadBackupData(true)
            .setMergePolicyConfig(
                new MergePolicyConfig(PutIfAbsentMergePolicy.class.getName(), 100)));
    return config;
  }

  private static void attributes(MemberAttributeConfig attributes, Options options) {
    attributes.setAttribute(NODE, options.node);
    options.labels.forEach((name, value) -> attributes.setAttribute(LABEL + name, value));
  }

  private static void network(NetworkConfig network, Options options) {
    int port = options.port == 0 ? FIRST_PORT : options.port;
    network.setPort(port).setPortAutoIncrement(options.port == 0).setPortCount(PORTS);
    network.getInterfaces().setEnabled(true).addInterface(options.host);
    network.getJoin().getAutoDetectionConfig().setEnabled(false);
    network.getJoin().getMulticastConfig().setEnabled(false);
    if (options.serviceDns.isPresent()) {
      network
          .getJoin()
          .getKubernetesConfig()
          .setEnabled(true)
          .setProperty("service-dns", options.serviceDns.get())
          .setProperty("service-port", String.valueOf(port));
    } else {
      list(network.getJoin().getTcpIpConfig().setEnabled(true), options);
    }
  }

  private static void list(TcpIpConfig members, Options options) {
    members.setConnectionTimeoutSeconds(2);
    if (options.join.isEmpty()) {
      for (int i = 0; i < PORTS; i++) {
        members.addMember(options.host + ":" + (FIRST_PORT + i));
      }
    } else {
      options.join.forEach(members::addMember);
    }
  }

  /**
   * What of Java's own serialisation is read: the classes of the cluster and of the JDK, whose
   * exceptions travel so. An answer that is not read would be waited for in vain.
   */
  private static JavaSerializationFilterConfig filter() {
    ClassFilter allowed =
        new ClassFilter().addPrefixes("com.hazelcast.", "io.vertx.", "java.", "javax.", "[");
    ClassFilter denied = new ClassFilter().addPrefixes("java.rmi.", "javax.management.");
    return new JavaSerializationFilterConfig()
        .setDefaultsDisabled(true)
        .setWhitelist(allowed)
        .setBlacklist(denied);
  }

  /** What makes a Vert.x a clustered one. */
  public ClusterManager manager() {
    return manager;
  }

  /**
   * Once that Vert.x is there.
   *
   * @throws io.busbar.model.WasmException {@code CONFLICT} where a member has the same name
   */
  public void joined() {
    hazelcast = manager.getHazelcastInstance();
    for (Member member : hazelcast.getCluster().getMembers()) {
      if (!member.localMember() && options.node.equals(member.getAttribute(NODE))) {
        throw Failure.CONFLICT.because("node `%s` is in the cluster already", options.node);
      }
    }
    look();
  }

  private void look() {
    Map<String, Map<String, String>> seen = new HashMap<>();
    for (Member member : hazelcast.getCluster().getMembers()) {
      name(member).ifPresent(name -> seen.put(name, labels(member)));
    }
    nodes = Map.copyOf(seen);
  }

  private static Optional<String> name(Member member) {
    return Optional.ofNullable(member.getAttribute(NODE));
  }

  private static Map<String, String> labels(Member member) {
    Map<String, String> labels = new LinkedHashMap<>();
    member
        .getAttributes()
        .forEach(
            (key, value) -> {
              if (key.startsWith(LABEL)) {
                labels.put(key.substring(LABEL.length()), value);
              }
            });
    return labels;
  }

  public String self() {
    return options.node;
  }

  /** How many nodes there are meant to be; 0: not said. */
  int size() {
    return options.size;
  }

  Patience patience() {
    return options.patience;
  }

  /** The cluster's name. */
  public String name() {
    return options.cluster;
  }

  public String host() {
    return options.host;
  }

  /** Where this member listens. */
  public int port() {
    return hazelcast.getCluster().getLocalMember().getAddress().getPort();
  }

  /** All nodes with their labels, this one included. */
  Map<String, Map<String, String>> nodes() {
    return nodes;
  }

  /**
   * From now on told of what happens, on threads that must not be kept.
   *
   * @param changed a member has come or gone, or a cluster that was cut is whole again
   * @param lost this node is gone
   * @param ended this member is no more
   */
  void onChange(Runnable changed, Consumer<String> lost, Runnable ended) {
    hazelcast.getCluster().addMembershipListener(new Listener(changed, lost));
    hazelcast
        .getLifecycleService()
        .addLifecycleListener(
            event -> {
              if (event.getState() == LifecycleEvent.LifecycleState.MERGED) {
                look();
                changed.run();
              } else if (event.getState() == LifecycleEvent.LifecycleState.SHUTDOWN) {
                ended.run();
              }
            });
    look();
  }

  private final class Listener implements MembershipListener {
    private final Runnable changed;
    private final Consumer<String> lost;

    Listener(Runnable changed, Consumer<String> lost) {
      this.changed = changed;
      this.lost = lost;
    }

    @Override
    public void memberAdded(MembershipEvent event) {
      look();
      changed.run();
    }

    @Override
    public void memberRemoved(MembershipEvent event) {
      look();
      name(event.getMember()).filter(name -> !nodes.containsKey(name)).ifPresent(lost);
      changed.run();
    }
  }

  /** A map of all members; its methods block, and fail with {@code UNAVAILABLE}. */
  static final class Shared<V> {
    private final IMap<String, V> map;

    private Shared(IMap<String, V> map) {
      this.map = map;
    }

    V get(String key) {
      return reached(() -> map.get(key));
    }

    /** Null if it is there now, else what was there. */
    V putIfAbsent(String key, V value) {
      return reached(() -> map.putIfAbsent(key, value));
    }

    void put(String key, V value) {
      reached(
          () -> {
            map.set(key, value);
            return null;
          });
    }

    boolean replace(String key, V expected, V value) {
      return reached(() -> map.replace(key, expected, value));
    }

    boolean remove(String key, V expected) {
      return reached(() -> map.remove(key, expected));
    }

    /** Removes it; what was there, null if nothing was. */
    V take(String key) {
      return reached(() -> map.remove(key));
    }

    void remove(String key) {
      reached(
          () -> {
            map.delete(key);
            return null;
          });
    }

    boolean has(String key) {
      return reached(() -> map.containsKey(key));
    }

    Map<String, V> all() {
      return reached(() -> map.getAll(map.keySet()));
    }

    /** From now on told each key with its new value, null where it is gone. */
    void onChange(BiConsumer<String, V> changed) {
      map.addEntryListener(
          (EntryAddedListener<String, V>) e -> changed.accept(e.getKey(), e.getValue()), true);
      map.addEntryListener(
          (EntryUpdatedListener<String, V>) e -> changed.accept(e.getKey(), e.getValue()), true);
      map.addEntryListener(
          (EntryMergedListener<String, V>) e -> changed.accept(e.getKey(), e.getValue()), true);
      map.addEntryListener(
          (EntryRemovedListener<String, V>) e -> changed.accept(e.getKey(), null), true);
    }

    private static <T> T reached(Supplier<T> operation) {
      try {
        return operation.get();
      } catch (HazelcastInstanceNotActiveException e) {
        throw Failure.UNAVAILABLE.because("this node has left the cluster");
      } catch (HazelcastException e) {
        throw Failure.UNAVAILABLE.because("the cluster cannot be reached: %s", e.getMessage());
      }
    }
  }

  /** The shared map of this name. */
  <V> Shared<V> shared(String name) {
    return new Shared<>(hazelcast.getMap("busbar." + name));
  }

  /** The names of all nodes, this one included. */
  public Set<String> names() {
    return nodes.keySet();
  }
}
