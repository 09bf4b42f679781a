package io.busbar.engine;

import static java.util.stream.Collectors.joining;

import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import java.util.List;
import java.util.Optional;

/**
 * The binaries a node can run, by digest, and the names they go by. Blocking.
 *
 * <p>Each user has names of their own, and sees the modules that they have put; the operator sees
 * all.
 */
public interface Library {
  /** A module: its size in bytes, its names, and the instances that run it. */
  record Stored(ModuleId id, int size, List<String> tags, List<String> instances) {}

  /**
   * One start of an instance, which uses modules: a later start of the same id is another.
   *
   * @param owner whose instance it is; empty: the operator's
   */
  record Use(String instance, long start, Optional<String> owner) {}

  /**
   * What has been taken away.
   *
   * @param gone whether who asked has the module no more
   * @param deleted whether nobody has
   */
  record Removed(ModuleId id, boolean gone, boolean deleted) {}

  /**
   * Keeps a valid binary, under a name if there is one.
   *
   * @return whether it is new to who puts it
   * @throws WasmException {@code CONFLICT} where name and version are another's
   */
  boolean put(ModuleId id, byte[] wasm, Optional<ModuleRef.Named> name, Reach who);

  /** Names and keeps a module that is here; the bare name follows each version. */
  void tag(ModuleRef.Named tag, ModuleId id, Reach who);

  /** The digest that a name stands for, of a module that is here; else {@code NO_SUCH_MODULE}. */
  ModuleId resolve(ModuleRef ref, Reach who);

  /** The binary, its digest checked; fails with {@code NO_SUCH_MODULE}. */
  byte[] bytes(ModuleId id);

  /**
   * An instance runs this module from now on; one that was never put stays in memory, until then.
   */
  void use(ModuleId id, byte[] wasm, Use use);

  /** The instance has stopped; true if the module went with it. */
  boolean unuse(ModuleId id, Use use);

  /**
   * Takes a name away, and the module too if who asks has no other for it; a digest takes all their
   * names away. The module stays for others who keep it.
   *
   * @throws WasmException {@code NO_SUCH_MODULE}, or {@code CONFLICT} in use
   */
  Removed remove(ModuleRef ref, Reach who);

  List<Stored> list(Reach who);

  /** What is known of one module; fails with {@code NO_SUCH_MODULE}. */
  Stored stored(ModuleId id, Reach who);

  /** {@code NO_SUCH_MODULE}: there is none, or none for who asks. */
  static WasmException noSuchModule(String ref) {
    return Failure.NO_SUCH_MODULE.because("module `%s` not found", ref);
  }

  /**
   * {@code CONFLICT}: instances run it.
   *
   * @param number how many
   * @param shown the ids of those that who asks may know
   */
  static WasmException inUse(ModuleId id, int number, List<String> shown) {
    return shown.isEmpty()
        ? Failure.CONFLICT.because("module %s is in use", id)
        : Failure.CONFLICT.because(
            "module %s is in use by %d instances: `%s`",
            id, number, shown.stream().limit(3).collect(joining("`, `")));
  }
}
