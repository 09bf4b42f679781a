package io.busbar.engine.wasi;

import io.busbar.engine.Budget;
import java.io.IOException;
import java.nio.file.FileStore;

/**
 * How many files a guest may make, how long one may be, and what of the budget those in memory
 * hold.
 *
 * <p>What a file system in memory has once held it keeps for the next file, so what was reserved
 * for it stays until the guest is closed.
 */
final class FileQuota {
  private static final int MOST_FILES = 10_000;
  private static final long PER_FILE = 2 << 10; // bytes: the file itself, its name, where it leads
  private static final long BLOCK = 8 << 10; // bytes: files in memory grow by so many

  private final long bytes;
  private final Budget budget;
  private int files; // made and not removed by the guest
  private int filesReserved;
  private long bytesReserved;

  FileQuota(long bytes, Budget budget) {
    this.bytes = bytes;
    this.budget = budget;
  }

  void checkSize(long size) throws Errno.Thrown {
    if (size < 0 || size > bytes) {
      throw Errno.FBIG.thrown();
    }
  }

  /** Fails where the guest has made as many files as it may. */
  void checkRoom() throws Errno.Thrown {
    if (files >= MOST_FILES || files >= filesReserved && !budget.tryReserve(PER_FILE)) {
      throw Errno.NOSPC.thrown();
    }
    filesReserved = Math.max(filesReserved, files + 1);
  }

  void made() {
    files++;
  }

  void removed() {
    files--;
  }

  /** Room for the files a guest begins with; fails with {@code LIMIT} where there is none. */
  void reserveFirst(long files, long sum) {
    long first = Math.min(bytes, sum + BLOCK * files);
    budget.reserve(first + PER_FILE * files);
    bytesReserved = first;
  }

  /** Before a file in memory grows by so many bytes; fails where the budget has no room. */
  void reserve(FileStore memory, long more) throws Errno.Thrown, IOException {
    long used = memory.getTotalSpace() - memory.getUnallocatedSpace();
    long wanted = Math.min(memory.getTotalSpace(), used + more + BLOCK);
    if (wanted > bytesReserved) {
      if (!budget.tryReserve(wanted - bytesReserved)) {
        throw Errno.NOSPC.thrown();
      }
      bytesReserved = wanted;
    }
  }
}
