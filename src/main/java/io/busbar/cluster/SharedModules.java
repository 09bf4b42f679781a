package io.busbar.cluster;

import static java.util.stream.Collectors.joining;

import io.busbar.engine.Library;
import io.busbar.engine.ModuleStore;
import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.WasmException;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The modules of all nodes: put on one they can be run on each, which fetches what it has not,
 * looks whether it is what its digest says, and keeps it like its own.
 */
final class SharedModules implements Library {
  private static final System.Logger LOG = System.getLogger(SharedModules.class.getName());

  private final ModuleStore own;
  private final Directory directory;
  private final Pulse pulse;
  private final Members.Shared<byte[]> bytes; // by digest
  private final Members.Shared<String> about; // size and whether it was put, by digest
  private final Members.Shared<String> tags; // digests
  private final Set<String> shared = ConcurrentHashMap.newKeySet(); // that all nodes have them

  /** With the modules that this node brings along. */
  SharedModules(Members members, Directory directory, Pulse pulse, ModuleStore own, Work work) {
    this.own = own;
    this.directory = directory;
    this.pulse = pulse;
    this.bytes = members.shared("modules");
    this.about = members.shared("moduleSizes");
    this.tags = members.shared("tags");
    own.list().forEach(this::bring);
    about.onChange((digest, now) -> work.run(() -> changed(digest, now)));
  }

  private void bring(Stored module) {
    try {
      share(module.id(), own.bytes(module.id()), true);
    } catch (WasmException e) {
      LOG.log(System.Logger.Level.WARNING, "not brought along: {0}", e.getMessage());
      return;
    }
    for (String tag : module.tags()) {
      String holder = tags.putIfAbsent(tag, module.id().toString());
      if (holder != null && !holder.equals(module.id().toString())) {
        LOG.log(
            System.Logger.Level.WARNING, "`{0}` is {1} here, {2} there", tag, module.id(), holder);
      }
    }
  }

  /** Removed on one node it goes on all; what somebody still runs stays in memory. */
  private Void changed(String digest, String now) {
    shared.remove(digest);
    if (now == null && !about.has(digest)) {
      ModuleId id = ModuleId.parse(digest);
      own.forget(id);
      shareAgain(id);
    }
    return null;
  }

  /** Another node thought that nobody runs it, while an instance was being started here. */
  private void shareAgain(ModuleId id) {
    byte[] wasm;
    try {
      wasm = own.bytes(id);
    } catch (WasmException e) {
      return; // it is not used here
    }
    share(id, wasm, false);
  }

  /** True if it was not there yet, or not for good. */
  private boolean share(ModuleId id, byte[] wasm, boolean kept) {
    String key = id.toString();
    String known = about.get(key);
    if (known == null || !bytes.has(key)) {
      bytes.put(key, wasm);
    }
    String text = new JsonObject().put("size", wasm.length).put("kept", kept).encode();
    if (known == null) {
      known = about.putIfAbsent(key, text);
    }
    if (known == null) {
      return true;
    }
    return kept && !isKept(known) && about.replace(key, known, text);
  }

  private static boolean isKept(String about) {
    return new JsonObject(about).getBoolean("kept");
  }

  @Override
  public boolean put(ModuleId id, byte[] wasm, Optional<ModuleRef.Named> name) {
    pulse.checkMajority();
    name.filter(tag -> tag.version() != null).ifPresent(tag -> checkFree(tag, id));
    own.put(id, wasm, Optional.empty());
    boolean added = share(id, wasm, true);
    name.ifPresent(tag -> setTag(tag, id));
    return added;
  }

  private void checkFree(ModuleRef.Named tag, ModuleId id) {
    String holder = tags.get(tag.toString());
    if (holder != null && !holder.equals(id.toString())) {
      throw taken(tag, holder);
    }
  }

  private static WasmException taken(ModuleRef.Named tag, String holder) {
    return Failure.CONFLICT.because("`%s` is already %s", tag, holder);
  }

  @Override
  public void tag(ModuleRef.Named tag, ModuleId id) {
    pulse.checkMajority();
    checkThere(id.toString(), id.toString());
    setTag(tag, id);
  }

  private void checkThere(String digest, String ref) {
    if (!about.has(digest)) {
      throw Failure.NO_SUCH_MODULE.because("module `%s` not found", ref);
    }
  }

  /** A version is for ever; the bare name follows. */
  private void setTag(ModuleRef.Named tag, ModuleId id) {
    if (tag.version() != null) {
      String holder = tags.putIfAbsent(tag.toString(), id.toString());
      if (holder != null && !holder.equals(id.toString())) {
        throw taken(tag, holder);
      }
    }
    tags.put(tag.name(), id.toString());
  }

  @Override
  public ModuleId resolve(ModuleRef ref) {
    String digest =
        ref instanceof ModuleRef.Digest named ? named.id().toString() : tags.get(ref.toString());
    if (digest == null) {
      throw Failure.NO_SUCH_MODULE.because("module `%s` not found", ref);
    }
    checkThere(digest, ref.toString());
    return ModuleId.parse(digest);
  }

  @Override
  public byte[] bytes(ModuleId id) {
    try {
      return own.bytes(id);
    } catch (WasmException e) { // it is not here, or damaged
      return fetch(id);
    }
  }

  private byte[] fetch(ModuleId id) {
    String known = about.get(id.toString());
    byte[] wasm = bytes.get(id.toString());
    if (known == null || wasm == null) {
      throw Failure.NO_SUCH_MODULE.because("module `%s` not found", id);
    }
    if (!ModuleId.of(wasm).equals(id)) {
      throw Failure.UNAVAILABLE.because("module %s is damaged in the cluster", id);
    }
    if (isKept(known)) {
      own.put(id, wasm, Optional.empty());
    }
    return wasm;
  }

  @Override
  public void use(ModuleId id, byte[] wasm, String instance) {
    if (!shared.contains(id.toString())) {
      share(id, wasm, false);
      shared.add(id.toString());
    }
    own.use(id, wasm, instance);
  }

  @Override
  public boolean unuse(ModuleId id, String instance) {
    boolean gone = own.unuse(id, instance);
    String known = about.get(id.toString());
    if (known != null && !isKept(known) && directory.users(id).isEmpty()) {
      if (about.remove(id.toString(), known)) {
        bytes.remove(id.toString());
      }
    }
    return gone;
  }

  @Override
  public Optional<ModuleId> remove(ModuleRef ref) {
    pulse.checkMajority();
    ModuleId id = resolve(ref);
    List<String> names = names(id, tags.all());
    if (ref instanceof ModuleRef.Named named
        && names.stream().anyMatch(name -> !covers(named, name))) {
      names.stream().filter(name -> covers(named, name)).forEach(name -> untag(name, id));
      return Optional.empty();
    }
    directory.reload();
    List<String> users = directory.users(id);
    if (!users.isEmpty()) {
      String some = users.stream().limit(3).collect(joining("`, `"));
      throw Failure.CONFLICT.because(
          "module %s is in use by %d instances: `%s`", id, users.size(), some);
    }
    names.forEach(name -> untag(name, id));
    about.remove(id.toString());
    bytes.remove(id.toString());
    own.forget(id);
    return Optional.of(id);
  }

  /** Whether taking {@code ref} away takes this tag of the same module away. */
  private static boolean covers(ModuleRef.Named ref, String tag) {
    return tag.equals(ref.toString()) || tag.equals(ref.name());
  }

  private void untag(String name, ModuleId id) {
    tags.remove(name, id.toString());
  }

  @Override
  public List<Stored> list() {
    directory.reload();
    Map<String, String> named = tags.all();
    Map<String, List<String>> users = directory.usersByModule();
    List<Stored> modules = new ArrayList<>();
    new TreeMap<>(about.all())
        .forEach((digest, text) -> modules.add(stored(digest, text, named, users)));
    return modules;
  }

  private static Stored stored(
      String digest, String about, Map<String, String> named, Map<String, List<String>> users) {
    ModuleId id = ModuleId.parse(digest);
    return new Stored(
        id,
        new JsonObject(about).getInteger("size"),
        names(id, named),
        users.getOrDefault(digest, List.of()));
  }

  private static List<String> names(ModuleId id, Map<String, String> tags) {
    Map<String, String> sorted = new TreeMap<>(tags);
    sorted.values().removeIf(digest -> !digest.equals(id.toString()));
    return List.copyOf(sorted.keySet());
  }

  @Override
  public Stored stored(ModuleId id) {
    directory.reload();
    String known = about.get(id.toString());
    if (known == null) {
      throw Failure.NO_SUCH_MODULE.because("module `%s` not found", id);
    }
    Map<String, List<String>> users = new LinkedHashMap<>();
    users.put(id.toString(), directory.users(id));
    return stored(id.toString(), known, tags.all(), users);
  }
}
