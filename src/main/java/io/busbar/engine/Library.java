package io.busbar.engine;

import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.WasmException;
import java.util.List;
import java.util.Optional;

/** The binaries a node can run, by digest, and the names they go by. Blocking. */
public interface Library {
  /** A module: its size in bytes, its names, and the instances that run it. */
  record Stored(ModuleId id, int size, List<String> tags, List<String> instances) {}

  /**
   * Keeps a valid binary, under a name if there is one.
   *
   * @return whether it is new
   * @throws WasmException {@code CONFLICT} where name and version are another's
   */
  boolean put(ModuleId id, byte[] wasm, Optional<ModuleRef.Named> name);

  /** Names a module that is here; the bare name follows each version. */
  void tag(ModuleRef.Named tag, ModuleId id);

  /** The digest that a name stands for, of a module that is here; else {@code NO_SUCH_MODULE}. */
  ModuleId resolve(ModuleRef ref);

  /** The binary, its digest checked; fails with {@code NO_SUCH_MODULE}. */
  byte[] bytes(ModuleId id);

  /**
   * An instance runs this module from now on; one that was never put stays in memory, until then.
   */
  void use(ModuleId id, byte[] wasm, String instance);

  /** The instance has stopped; true if the module went with it. */
  boolean unuse(ModuleId id, String instance);

  /**
   * Takes a name away, and the module too if it has no other; a digest takes all names away.
   *
   * @return the digest if the module is gone
   * @throws WasmException {@code NO_SUCH_MODULE}, or {@code CONFLICT} in use
   */
  Optional<ModuleId> remove(ModuleRef ref);

  List<Stored> list();

  /** What is known of one module; fails with {@code NO_SUCH_MODULE}. */
  Stored stored(ModuleId id);
}
