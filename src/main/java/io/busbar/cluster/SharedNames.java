package io.busbar.cluster;

import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleName;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The names of the modules of all nodes, each user's apart from the others'. Blocks. */
final class SharedNames {
  private static final System.Logger LOG = System.getLogger(SharedNames.class.getName());

  private final Members.Shared<String> digests; // by the key of the name

  SharedNames(Members members) {
    this.digests = members.shared("tags");
  }

  /** A name that a node has known; what it is in the cluster already stays. */
  void bring(String key, ModuleId id) {
    String holder = digests.putIfAbsent(key, id.toString());
    if (holder != null && !holder.equals(id.toString())) {
      LOG.log(System.Logger.Level.WARNING, "`{0}` is {1} here, {2} there", key, id, holder);
    }
  }

  /** Fails with {@code CONFLICT} where it is a version of another module. */
  void checkFree(ModuleRef.Named name, ModuleId id, Reach who) {
    String holder =
        name.version() == null ? null : digests.get(ModuleName.of(who.user(), name).key());
    check(name, id, holder);
  }

  private static void check(ModuleRef.Named name, ModuleId id, String holder) {
    if (holder != null && !holder.equals(id.toString())) {
      throw Failure.CONFLICT.because("`%s` is already %s", name, holder);
    }
  }

  /** A version is for ever; the bare name follows. */
  void set(ModuleRef.Named name, ModuleId id, Reach who) {
    if (name.version() != null) {
      String key = ModuleName.of(who.user(), name).key();
      check(name, id, digests.putIfAbsent(key, id.toString()));
    }
    digests.put(ModuleName.bare(who.user(), name).key(), id.toString());
  }

  /** The digest this stands for with this user, or where there is none with the operator. */
  Optional<String> find(ModuleRef ref, Optional<String> owner) {
    return ref instanceof ModuleRef.Digest named
        ? Optional.of(named.id().toString())
        : Optional.ofNullable(digests.get(new ModuleName(owner, ref.toString()).key()));
  }

  /** The digests of all names, by their keys. */
  Map<String, String> all() {
    return digests.all();
  }

  /** The names of a module. */
  List<ModuleName> of(ModuleId id) {
    return of(id, all()).toList();
  }

  static Stream<ModuleName> of(ModuleId id, Map<String, String> all) {
    return all.entrySet().stream()
        .filter(name -> name.getValue().equals(id.toString()))
        .map(name -> ModuleName.parse(name.getKey()));
  }

  /** They are names of this module no more. */
  void remove(Stream<ModuleName> names, ModuleId id) {
    names.forEach(name -> digests.remove(name.key(), id.toString()));
  }
}
