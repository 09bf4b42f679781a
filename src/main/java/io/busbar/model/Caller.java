package io.busbar.model;

/**
 * What a callback may do to the instance that waits for it.
 *
 * <p>Valid until the callback returns, on its thread; then every method fails with {@code
 * NO_SUCH_CALLER}. The memory is that of the module that called: the first one it exports, or else
 * its first.
 */
public interface Caller extends Exports {
  default int pages() {
    return pages(null);
  }

  default byte[] read(long offset, long length) {
    return read(null, offset, length);
  }

  default void write(long offset, byte[] bytes) {
    write(null, offset, bytes);
  }

  default int grow(long pages) {
    return grow(null, pages);
  }
}
