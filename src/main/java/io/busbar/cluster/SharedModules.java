package io.busbar.cluster;

import io.busbar.engine.Library;
import io.busbar.engine.ModuleStore;
import io.busbar.model.Failure;
import io.busbar.model.Keepers;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleName;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
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
  private final Members.Shared<String> abouts; // by digest
  private final SharedNames names;
  private final Set<String> shared = ConcurrentHashMap.newKeySet(); // that all nodes have them

  /** With the modules that this node brings along. */
  SharedModules(Members members, Directory directory, Pulse pulse, ModuleStore own, Work work) {
    this.own = own;
    this.directory = directory;
    this.pulse = pulse;
    this.bytes = members.shared("modules");
    this.abouts = members.shared("moduleSizes");
    this.names = new SharedNames(members);
    own.list(Reach.OPERATOR).forEach(this::bring);
    abouts.onChange((digest, now) -> work.run(() -> changed(digest, now)));
  }

  /**
   * What all nodes know of a module.
   *
   * @param keepers who put it
   */
  private record About(int size, Keepers keepers) {
    static About parse(String text) {
      JsonObject json = new JsonObject(text);
      Set<String> users = new HashSet<>();
      json.getJsonArray("users", new JsonArray()).forEach(user -> users.add(String.valueOf(user)));
      return new About(json.getInteger("size"), new Keepers(json.getBoolean("kept"), users));
    }

    String text() {
      JsonObject json = new JsonObject().put("size", size).put("kept", keepers.operator());
      return keepers.users().isEmpty()
          ? json.encode()
          : json.put("users", List.copyOf(keepers.users())).encode();
    }

    boolean isKept() {
      return keepers.isAnybody();
    }
  }

  private Optional<About> about(String digest) {
    return Optional.ofNullable(abouts.get(digest)).map(About::parse);
  }

  private void bring(Stored module) {
    try {
      share(module.id(), own.bytes(module.id()), own.keepers(module.id()));
    } catch (WasmException e) {
      LOG.log(System.Logger.Level.WARNING, "not brought along: {0}", e.getMessage());
      return;
    }
    module.tags().forEach(key -> names.bring(key, module.id()));
  }

  /** Removed on one node it goes on all; what somebody still runs stays in memory. */
  private Void changed(String digest, String now) {
    ModuleId id = ModuleId.parse(digest);
    if (now == null) {
      shared.remove(digest);
    }
    Optional<About> known = about(digest);
    if (known.isPresent()) {
      own.keptFor(id, known.get().keepers());
    } else if (now == null) {
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
    share(id, wasm, Keepers.NOBODY);
  }

  /** For these too from now on; true if it is new to one of them. */
  private boolean share(ModuleId id, byte[] wasm, Keepers more) {
    String key = id.toString();
    while (true) {
      String known = abouts.get(key);
      if (known == null || !bytes.has(key)) {
        bytes.put(key, wasm);
      }
      Keepers before = known == null ? Keepers.NOBODY : About.parse(known).keepers();
      Keepers after = before.with(more);
      if (become(key, known, new About(wasm.length, after))) {
        if (!bytes.has(key)) {
          bytes.put(key, wasm); // who removed it before has only now removed these
        }
        return !after.equals(before);
      }
    }
  }

  /** False where it has changed meanwhile. */
  private boolean become(String key, String known, About about) {
    String text = about.text();
    return known == null
        ? abouts.putIfAbsent(key, text) == null
        : known.equals(text) || abouts.replace(key, known, text);
  }

  @Override
  public boolean put(ModuleId id, byte[] wasm, Optional<ModuleRef.Named> name, Reach who) {
    pulse.checkMajority();
    name.ifPresent(tag -> names.checkFree(tag, id, who));
    Keepers keeper = Keepers.of(who.user());
    own.keep(id, wasm, keeper);
    boolean added = share(id, wasm, keeper);
    name.ifPresent(tag -> names.set(tag, id, who));
    return added;
  }

  @Override
  public void tag(ModuleRef.Named tag, ModuleId id, Reach who) {
    pulse.checkMajority();
    About known = reached(id, who);
    names.checkFree(tag, id, who);
    if (known.isKept() && !known.keepers().include(who.user())) {
      share(id, bytes(id), Keepers.of(who.user()));
    }
    names.set(tag, id, who);
  }

  @Override
  public ModuleId resolve(ModuleRef ref, Reach who) {
    return who.owners().stream()
        .flatMap(owner -> names.find(ref, owner).stream())
        .filter(digest -> isReached(digest, who))
        .findFirst()
        .map(ModuleId::parse)
        .orElseThrow(() -> Library.noSuchModule(ref.toString()));
  }

  private boolean isReached(String digest, Reach who) {
    return who.isOperator()
        ? abouts.has(digest)
        : about(digest).filter(known -> known.keepers().areReachedBy(who)).isPresent();
  }

  private About reached(ModuleId id, Reach who) {
    return about(id.toString())
        .filter(known -> known.keepers().areReachedBy(who))
        .orElseThrow(() -> Library.noSuchModule(id.toString()));
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
    Optional<About> known = about(id.toString());
    byte[] wasm = bytes.get(id.toString());
    if (known.isEmpty() || wasm == null) {
      throw Library.noSuchModule(id.toString());
    }
    if (!ModuleId.of(wasm).equals(id)) {
      throw Failure.UNAVAILABLE.because("module %s is damaged in the cluster", id);
    }
    if (known.get().isKept()) {
      own.keep(id, wasm, known.get().keepers());
    }
    return wasm;
  }

  @Override
  public void use(ModuleId id, byte[] wasm, Use use) {
    if (!shared.contains(id.toString())) {
      share(id, wasm, Keepers.NOBODY);
      shared.add(id.toString());
    }
    own.use(id, wasm, use);
  }

  @Override
  public boolean unuse(ModuleId id, Use use) {
    boolean gone = own.unuse(id, use);
    String known = abouts.get(id.toString());
    if (known != null && !About.parse(known).isKept() && users(id, Reach.OPERATOR).isEmpty()) {
      if (abouts.remove(id.toString(), known)) {
        discard(id.toString());
      }
    }
    return gone;
  }

  /** The bytes of what is nobody's any more go too, unless somebody has put it again meanwhile. */
  private void discard(String key) {
    byte[] wasm = bytes.take(key);
    if (wasm != null && abouts.has(key)) {
      bytes.putIfAbsent(key, wasm);
      if (!abouts.has(key)) { // and removed it again
        bytes.remove(key);
      }
    }
  }

  /** The instances that run a module, as far as who asks knows them. */
  private List<String> users(ModuleId id, Reach who) {
    return directory.users(id, who.alone());
  }

  @Override
  public Removed remove(ModuleRef ref, Reach who) {
    pulse.checkMajority();
    ModuleId id = resolve(ref, who.alone());
    List<ModuleName> all = names.of(id);
    List<ModuleName> theirs = all.stream().filter(n -> n.owner().equals(who.user())).toList();
    if (ref instanceof ModuleRef.Named && theirs.stream().anyMatch(n -> !n.isCoveredBy(ref))) {
      names.remove(theirs.stream().filter(name -> name.isCoveredBy(ref)), id);
      return new Removed(id, false, false);
    }
    directory.reload();
    return leave(id, who)
        ? removed(id, theirs, new Removed(id, !who.isOperator(), false))
        : deleted(id, all);
  }

  private Removed removed(ModuleId id, List<ModuleName> named, Removed what) {
    names.remove(named.stream(), id);
    return what;
  }

  private Removed deleted(ModuleId id, List<ModuleName> all) {
    discard(id.toString());
    own.forget(id);
    return removed(id, all, new Removed(id, true, true));
  }

  /** Who asks keeps it no more; true if others do. */
  private boolean leave(ModuleId id, Reach who) {
    String key = id.toString();
    while (true) {
      String text =
          Optional.ofNullable(abouts.get(key)).orElseThrow(() -> Library.noSuchModule(key));
      About known = About.parse(text);
      About left = new About(known.size(), known.keepers().without(who));
      checkUnused(id, left, who);
      boolean done =
          left.isKept() ? abouts.replace(key, text, left.text()) : abouts.remove(key, text);
      if (done) {
        return left.isKept();
      }
    }
  }

  /** What stays for others may be in use by theirs. */
  private void checkUnused(ModuleId id, About left, Reach who) {
    List<String> theirs = directory.users(id, entry -> entry.user().equals(who.user()));
    List<String> hindering = left.isKept() ? theirs : users(id, Reach.OPERATOR);
    if (!hindering.isEmpty()) {
      List<String> shown = who.isOperator() ? hindering : theirs;
      throw Library.inUse(id, shown.size(), shown);
    }
  }

  @Override
  public List<Stored> list(Reach who) {
    directory.reload();
    Map<String, String> named = names.all();
    Map<String, List<String>> users = directory.usersByModule(who.alone());
    List<Stored> modules = new ArrayList<>();
    new TreeMap<>(abouts.all())
        .forEach(
            (digest, text) -> {
              About about = About.parse(text);
              if (about.keepers().areReachedBy(who)) {
                List<String> instances = users.getOrDefault(digest, List.of());
                modules.add(stored(ModuleId.parse(digest), about, named, instances, who));
              }
            });
    return modules;
  }

  private static Stored stored(
      ModuleId id, About about, Map<String, String> named, List<String> instances, Reach who) {
    List<String> shown =
        SharedNames.of(id, named)
            .flatMap(name -> name.shownTo(who, about.keepers(), named::containsKey).stream())
            .distinct()
            .sorted()
            .toList();
    return new Stored(id, about.size(), shown, instances);
  }

  @Override
  public Stored stored(ModuleId id, Reach who) {
    directory.reload();
    return stored(id, reached(id, who), names.all(), users(id, who), who);
  }
}
