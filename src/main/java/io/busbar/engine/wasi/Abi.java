package io.busbar.engine.wasi;

import java.util.Optional;

/** The two versions of preview 1 that programs were built for; they differ in a few layouts. */
enum Abi {
  UNSTABLE("wasi_unstable"),
  PREVIEW1("wasi_snapshot_preview1");

  /** Where a seek starts from. */
  enum Whence {
    START,
    HERE,
    END
  }

  private final String module;

  Abi(String module) {
    this.module = module;
  }

  static Optional<Abi> of(String module) {
    for (Abi abi : values()) {
      if (abi.module.equals(module)) {
        return Optional.of(abi);
      }
    }
    return Optional.empty();
  }

  Whence whence(int number) throws Errno.Thrown {
    if (number < 0 || number > 2) {
      throw Errno.INVAL.thrown();
    }
    return Whence.values()[this == PREVIEW1 ? number : (number + 1) % 3];
  }

  /** Writes what is known about a file; times in nanoseconds. */
  void putStat(WasiCall call, int at, FileStat stat) {
    int links = at + (this == PREVIEW1 ? 24 : 20);
    int size = at + (this == PREVIEW1 ? 32 : 24);
    call.zero(at, size - at + 32);
    call.putLong(at, 1);
    call.putLong(at + 8, stat.inode());
    call.putByte(at + 16, stat.type());
    call.putInt(links, 1);
    call.putLong(size, stat.size());
    call.putLong(size + 8, stat.accessed());
    call.putLong(size + 16, stat.modified());
    call.putLong(size + 24, stat.changed());
  }

  /** The bytes of one subscription of a poll. */
  int subscriptionSize() {
    return this == PREVIEW1 ? 48 : 56;
  }

  /** Where a clock's subscription says which; timeout and flags follow 8 and 24 bytes later. */
  int clockOffset() {
    return this == PREVIEW1 ? 16 : 24;
  }
}
