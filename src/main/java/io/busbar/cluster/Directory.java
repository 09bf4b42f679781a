package io.busbar.cluster;

import static java.util.stream.Collectors.toMap;

import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which instance lives where: a map of all nodes, changed by compare-and-set only, and this node's
 * mirror of it, which follows a moment later.
 *
 * <p>What reads the mirror answers at once; everything else blocks.
 */
final class Directory {
  private final Members members;
  private final Members.Shared<String> entries;
  private final Members.Shared<String> specs;
  private final Members.Shared<String> nodes; // how each of them is
  private final Map<String, Entry> mirror = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> loads = new ConcurrentHashMap<>(); // by node
  private final Map<String, String> nodeStates = new ConcurrentHashMap<>(); // by node
  private final Map<String, AtomicInteger> promised = new ConcurrentHashMap<>(); // by node
  private volatile String own; // this node's state; null: it has not said
  private volatile Set<String> touched; // what has changed during a reload; null: there is none

  /** Of a node that takes instances. */
  static final String OPEN = "open";

  /** Of a node that takes none any more, and moves those it has. */
  static final String DRAINING = "draining";

  /** With what is told, on a thread that must not be kept, the key of each entry that changes. */
  Directory(Members members, Consumer<String> changed) {
    this.members = members;
    this.entries = members.shared("instances");
    this.specs = members.shared("specs");
    this.nodes = members.shared("nodes");
    entries.onChange(
        (id, text) -> {
          saw(id, text);
          changed.accept(id);
        });
    nodes.onChange(this::sawNode);
  }

  private void saw(String id, String text) {
    Set<String> noting = touched;
    if (noting != null) {
      noting.add(id);
    }
    put(id, text == null ? null : Entry.parse(text));
  }

  private void put(String id, Entry entry) {
    mirror.compute(
        id,
        (key, before) -> {
          count(before, -1);
          count(entry, 1);
          return entry;
        });
  }

  private void count(Entry entry, int more) {
    if (entry != null && !entry.isCopies()) {
      loads.computeIfAbsent(entry.owner(), node -> new AtomicInteger()).addAndGet(more);
    }
  }

  private void sawNode(String node, String state) {
    if (state == null) {
      nodeStates.remove(node);
    } else {
      nodeStates.put(node, state);
    }
  }

  /** Makes the mirror what the map is; what changes meanwhile is left as it was told. */
  synchronized void reload() {
    Set<String> changed = ConcurrentHashMap.newKeySet();
    touched = changed;
    try {
      Map<String, String> all = entries.all();
      all.forEach((id, text) -> refresh(id, text, changed));
      for (String id : mirror.keySet()) {
        if (!all.containsKey(id) && !changed.contains(id)) {
          put(id, null);
        }
      }
      Map<String, String> states = nodes.all();
      nodeStates.putAll(states);
      nodeStates.keySet().retainAll(states.keySet());
    } finally {
      touched = null;
    }
  }

  private void refresh(String id, String text, Set<String> changed) {
    Entry known = mirror.get(id);
    if (!changed.contains(id) && (known == null || !known.text().equals(text))) {
      put(id, Entry.parse(text));
    }
  }

  /** This node is so from now on, as all are told. */
  void state(String state) {
    own = state;
    nodes.put(members.self(), state);
    sawNode(members.self(), state);
  }

  /** Tells it again where others took this node for lost. */
  void tellState() {
    String state = own;
    if (state != null && !nodeStates.containsKey(members.self())) {
      state(state);
    }
  }

  /** A node that is gone is in no state. */
  void forget(String node) {
    if (node.equals(members.self())) {
      own = null;
    }
    nodes.remove(node);
    sawNode(node, null);
  }

  /** How a node is; empty where it has not said yet, or is gone. */
  Optional<String> stateOf(String node) {
    return Optional.ofNullable(nodeStates.get(node));
  }

  /** The nodes that have said how they are, whether they are there or not. */
  Set<String> knownNodes() {
    return Set.copyOf(nodeStates.keySet());
  }

  /** The nodes that take instances, with what they have and with how many copies of this one. */
  List<Placement.Candidate> candidates(String key, Predicate<String> answers) {
    Map<String, Integer> copies = copies(Roster.id(key));
    List<Placement.Candidate> candidates = new ArrayList<>();
    members
        .nodes()
        .forEach(
            (node, labels) -> {
              if (OPEN.equals(nodeStates.get(node)) && answers.test(node)) {
                int more = copies.getOrDefault(node, 0);
                candidates.add(new Placement.Candidate(node, labels, load(node), more));
              }
            });
    return candidates;
  }

  /** How many copies of an instance each node has. */
  private Map<String, Integer> copies(String id) {
    Map<String, Integer> copies = new HashMap<>();
    find(id)
        .filter(Entry::isCopies)
        .ifPresent(
            all ->
                copyKeys(id, all.home().replicas())
                    .map(this::find)
                    .flatMap(Optional::stream)
                    .forEach(copy -> copies.merge(copy.owner(), 1, Integer::sum)));
    return copies;
  }

  /** The keys of all copies. */
  static Stream<String> copyKeys(String id, int replicas) {
    return IntStream.rangeClosed(1, replicas).mapToObj(number -> Roster.copy(id, number));
  }

  /** What it has, and what this node has asked it to start and does not see yet. */
  private int load(String node) {
    return number(loads, node) + number(promised, node);
  }

  private static int number(Map<String, AtomicInteger> numbers, String node) {
    AtomicInteger number = numbers.get(node);
    return number == null ? 0 : number.get();
  }

  /** So many more, or fewer, instances are being started on that node for this one. */
  void promise(String node, int more) {
    promised.computeIfAbsent(node, n -> new AtomicInteger()).addAndGet(more);
  }

  /** From the mirror. */
  Optional<Entry> find(String id) {
    return Optional.ofNullable(mirror.get(id));
  }

  /** From the mirror. */
  Map<String, Entry> all() {
    return Map.copyOf(mirror);
  }

  /** The instances within reach that run this module, from the mirror. */
  List<String> users(ModuleId module, Reach who) {
    return users(module, entry -> who.includes(entry.user()));
  }

  /** Those of such instances that run this module, from the mirror. */
  List<String> users(ModuleId module, Predicate<Entry> which) {
    return mirror.entrySet().stream()
        .filter(entry -> entry.getValue().modules().contains(module.toString()))
        .filter(entry -> which.test(entry.getValue()))
        .map(entry -> Roster.id(entry.getKey()))
        .distinct()
        .sorted()
        .toList();
  }

  /** From the map itself. */
  Optional<Entry> fetch(String id) {
    String text = entries.get(id);
    if (text == null) {
      put(id, null);
      return Optional.empty();
    }
    Entry entry = Entry.parse(text);
    put(id, entry);
    return Optional.of(entry);
  }

  /** Takes a key for a start on this node, or finds it taken so with this epoch. */
  long claim(String id, OptionalLong epoch) {
    if (epoch.isPresent()) { // what this node took over it knows; if that is old, it is found then
      find(id)
          .filter(entry -> entry.isOf(members.self(), epoch.getAsLong()))
          .orElseGet(() -> own(id, epoch.getAsLong()));
      return epoch.getAsLong();
    }
    return claim(id, Entry.starting(members.self())).epoch();
  }

  private Entry claim(String id, Entry mine) {
    if (entries.putIfAbsent(id, mine.text()) != null) {
      throw Failure.CONFLICT.because("instance `%s` exists already", id);
    }
    put(id, mine);
    return mine;
  }

  /** Takes an id for several copies, which are to be started then. */
  Entry claimCopies(String id, Home home) {
    Entry claim = Entry.copies(members.self());
    return claim(id, claim.with(Map.of("home", Entry.fields(home))));
  }

  /** All copies are there: one that is missing from now on is started again. */
  Entry completed(String id, Entry claim) {
    Entry first = fetch(Roster.copy(id, 1)).orElseThrow(() -> notOurs(id));
    String key = id + "/" + UUID.randomUUID();
    specs.put(key, specs.get(first.spec().orElseThrow()));
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("spec", key);
    fields.put("modules", first.modules());
    fields.put("address", first.address().orElse(null));
    fields.put("user", first.user().orElse(null));
    Entry complete = claim.with(fields);
    if (!replace(id, claim, complete)) {
      specs.remove(key);
      throw notOurs(id);
    }
    return complete;
  }

  /** Takes the place of a copy that is missing, for this node; empty where another has. */
  Optional<Entry> claimCopy(String key, Entry all) {
    String text = specs.get(all.spec().orElseThrow());
    String spec = key + "/" + UUID.randomUUID();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("phase", Entry.Phase.MOVING.name());
    fields.put("spec", spec);
    fields.put("modules", all.modules());
    fields.put("address", all.address().orElse(null));
    fields.put("user", all.user().orElse(null));
    fields.put("home", Entry.fields(all.home()));
    Entry mine = Entry.starting(members.self()).with(fields);
    if (text == null || entries.putIfAbsent(key, mine.text()) != null) {
      return Optional.empty();
    }
    specs.put(spec, text);
    put(key, mine);
    return Optional.of(mine);
  }

  private Entry own(String id, long epoch) {
    return fetch(id)
        .filter(entry -> entry.isOf(members.self(), epoch))
        .orElseThrow(() -> notOurs(id));
  }

  private static WasmException notOurs(String id) {
    return Failure.CONFLICT.because("instance `%s` is not this node's any more", id);
  }

  /** It can be called from now on; fails with {@code CONFLICT} where it is not this node's. */
  void started(Roster.Started instance) {
    Entry claim = own(instance.key(), instance.epoch());
    String key = claim.spec().orElseGet(() -> instance.key() + "/" + UUID.randomUUID());
    if (claim.spec().isEmpty()) {
      specs.put(key, Codec.body(instance.spec()).toJson().encode());
    }
    if (!replace(instance.key(), claim, claim.with(fields(instance, key)))) {
      throw notOurs(instance.key());
    }
  }

  private static Map<String, Object> fields(Roster.Started instance, String key) {
    InstanceSpec spec = instance.spec();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("phase", Entry.Phase.LIVE.name());
    fields.put("spec", key);
    fields.put("modules", modules(spec));
    fields.put("address", instance.about().get("address"));
    fields.put("user", instance.user().orElse(null));
    fields.put("home", Entry.fields(spec.home()));
    fields.put("tried", List.of());
    return fields;
  }

  private static List<String> modules(InstanceSpec spec) {
    List<String> digests = new ArrayList<>();
    digests.add(spec.module().toString());
    collect(spec.links(), digests);
    return digests;
  }

  private static void collect(Map<String, LinkSpec> links, List<String> digests) {
    for (LinkSpec link : links.values()) {
      digests.add(link.module().toString());
      collect(link.links(), digests);
    }
  }

  private boolean replace(String id, Entry before, Entry after) {
    boolean done = entries.replace(id, before.text(), after.text());
    if (done) {
      put(id, after);
    }
    return done;
  }

  /** It has begun anew on this node. */
  void renewed(String id, long epoch) {
    fetch(id)
        .filter(entry -> entry.isOf(members.self(), epoch))
        .ifPresent(entry -> replace(id, entry, entry.with(Map.of("epoch", epoch))));
  }

  /** It lives here no more: the id is free, unless this node is to start it again. */
  void left(String id, long epoch) {
    fetch(id)
        .filter(entry -> entry.isOf(members.self(), epoch))
        .filter(entry -> entry.phase() != Entry.Phase.MOVING)
        .ifPresent(entry -> remove(id, entry));
  }

  /** Takes it out of the directory, unless it has changed; true if it was. */
  boolean remove(String id, Entry entry) {
    boolean done = entries.remove(id, entry.text());
    if (done) {
      put(id, null);
      entry.spec().ifPresent(specs::remove);
    }
    return done;
  }

  /** This node becomes the owner, unless the entry has changed: then empty. */
  Optional<Entry> takeOver(String id, Entry entry) {
    Entry mine = entry.movingTo(members.self());
    return replace(id, entry, mine) ? Optional.of(mine) : Optional.empty();
  }

  /** That node becomes the owner of what is this one's, and is to start it. */
  Entry handOver(String key, long epoch, String node) {
    Entry entry = own(key, epoch);
    Entry moving = entry.with(Map.of("epoch", epoch)).movingTo(node); // what it began anew counts
    if (!entry.isLive() || !replace(key, entry, moving)) {
      throw notOurs(key);
    }
    return moving;
  }

  /** A node that cannot start what it has taken over leaves it to that one. */
  void passOn(String key, Entry entry, String node) {
    List<String> tried = new ArrayList<>(entry.tried());
    tried.add(members.self());
    replace(key, entry, entry.movingTo(node).with(Map.of("tried", tried)));
  }

  /** What an instance is started from, as {@code start} takes it; empty if it was lost. */
  Optional<Body> spec(Entry entry) {
    return entry.spec().map(specs::get).map(text -> Body.of(new JsonObject(text)));
  }

  /** The instances within reach of each module, by its digest; from the mirror. */
  Map<String, List<String>> usersByModule(Reach who) {
    Map<String, List<String>> users = new LinkedHashMap<>();
    Map<String, Entry> sorted =
        mirror.entrySet().stream()
            .filter(entry -> who.includes(entry.getValue().user()))
            .sorted(Map.Entry.comparingByKey())
            .collect(
                toMap(Map.Entry::getKey, Map.Entry::getValue, (a, b) -> a, LinkedHashMap::new));
    sorted.forEach(
        (id, entry) ->
            entry.modules().stream()
                .distinct()
                .forEach(module -> users.computeIfAbsent(module, m -> new ArrayList<>()).add(id)));
    return users;
  }
}
