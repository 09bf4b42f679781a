package io.busbar.model;

import java.util.List;
import java.util.Optional;

/**
 * What an instance offers: its exported functions, globals and memories, by name.
 *
 * <p>A null memory means the first one exported. Values are Integer, Long, Float, Double, {@link
 * V128}, or null for a null reference; what goes in may be any number that fits. Every method fails
 * with a {@link WasmException}.
 */
public interface Exports {
  /** Whether there is a function of this name. */
  boolean exists(String function);

  /**
   * Calls a function; the results in order, an empty list for none.
   *
   * @throws WasmException {@code NO_SUCH_EXPORT}, {@code BAD_PARAMS}, in this order; or the trap
   */
  List<Object> call(String function, List<?> params);

  /**
   * Gives a function bytes and takes those it answers, all in one: for a module that exports {@code
   * alloc(size) → pointer} and, if it frees memory, {@code dealloc(pointer, size)}, a function that
   * takes {@code (pointer, length)} and answers {@code pointer << 32 | length} or both. A WASI
   * command, without params and results, gets the bytes as its stdin and answers on stdout.
   *
   * @param most the most bytes that are taken
   * @throws WasmException {@code NO_SUCH_EXPORT}; {@code BAD_REQUEST} for other signatures; {@code
   *     LIMIT} where the guest has no room; {@code OUT_OF_BOUNDS}, {@code TOO_LARGE}; or the trap
   */
  byte[] invoke(String function, byte[] input, long most);

  /** The value of a global; fails with {@code NO_SUCH_GLOBAL} or {@code BAD_RESULT}. */
  Object global(String name);

  /**
   * Sets a global; its new value.
   *
   * @throws WasmException {@code NO_SUCH_GLOBAL}, {@code BAD_PARAMS}, {@code IMMUTABLE_GLOBAL}, in
   *     this order
   */
  Object setGlobal(String name, Object value);

  /** The name a memory is exported under; fails with {@code NO_SUCH_MEMORY}. */
  Optional<String> memoryName(String memory);

  /** The size of a memory, in pages of 65,536 bytes. */
  int pages(String memory);

  /** A copy of {@code length} bytes; fails with {@code OUT_OF_BOUNDS} beyond the end. */
  byte[] read(String memory, long offset, long length);

  /** Writes all bytes or, with {@code OUT_OF_BOUNDS}, none. */
  void write(String memory, long offset, byte[] bytes);

  /** Grows a memory; its previous size in pages, or {@code LIMIT}. */
  int grow(String memory, long pages);

  /** The fuel that is left; fails with {@code NO_FUEL} where no limit of it was given. */
  long fuel();

  /** From now on this much fuel is left; fails with {@code NO_FUEL} where no limit was given. */
  void setFuel(long fuel);
}
