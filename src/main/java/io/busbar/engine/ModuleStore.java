package io.busbar.engine;

import static java.util.stream.Collectors.joining;

import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.WasmException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The binaries of this node by digest, and the names they go by; in a folder, or in memory.
 *
 * <p>A file is written beside its place, forced to disk and renamed, and its digest is checked when
 * it is read. Blocking; safe for use by many threads.
 */
public final class ModuleStore implements Library {
  private static final System.Logger LOG = System.getLogger(ModuleStore.class.getName());
  private static final String SUFFIX = ".wasm";
  private static final char USER = '#'; // no id has it
  private static final String UNFINISHED = ".new";

  private final Optional<Path> folder;
  private final Map<ModuleId, Entry> entries = new LinkedHashMap<>();
  private final Map<String, ModuleId> tags = new TreeMap<>();

  private static final class Entry {
    final int size;
    final byte[] bytes; // null where they are on disk: what is kept, if there is a folder
    final Set<String> users = new TreeSet<>(); // starts of instances
    final boolean kept; // was put, and stays when nobody uses it

    Entry(int size, byte[] bytes, boolean kept) {
      this.size = size;
      this.bytes = bytes;
      this.kept = kept;
    }
  }

  /** One start of an instance, as a user of modules: a later start of the same id is another. */
  public static String user(String instance, long start) {
    return instance + USER + start;
  }

  private static List<String> instances(Set<String> users) {
    return users.stream().map(user -> user.substring(0, user.indexOf(USER))).distinct().toList();
  }

  /** In this folder, which is made if need be; in memory without one. */
  public ModuleStore(Optional<Path> folder) {
    this.folder = folder;
    folder.ifPresent(this::open);
  }

  private void open(Path root) {
    try {
      Files.createDirectories(root);
      try (Stream<Path> files = Files.list(root)) {
        for (Path file : files.sorted().toList()) {
          openFile(file);
        }
      }
      readTags();
    } catch (IOException e) {
      throw Failure.UNAVAILABLE.because("cannot use the module folder %s: %s", root, e);
    }
  }

  private void openFile(Path file) throws IOException {
    String name = file.getFileName().toString();
    if (name.matches("[0-9a-f]{64}\\.wasm")) {
      ModuleId id = new ModuleId(name.substring(0, 64));
      entries.put(id, new Entry((int) Files.size(file), null, true));
    } else if (name.endsWith(UNFINISHED)) {
      discard(file);
    }
  }

  private void readTags() throws IOException {
    Properties saved = new Properties();
    try (InputStream in = Files.newInputStream(tagFile())) {
      saved.load(in);
    } catch (NoSuchFileException e) {
      return; // nothing was ever tagged
    }
    for (String tag : saved.stringPropertyNames()) {
      readTag(tag, saved.getProperty(tag));
    }
  }

  private void readTag(String tag, String text) {
    try {
      ModuleId id = ModuleId.parse(text);
      if (entries.containsKey(id) && ModuleRef.parse(tag) instanceof ModuleRef.Named) {
        tags.put(tag, id);
      }
    } catch (WasmException e) {
      LOG.log(System.Logger.Level.WARNING, "passed over in {0}: {1}", tagFile(), e.getMessage());
    }
  }

  private Path tagFile() {
    return folder.orElseThrow().resolve("tags.properties");
  }

  private Path file(ModuleId id) {
    return folder.orElseThrow().resolve(id.hex() + SUFFIX);
  }

  @Override
  public synchronized boolean put(ModuleId id, byte[] wasm, Optional<ModuleRef.Named> name) {
    name.ifPresent(tag -> checkFree(tag, id));
    boolean added = keep(id, wasm);
    name.ifPresent(tag -> setTag(tag, id));
    return added;
  }

  /** Puts the binary to its place, again if what is there was damaged; true if it is new. */
  private boolean keep(ModuleId id, byte[] wasm) {
    Entry known = entries.get(id);
    if (folder.isPresent() && !isIntact(id)) {
      replace(file(id), out -> out.write(wasm));
    }
    Entry kept = new Entry(wasm.length, folder.isPresent() ? null : wasm, true);
    if (known != null) {
      kept.users.addAll(known.users);
    }
    entries.put(id, kept);
    return known == null || !known.kept;
  }

  private boolean isIntact(ModuleId id) {
    try {
      return Files.exists(file(id)) && ModuleId.of(Files.readAllBytes(file(id))).equals(id);
    } catch (IOException e) {
      return false;
    }
  }

  /** A version is for ever; a name without one moves to what was put last. */
  private void checkFree(ModuleRef.Named tag, ModuleId id) {
    ModuleId holder = tags.get(tag.toString());
    if (tag.version() != null && holder != null && !holder.equals(id)) {
      throw Failure.CONFLICT.because("`%s` is already %s", tag, holder);
    }
  }

  @Override
  public synchronized void tag(ModuleRef.Named tag, ModuleId id) {
    entry(id);
    checkFree(tag, id);
    setTag(tag, id);
  }

  private void setTag(ModuleRef.Named tag, ModuleId id) {
    tags.put(tag.toString(), id);
    tags.put(tag.name(), id);
    saveTags();
  }

  private void saveTags() {
    if (folder.isPresent()) {
      Properties saved = new Properties();
      tags.forEach((tag, id) -> saved.setProperty(tag, id.toString()));
      replace(tagFile(), out -> saved.store(out, null));
    }
  }

  @Override
  public synchronized ModuleId resolve(ModuleRef ref) {
    ModuleId id = ref instanceof ModuleRef.Digest digest ? digest.id() : tags.get(ref.toString());
    if (id == null || !entries.containsKey(id)) {
      throw noSuchModule(ref.toString());
    }
    return id;
  }

  private static RuntimeException noSuchModule(String ref) {
    return Failure.NO_SUCH_MODULE.because("module `%s` not found", ref);
  }

  private Entry entry(ModuleId id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      throw noSuchModule(id.toString());
    }
    return entry;
  }

  @Override
  public synchronized byte[] bytes(ModuleId id) {
    Entry entry = entry(id);
    if (entry.bytes != null) {
      return entry.bytes;
    }
    try {
      byte[] wasm = Files.readAllBytes(file(id));
      if (!ModuleId.of(wasm).equals(id)) {
        throw Failure.UNAVAILABLE.because("module %s is damaged in this node's store", id);
      }
      return wasm;
    } catch (IOException e) {
      throw Failure.UNAVAILABLE.because("module %s cannot be read: %s", id, e.getMessage());
    }
  }

  @Override
  public synchronized void use(ModuleId id, byte[] wasm, String instance) {
    entries.computeIfAbsent(id, added -> new Entry(wasm.length, wasm, false)).users.add(instance);
  }

  @Override
  public synchronized boolean unuse(ModuleId id, String instance) {
    Entry entry = entries.get(id);
    if (entry == null) {
      return false;
    }
    entry.users.remove(instance);
    boolean gone = !entry.kept && entry.users.isEmpty();
    if (gone) {
      delete(id);
    }
    return gone;
  }

  @Override
  public synchronized Optional<ModuleId> remove(ModuleRef ref) {
    ModuleId id = resolve(ref);
    if (ref instanceof ModuleRef.Named && tags(id).stream().anyMatch(t -> !covers(ref, t))) {
      tags.keySet().removeIf(tag -> tags.get(tag).equals(id) && covers(ref, tag));
      saveTags();
      return Optional.empty();
    }
    Set<String> users = entries.get(id).users;
    if (!users.isEmpty()) {
      String some = instances(users).stream().limit(3).collect(joining("`, `"));
      throw Failure.CONFLICT.because(
          "module %s is in use by %d instances: `%s`", id, users.size(), some);
    }
    tags.values().removeIf(id::equals);
    saveTags();
    delete(id);
    return Optional.of(id);
  }

  /** It is gone for all nodes: what an instance still runs stays until that has stopped. */
  public synchronized void forget(ModuleId id) {
    Entry entry = entries.get(id);
    if (entry == null || entry.users.isEmpty() && !entry.kept) {
      return;
    }
    tags.values().removeIf(id::equals);
    byte[] wasm = entry.users.isEmpty() ? null : bytes(id);
    delete(id);
    if (wasm != null) {
      entry.users.forEach(user -> use(id, wasm, user));
    }
  }

  /** Whether taking {@code ref} away takes this tag of the same module away. */
  private static boolean covers(ModuleRef ref, String tag) {
    return tag.equals(ref.toString()) || tag.equals(((ModuleRef.Named) ref).name());
  }

  private void delete(ModuleId id) {
    Entry gone = entries.remove(id);
    if (folder.isPresent() && gone.kept) {
      try {
        Files.deleteIfExists(file(id));
      } catch (IOException e) {
        throw Failure.UNAVAILABLE.because("module %s cannot be deleted: %s", id, e.getMessage());
      }
    }
  }

  @Override
  public synchronized List<Stored> list() {
    return entries.keySet().stream().map(this::stored).toList();
  }

  @Override
  public synchronized Stored stored(ModuleId id) {
    Entry entry = entry(id);
    return new Stored(id, entry.size, tags(id), instances(entry.users));
  }

  private List<String> tags(ModuleId id) {
    List<String> names = new ArrayList<>();
    tags.forEach((tag, holder) -> names.addAll(id.equals(holder) ? List.of(tag) : List.of()));
    return Collections.unmodifiableList(names);
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Either the whole new file is there afterwards, or the old one; {@code UNAVAILABLE} if not. */
  private static void replace(Path file, Content content) {
    Path beside = file.resolveSibling(file.getFileName() + UNFINISHED);
    try {
      try (OutputStream out = Files.newOutputStream(beside)) {
        content.writeTo(out);
      }
      try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      discard(beside);
      throw Failure.UNAVAILABLE.because("cannot write %s: %s", file.getFileName(), e.getMessage());
    }
  }

  private static void discard(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "cannot delete {0}: {1}", file, e.getMessage());
    }
  }
}
