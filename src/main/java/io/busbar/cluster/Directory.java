package io.busbar.cluster;

import static java.util.stream.Collectors.toMap;

import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

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
  private final Members.Shared<String> open; // the nodes that take instances
  private final Map<String, Entry> mirror = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> loads = new ConcurrentHashMap<>(); // by node
  private final Set<String> openNodes = ConcurrentHashMap.newKeySet();
  private volatile Set<String> touched; // what has changed during a reload; null: there is none

  /** With something to run, on a thread that must not be kept, whenever an entry has changed. */
  Directory(Members members, Runnable changed) {
    this.members = members;
    this.entries = members.shared("instances");
    this.specs = members.shared("specs");
    this.open = members.shared("nodes");
    entries.onChange(
        (id, text) -> {
          saw(id, text);
          changed.run();
        });
    open.onChange((node, text) -> sawNode(node, text != null));
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
    if (entry != null) {
      loads.computeIfAbsent(entry.owner(), node -> new AtomicInteger()).addAndGet(more);
    }
  }

  private void sawNode(String node, boolean isOpen) {
    if (isOpen) {
      openNodes.add(node);
    } else {
      openNodes.remove(node);
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
      Set<String> nodes = open.all().keySet();
      openNodes.addAll(nodes);
      openNodes.retainAll(nodes);
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

  /** From now on this node takes instances, or not any more. */
  void open(boolean takes) {
    if (takes) {
      open.put(members.self(), "");
    } else {
      open.remove(members.self());
    }
    sawNode(members.self(), takes);
  }

  /** A node that is gone takes nothing. */
  void forget(String node) {
    open.remove(node);
  }

  /** The nodes that take instances, with what they have. */
  List<Placement.Candidate> candidates() {
    List<Placement.Candidate> candidates = new ArrayList<>();
    members
        .nodes()
        .forEach(
            (node, labels) -> {
              if (openNodes.contains(node)) {
                candidates.add(new Placement.Candidate(node, labels, load(node)));
              }
            });
    return candidates;
  }

  private int load(String node) {
    AtomicInteger load = loads.get(node);
    return load == null ? 0 : load.get();
  }

  /** The nodes that are said to take instances, whether they are there or not. */
  Set<String> openNodes() {
    return Set.copyOf(openNodes);
  }

  /** From the mirror. */
  Optional<Entry> find(String id) {
    return Optional.ofNullable(mirror.get(id));
  }

  /** From the mirror. */
  Map<String, Entry> all() {
    return Map.copyOf(mirror);
  }

  /** The instances that run this module, from the mirror. */
  List<String> users(ModuleId module) {
    return mirror.entrySet().stream()
        .filter(entry -> entry.getValue().modules().contains(module.toString()))
        .map(Map.Entry::getKey)
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

  /** Takes an id for a start on this node, or finds it taken so with this epoch. */
  long claim(String id, OptionalLong epoch) {
    if (epoch.isPresent()) {
      own(id, epoch.getAsLong());
      return epoch.getAsLong();
    }
    Entry mine = Entry.starting(members.self());
    if (entries.putIfAbsent(id, mine.text()) != null) {
      throw Failure.CONFLICT.because("instance `%s` exists already", id);
    }
    put(id, mine);
    return mine.epoch();
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
    Entry claim = own(instance.id(), instance.epoch());
    String key = claim.spec().orElseGet(() -> instance.id() + "/" + UUID.randomUUID());
    if (claim.spec().isEmpty()) {
      specs.put(key, Codec.body(instance.spec()).toJson().encode());
    }
    if (!replace(instance.id(), claim, claim.with(fields(instance, key)))) {
      throw notOurs(instance.id());
    }
  }

  private static Map<String, Object> fields(Roster.Started instance, String key) {
    InstanceSpec spec = instance.spec();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("state", Entry.State.LIVE.name());
    fields.put("spec", key);
    fields.put("modules", modules(spec));
    fields.put("address", instance.about().get("address"));
    fields.put("user", instance.user().orElse(null));
    fields.put("staysDown", spec.home().staysDown());
    fields.put("labels", new JsonObject(new LinkedHashMap<>(spec.home().labels())));
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
        .filter(entry -> entry.state() != Entry.State.MOVING)
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

  /** What an instance is started from, as {@code start} takes it; empty if it was lost. */
  Optional<Body> spec(Entry entry) {
    return entry.spec().map(specs::get).map(text -> Body.of(new JsonObject(text)));
  }

  /** The instances of each module, by its digest; from the mirror. */
  Map<String, List<String>> usersByModule() {
    Map<String, List<String>> users = new LinkedHashMap<>();
    Map<String, Entry> sorted =
        mirror.entrySet().stream()
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
