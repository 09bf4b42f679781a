package io.busbar;

import io.busbar.cluster.Members;
import io.busbar.engine.Compiler;
import io.busbar.engine.admission.Admission;
import io.busbar.engine.admission.ModuleLimit;
import io.busbar.gateway.HttpGateway;
import io.busbar.host.Host;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.Names;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * All settings of a node, and the only place that knows their keys; see {@code conf/busbar.json}.
 *
 * @param data the folder for modules; none: they are kept in memory
 * @param cluster whether and how it meets other nodes
 */
public record Config(
    Host.Options host,
    Compiler.Options compiler,
    Optional<Path> data,
    HttpGateway.Options http,
    Clustering cluster) {

  /**
   * Whether a node is one of several, and how it meets the others.
   *
   * @param enabled false: it is alone
   * @param busPort where it takes messages of the others; 0 for any free port
   * @param tls by which it knows the others on the bus; none: it takes messages of anyone
   */
  public record Clustering(
      boolean enabled, Members.Options members, int busPort, Optional<Tls> tls) {
    public Clustering withEnabled(boolean enabled) {
      return new Clustering(enabled, members, busPort, tls);
    }

    public Clustering withMembers(Members.Options members) {
      return new Clustering(enabled, members, busPort, tls);
    }
  }

  /** KiB: less would leave no room for what answers a guest's imports. */
  private static final long LEAST_STACK = 1024;

  /** Of the heap, for what guests hold; the rest is for modules, messages and the node itself. */
  private static final double HEAP_SHARE = 0.6;

  /** Of the heap, for what waits to be done: one part of so many. */
  private static final long MESSAGE_SHARE = 8;

  private static final long TENANT_BYTES = 256L << 20;

  private static final int MOST_INSTANCES = 10_000_000;

  /** What can be said of all users, and of one. */
  private static final Set<String> TENANT =
      Set.of("instances", "memoryBytes", "callsPerSecond", "fuelPerMinute");

  private static final Set<String> SECTIONS =
      Set.of(
          "node",
          "data",
          "bus",
          "limits",
          "memory",
          "instances",
          "tenants",
          "modules",
          "messages",
          "wasi",
          "engine",
          "workers",
          "http",
          "cluster");

  private static final String[] CLUSTER = {
    "enabled",
    "name",
    "host",
    "port",
    "busPort",
    "join",
    "kubernetes",
    "size",
    "suspectMillis",
    "lingerMillis",
    "drainMillis",
    "tls",
    "labels"
  };

  private static final int MOST_NODES = 1000;
  private static final long LONGEST_WAIT = 600_000; // milliseconds
  private static final Pattern DNS = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})");

  /** Those of the section {@code modules} that are no {@link ModuleLimit}. */
  private static final Set<String> MODULES = Set.of("maxBytes", "parseBytes", "parseQueue");

  /** The settings where nothing is said: one node, in memory, on loopback. */
  public static Config standard() {
    return from(new JsonObject());
  }

  /** From a file of JSON; fails with {@code BAD_REQUEST}, naming the file or the key. */
  public static Config read(Path file) {
    try {
      return from(new JsonObject(Files.readString(file)));
    } catch (IOException e) {
      throw Failure.BAD_REQUEST.because("cannot read %s: %s", file, e);
    } catch (DecodeException e) {
      throw Failure.BAD_REQUEST.because("%s is not JSON: %s", file, Names.shown(e.getMessage()));
    }
  }

  /** From JSON; an unknown key is an error. */
  public static Config from(JsonObject json) {
    Body root = Body.of(json);
    known("", root, SECTIONS);
    Host.Options host = host(root);
    return new Config(
        host,
        compiler(
            section(root, "engine", "machine", "inlineBytes", "idleBytes"), root.object("modules")),
        root.optionalString("data").map(data -> path("data", data)),
        HttpConfig.from(root),
        cluster(host, root));
  }

  static Path path(String key, String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw Failure.BAD_REQUEST.because("`%s` is not a path: `%s`", key, Names.shown(text));
    }
  }

  static Body section(Body root, String name, String... keys) {
    Body section = root.object(name);
    known(name + ".", section, Set.of(keys));
    return section;
  }

  static List<String> strings(Body section, String key) {
    return section.list(key).stream().map(String::valueOf).toList();
  }

  static void known(String path, Body section, String... keys) {
    known(path, section, Set.of(keys));
  }

  private static void known(String path, Body section, Set<String> keys) {
    for (String key : section.fields().keySet()) {
      if (!keys.contains(key)) {
        throw Failure.BAD_REQUEST.because("unknown setting `%s%s`", path, Names.shown(key));
      }
    }
  }

  private static Host.Options host(Body root) {
    Body bus = section(root, "bus", "prefix", "instanceAddresses", "from");
    Body messages = section(root, "messages", "maxSliceBytes", "maxCalls", "maxQueuedBytes");
    Body workers = section(root, "workers", "rights", "threads", "lost");
    return new Host.Options(
        Names.check("node", root.optionalString("node").orElseGet(Config::someNode)),
        new Addresses(bus.optionalString("prefix").orElse("wasm")),
        limits(root.object("limits")),
        bus.optionalBoolean("instanceAddresses").orElse(true),
        denied(bus.object("from")),
        number(workers, "rights", Math.max(2, Runtime.getRuntime().availableProcessors()), 1024),
        number(workers, "threads", 256, 32_767),
        number(workers, "lost", 4, 32_767),
        number(root.object("modules"), "maxBytes", 8 << 20, 1 << 30),
        number(messages, "maxSliceBytes", 4 << 20, 1 << 30),
        number(messages, "maxCalls", 1000, 1_000_000),
        roots(section(root, "wasi", "roots")),
        quota(root),
        labels(clusterSection(root).object("labels")));
  }

  private static Host.Quota quota(Body root) {
    Body memory = section(root, "memory", "heapShare", "maxBytes");
    Body instances = section(root, "instances", "max");
    Host.Share all =
        new Host.Share(memoryBytes(memory), number(instances, "max", 100_000, MOST_INSTANCES));
    Host.Share user = share(tenants(root), new Host.Share(TENANT_BYTES, 1000));
    Map<String, Host.Share> users = new LinkedHashMap<>();
    tenantsOf(root).forEach((name, tenant) -> users.put(name, share(tenant, user)));
    return new Host.Quota(all, user, users, messageBytes(root.object("messages")));
  }

  /** What is said of each user. */
  static Body tenants(Body root) {
    Body tenants = root.object("tenants");
    Set<String> keys = new HashSet<>(TENANT);
    keys.add("of");
    known("tenants.", tenants, keys);
    return tenants;
  }

  /** What is said of single users. */
  static Map<String, Body> tenantsOf(Body root) {
    Body all = tenants(root).object("of");
    Map<String, Body> tenants = new LinkedHashMap<>();
    for (String name : all.fields().keySet()) {
      Body tenant = all.object(name);
      known("tenants.of." + Names.shown(name) + ".", tenant, TENANT);
      tenants.put(name, tenant);
    }
    return tenants;
  }

  private static Host.Share share(Body tenant, Host.Share standard) {
    return new Host.Share(
        number(tenant, "memoryBytes", standard.bytes(), Long.MAX_VALUE),
        number(tenant, "instances", standard.instances(), MOST_INSTANCES));
  }

  private static long messageBytes(Body messages) {
    long heap = Runtime.getRuntime().maxMemory();
    return number(messages, "maxQueuedBytes", heap / MESSAGE_SHARE, heap);
  }

  /** An absolute number, or a share of the heap. */
  private static long memoryBytes(Body memory) {
    long heap = Runtime.getRuntime().maxMemory();
    double share = memory.optionalNumber("heapShare").orElse(HEAP_SHARE);
    if (!(share > 0 && share <= 1)) {
      throw Failure.BAD_REQUEST.because(
          "`memory.heapShare` must be more than 0 and at most 1, not %s", share);
    }
    return number(memory, "maxBytes", (long) (heap * share), heap);
  }

  private static List<Path> roots(Body wasi) {
    return wasi.list("roots").stream().map(root -> Path.of(String.valueOf(root))).toList();
  }

  private static String someNode() {
    return "node-" + UUID.randomUUID().toString().substring(0, 8);
  }

  private static List<String> denied(Body from) {
    known("bus.from.", from, Set.of("deny"));
    return strings(from, "deny");
  }

  private static Limits limits(Body section) {
    Limits limits = Limits.STANDARD;
    for (String key : section.fields().keySet()) {
      Limit limit =
          Limit.of(key)
              .orElseThrow(
                  () ->
                      Failure.BAD_REQUEST.because("unknown setting `limits.%s`", Names.shown(key)));
      limits = limits.with(limit, section.whole(key));
    }
    if (limits.get(Limit.STACK) < LEAST_STACK) {
      throw Failure.BAD_REQUEST.because(
          "`limits.stack` must be at least %d, not %d", LEAST_STACK, limits.get(Limit.STACK));
    }
    return limits;
  }

  static int number(Body section, String key, int standard, int most) {
    return (int) number(section, key, (long) standard, most);
  }

  static long number(Body section, String key, long standard, long most) {
    if (!section.has(key)) {
      return standard;
    }
    return within(section, key, 1, most);
  }

  static long within(Body section, String key, long least, long most) {
    long value = section.whole(key);
    if (value < least || value > most) {
      throw Failure.BAD_REQUEST.because("`%s` must be %d to %d, not %d", key, least, most, value);
    }
    return value;
  }

  private static Compiler.Options compiler(Body engine, Body modules) {
    Compiler.Options standard = Compiler.Options.STANDARD;
    return new Compiler.Options(
        engine.optionalString("machine").map(Config::mode).orElse(standard.mode()),
        number(engine, "inlineBytes", standard.inlineBytes(), 1 << 30),
        number(engine, "idleBytes", Math.toIntExact(standard.idleBytes()), Integer.MAX_VALUE),
        number(modules, "parseBytes", standard.parseBytes(), 1L << 40),
        number(modules, "parseQueue", standard.parseQueue(), 1_000_000),
        admission(modules));
  }

  private static Admission.Options admission(Body modules) {
    Admission.Options options = Admission.Options.STANDARD;
    for (String key : modules.fields().keySet()) {
      if (MODULES.contains(key)) {
        continue;
      }
      ModuleLimit limit =
          ModuleLimit.of(key)
              .orElseThrow(
                  () ->
                      Failure.BAD_REQUEST.because(
                          "unknown setting `modules.%s`", Names.shown(key)));
      options = options.with(limit, modules.whole(key));
    }
    return options;
  }

  /** {@code auto}, {@code compiled} or {@code interpreted}. */
  static Compiler.Mode mode(String text) {
    for (Compiler.Mode mode : Compiler.Mode.values()) {
      if (mode.name().toLowerCase(Locale.ROOT).equals(text)) {
        return mode;
      }
    }
    throw Failure.BAD_REQUEST.because(
        "`machine` must be auto, compiled or interpreted. Given `%s`.", Names.shown(text));
  }

  private static Clustering cluster(Host.Options host, Body root) {
    Body cluster = clusterSection(root);
    long port = cluster.has("port") ? cluster.whole("port") : 0;
    long busPort = cluster.has("busPort") ? cluster.whole("busPort") : 0;
    Members.Options members =
        new Members.Options(
            host.node(),
            cluster.optionalString("name").orElse("busbar"),
            cluster.optionalString("host").orElse(HttpGateway.Options.STANDARD.host()),
            HttpGateway.Options.port(port),
            strings(cluster, "join"),
            serviceDns(cluster),
            cluster.has("size") ? (int) within(cluster, "size", 0, MOST_NODES) : 0,
            patience(cluster),
            host.labels());
    return new Clustering(
        cluster.optionalBoolean("enabled").orElse(false),
        members,
        HttpGateway.Options.port(busPort),
        tls(cluster));
  }

  private static Body clusterSection(Body root) {
    return section(root, "cluster", CLUSTER);
  }

  private static Members.Patience patience(Body cluster) {
    Members.Patience standard = Members.Patience.STANDARD;
    return new Members.Patience(
        millis(cluster, "suspectMillis", standard.suspect(), 250, 60_000),
        millis(cluster, "lingerMillis", standard.linger(), 0, LONGEST_WAIT),
        millis(cluster, "drainMillis", standard.drain(), 0, LONGEST_WAIT));
  }

  private static Duration millis(
      Body section, String key, Duration standard, long least, long most) {
    return section.has(key) ? Duration.ofMillis(within(section, key, least, most)) : standard;
  }

  /** The section, if it is there, names one service. */
  private static Optional<String> serviceDns(Body cluster) {
    if (!cluster.has("kubernetes")) {
      return Optional.empty();
    }
    Body kubernetes = cluster.object("kubernetes");
    known("cluster.kubernetes.", kubernetes, Set.of("serviceDns"));
    String name = kubernetes.string("serviceDns");
    if (!DNS.matcher(name).matches()) {
      throw Failure.BAD_REQUEST.because(
          "`cluster.kubernetes.serviceDns` is no name in the DNS: `%s`", Names.shown(name));
    }
    return Optional.of(name);
  }

  /** The section, if it is there, names all three files. */
  private static Optional<Tls> tls(Body cluster) {
    if (!cluster.has("tls")) {
      return Optional.empty();
    }
    Body tls = cluster.object("tls");
    known("cluster.tls.", tls, Set.of("cert", "key", "ca"));
    return Optional.of(new Tls(file(tls, "cert"), file(tls, "key"), file(tls, "ca")));
  }

  private static Path file(Body tls, String key) {
    String text =
        tls.optionalString(key)
            .orElseThrow(
                () ->
                    Failure.BAD_REQUEST.because(
                        "`cluster.tls.%s` is missing: `cert`, `key` and `ca` go together", key));
    return path("cluster.tls." + key, text);
  }

  private static Map<String, String> labels(Body labels) {
    Map<String, String> all = new LinkedHashMap<>();
    labels.fields().keySet().forEach(name -> all.put(name, labels.string(name)));
    return all;
  }

  public Config withHost(Host.Options host) {
    return new Config(host, compiler, data, http, cluster);
  }

  public Config withCompiler(Compiler.Options compiler) {
    return new Config(host, compiler, data, http, cluster);
  }

  public Config withData(Path data) {
    return new Config(host, compiler, Optional.of(data), http, cluster);
  }

  public Config withCluster(Clustering cluster) {
    return new Config(host, compiler, data, http, cluster);
  }

  public Config withHttp(HttpGateway.Options http) {
    return new Config(host, compiler, data, http, cluster);
  }
}
