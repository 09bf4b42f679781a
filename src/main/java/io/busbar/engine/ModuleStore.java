package io.busbar.engine;

import io.busbar.model.Failure;
import io.busbar.model.Keepers;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleName;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The binaries of this node by digest, and the names they go by; in a folder, or in memory.
 *
 * <p>Among the saved names there are marks of who keeps a module: {@code sha256:…/} for the
 * operator, {@code acme/sha256:…/} for a user; what has none is the operator's. Blocking; safe for
 * use by many threads.
 */
public final class ModuleStore implements Library {
  private static final System.Logger LOG = System.getLogger(ModuleStore.class.getName());
  private static final String MARK = "/"; // no name ends so

  private final Optional<ModuleFolder> folder;
  private final Map<ModuleId, Entry> entries = new LinkedHashMap<>();
  private final Map<String, ModuleId> tags = new TreeMap<>(); // by the key of the name

  private static final class Entry {
    final int size;
    final byte[] bytes; // null where they are on disk: what is kept, if there is a folder
    final Set<Use> uses = new HashSet<>();
    Keepers keepers; // who put it; with any it stays when nobody uses it

    Entry(int size, byte[] bytes, Keepers keepers) {
      this.size = size;
      this.bytes = bytes;
      this.keepers = keepers;
    }

    boolean isKept() {
      return keepers.isAnybody();
    }
  }

  /** In this folder, which is made if need be; in memory without one. */
  public ModuleStore(Optional<Path> folder) {
    this.folder = folder.map(ModuleFolder::new);
    this.folder.ifPresent(this::open);
  }

  private void open(ModuleFolder saved) {
    saved.sizes().forEach((id, size) -> entries.put(id, new Entry(size, null, Keepers.OPERATOR)));
    Map<ModuleId, Keepers> marks = new HashMap<>();
    Properties names = saved.tags();
    names
        .stringPropertyNames()
        .forEach(name -> read(name, names.getProperty(name), marks, saved.tagFile()));
    marks.forEach((id, keepers) -> entries.get(id).keepers = keepers);
  }

  private void read(String name, String digest, Map<ModuleId, Keepers> marks, Path file) {
    try {
      ModuleId id = ModuleId.parse(digest);
      boolean isMark = name.endsWith(MARK);
      ModuleName read = ModuleName.parse(isMark ? name.substring(0, name.length() - 1) : name);
      if (!entries.containsKey(id)) {
        return;
      } else if (isMark) {
        marks.merge(id, Keepers.of(read.owner()), Keepers::with);
      } else if (ModuleRef.parse(read.text()) instanceof ModuleRef.Named) {
        tags.put(name, id);
      }
    } catch (WasmException e) {
      LOG.log(System.Logger.Level.WARNING, "passed over in {0}: {1}", file, e.getMessage());
    }
  }

  private void save() {
    if (folder.isPresent()) {
      Properties saved = new Properties();
      tags.forEach((tag, id) -> saved.setProperty(tag, id.toString()));
      entries.forEach((id, entry) -> mark(saved, id, entry.keepers));
      folder.get().saveTags(saved);
    }
  }

  private static void mark(Properties saved, ModuleId id, Keepers keepers) {
    if (keepers.users().isEmpty()) {
      return;
    }
    Stream<Optional<String>> users = keepers.users().stream().map(Optional::of);
    Stream<Optional<String>> operator =
        keepers.operator() ? Stream.of(Optional.empty()) : Stream.empty();
    Stream.concat(operator, users)
        .map(owner -> new ModuleName(owner, id.toString()).key() + MARK)
        .forEach(mark -> saved.setProperty(mark, id.toString()));
  }

  @Override
  public synchronized boolean put(
      ModuleId id, byte[] wasm, Optional<ModuleRef.Named> name, Reach who) {
    name.ifPresent(tag -> checkFree(tag, id, who));
    boolean added = keep(id, wasm, Keepers.of(who.user()));
    name.ifPresent(tag -> setTag(tag, id, who));
    return added;
  }

  /** Puts the binary to its place for these too; true if it is new to one of them. */
  public synchronized boolean keep(ModuleId id, byte[] wasm, Keepers more) {
    Entry known = entries.get(id);
    Keepers before = known == null ? Keepers.NOBODY : known.keepers;
    Entry kept = new Entry(wasm.length, folder.isPresent() ? null : wasm, before.with(more));
    if (known != null) {
      kept.uses.addAll(known.uses);
    }
    entries.put(id, kept);
    try {
      saveIfMarked(before, kept.keepers); // before the binary, which is the operator's without
      folder.ifPresent(saved -> saved.write(id, wasm));
    } catch (RuntimeException e) {
      undo(id, known);
      throw e;
    }
    return !kept.keepers.equals(before);
  }

  private void saveIfMarked(Keepers before, Keepers now) {
    if (!now.equals(before) && !(before.users().isEmpty() && now.users().isEmpty())) {
      save();
    }
  }

  private void undo(ModuleId id, Entry known) {
    if (known == null) {
      entries.remove(id);
    } else {
      entries.put(id, known);
    }
  }

  /** A version is for ever; a name without one moves to what was put last. */
  private void checkFree(ModuleRef.Named tag, ModuleId id, Reach who) {
    ModuleId holder = tags.get(ModuleName.of(who.user(), tag).key());
    if (tag.version() != null && holder != null && !holder.equals(id)) {
      throw Failure.CONFLICT.because("`%s` is already %s", tag, holder);
    }
  }

  @Override
  public synchronized void tag(ModuleRef.Named tag, ModuleId id, Reach who) {
    Entry entry = entry(id);
    checkFree(tag, id, who);
    if (entry.isKept()) {
      entry.keepers = entry.keepers.with(Keepers.of(who.user()));
    }
    setTag(tag, id, who);
  }

  private void setTag(ModuleRef.Named tag, ModuleId id, Reach who) {
    tags.put(ModuleName.of(who.user(), tag).key(), id);
    tags.put(ModuleName.bare(who.user(), tag).key(), id);
    save();
  }

  @Override
  public synchronized ModuleId resolve(ModuleRef ref, Reach who) {
    return who.owners().stream()
        .flatMap(owner -> find(ref, owner).stream())
        .filter(id -> entries.containsKey(id) && entry(id).keepers.areReachedBy(who))
        .findFirst()
        .orElseThrow(() -> Library.noSuchModule(ref.toString()));
  }

  private Optional<ModuleId> find(ModuleRef ref, Optional<String> owner) {
    return ref instanceof ModuleRef.Digest digest
        ? Optional.of(digest.id())
        : Optional.ofNullable(tags.get(new ModuleName(owner, ref.toString()).key()));
  }

  private Entry entry(ModuleId id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      throw Library.noSuchModule(id.toString());
    }
    return entry;
  }

  /** Who keeps it; fails with {@code NO_SUCH_MODULE}. */
  public synchronized Keepers keepers(ModuleId id) {
    return entry(id).keepers;
  }

  /** What is kept here is so for these from now on, as is settled elsewhere. */
  public synchronized void keptFor(ModuleId id, Keepers keepers) {
    Entry entry = entries.get(id);
    if (entry != null && entry.isKept() && keepers.isAnybody()) {
      Keepers before = entry.keepers;
      entry.keepers = keepers;
      saveIfMarked(before, keepers);
    }
  }

  @Override
  public synchronized byte[] bytes(ModuleId id) {
    Entry entry = entry(id);
    return entry.bytes != null ? entry.bytes : folder.orElseThrow().read(id);
  }

  @Override
  public synchronized void use(ModuleId id, byte[] wasm, Use use) {
    entries
        .computeIfAbsent(id, added -> new Entry(wasm.length, wasm, Keepers.NOBODY))
        .uses
        .add(use);
  }

  @Override
  public synchronized boolean unuse(ModuleId id, Use use) {
    Entry entry = entries.get(id);
    if (entry == null) {
      return false;
    }
    entry.uses.remove(use);
    boolean gone = !entry.isKept() && entry.uses.isEmpty();
    if (gone) {
      delete(id);
    }
    return gone;
  }

  @Override
  public synchronized Removed remove(ModuleRef ref, Reach who) {
    ModuleId id = resolve(ref, who.alone());
    if (ref instanceof ModuleRef.Named
        && names(id, who.user()).stream().anyMatch(name -> !name.isCoveredBy(ref))) {
      untag(names(id, who.user()).stream().filter(name -> name.isCoveredBy(ref)).toList());
      save();
      return new Removed(id, false, false);
    }
    Entry entry = entry(id);
    Keepers left = entry.keepers.without(who);
    checkUnused(id, entry, left, who);
    if (left.isAnybody()) {
      entry.keepers = left;
      untag(names(id, who.user()));
      save();
      return new Removed(id, !who.isOperator(), false);
    }
    tags.values().removeIf(id::equals);
    delete(id);
    save();
    return new Removed(id, true, true);
  }

  /** What stays for others may be in use by theirs. */
  private static void checkUnused(ModuleId id, Entry entry, Keepers left, Reach who) {
    List<Use> own = entry.uses.stream().filter(use -> use.owner().equals(who.user())).toList();
    Collection<Use> hindering = left.isAnybody() ? own : entry.uses;
    if (!hindering.isEmpty()) {
      Collection<Use> shown = who.isOperator() ? hindering : own;
      throw Library.inUse(id, shown.size(), instances(shown));
    }
  }

  private static List<String> instances(Collection<Use> uses) {
    return uses.stream().map(Use::instance).distinct().sorted().toList();
  }

  private void untag(List<ModuleName> names) {
    names.forEach(name -> tags.remove(name.key()));
  }

  /** It is gone for all nodes: what an instance still runs stays until that has stopped. */
  public synchronized void forget(ModuleId id) {
    Entry entry = entries.get(id);
    if (entry == null || entry.uses.isEmpty() && !entry.isKept()) {
      return;
    }
    tags.values().removeIf(id::equals);
    byte[] wasm = entry.uses.isEmpty() ? null : bytes(id);
    delete(id);
    if (wasm != null) {
      entry.uses.forEach(use -> use(id, wasm, use));
    }
  }

  private void delete(ModuleId id) {
    Entry gone = entries.remove(id);
    if (gone.bytes == null) {
      folder.orElseThrow().delete(id);
    }
  }

  @Override
  public synchronized List<Stored> list(Reach who) {
    return entries.entrySet().stream()
        .filter(entry -> entry.getValue().keepers.areReachedBy(who))
        .map(entry -> stored(entry.getKey(), entry.getValue(), who))
        .toList();
  }

  @Override
  public synchronized Stored stored(ModuleId id, Reach who) {
    Entry entry = entry(id);
    if (!entry.keepers.areReachedBy(who)) {
      throw Library.noSuchModule(id.toString());
    }
    return stored(id, entry, who);
  }

  private Stored stored(ModuleId id, Entry entry, Reach who) {
    List<Use> seen = entry.uses.stream().filter(use -> who.alone().includes(use.owner())).toList();
    return new Stored(id, entry.size, shown(id, entry, who), instances(seen));
  }

  private List<String> shown(ModuleId id, Entry entry, Reach who) {
    return names(id)
        .flatMap(name -> name.shownTo(who, entry.keepers, tags::containsKey).stream())
        .distinct()
        .sorted()
        .toList();
  }

  private Stream<ModuleName> names(ModuleId id) {
    return tags.entrySet().stream()
        .filter(tag -> tag.getValue().equals(id))
        .map(tag -> ModuleName.parse(tag.getKey()));
  }

  private List<ModuleName> names(ModuleId id, Optional<String> owner) {
    return names(id).filter(name -> name.owner().equals(owner)).toList();
  }
}
