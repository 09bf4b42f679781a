package io.busbar.engine.wasi;

/** How many files a guest may make, and how long one may be. */
final class FileQuota {
  private static final int MOST_FILES = 10_000;

  private final long bytes;
  private int files; // made and not removed by the guest

  FileQuota(long bytes) {
    this.bytes = bytes;
  }

  void checkSize(long size) throws Errno.Thrown {
    if (size < 0 || size > bytes) {
      throw Errno.FBIG.thrown();
    }
  }

  /** Fails where the guest has made as many files as it may. */
  void checkRoom() throws Errno.Thrown {
    if (files >= MOST_FILES) {
      throw Errno.NOSPC.thrown();
    }
  }

  void made() {
    files++;
  }

  void removed() {
    files--;
  }
}
