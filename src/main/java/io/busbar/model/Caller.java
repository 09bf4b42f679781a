package io.busbar.model;

import java.util.List;

/**
 * What a callback may do to the instance that waits for it.
 *
 * <p>Valid until the callback returns; then every method fails with {@code NO_SUCH_CALLER}. The
 * memory is the first one exported, or else the module's first.
 */
public interface Caller {
  /** Whether the instance exports a function of this name. */
  boolean exists(String function);

  /** Calls an exported function of the waiting instance; fails as any call does. */
  List<Object> call(String function, List<?> params);

  Object global(String name);

  /** Sets an exported global; returns its new value. */
  Object setGlobal(String name, Object value);

  /** The size of the memory, in pages of 65,536 bytes. */
  long pages();

  /** A copy of {@code length} bytes from {@code offset}; {@code OUT_OF_BOUNDS} beyond the end. */
  byte[] read(long offset, long length);

  /** Writes all bytes or none. */
  void write(long offset, byte[] bytes);

  /** Grows the memory; returns its previous size in pages, or fails with {@code LIMIT}. */
  long grow(long pages);
}
