package io.busbar.engine.wasi;

import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;

/** What a guest can learn about a file; times in nanoseconds since 1970. */
record FileStat(long inode, int type, long size, long accessed, long modified, long changed) {
  static FileStat of(BasicFileAttributes attributes) {
    long modified = nanos(attributes.lastModifiedTime());
    return new FileStat(
        inode(attributes),
        type(attributes),
        attributes.size(),
        nanos(attributes.lastAccessTime()),
        modified,
        modified);
  }

  /** A stream, which has no more than a type. */
  static FileStat stream() {
    return new FileStat(0, Descriptor.UNKNOWN, 0, 0, 0, 0);
  }

  static long inode(BasicFileAttributes attributes) {
    Object key = attributes.fileKey();
    return key == null ? 0 : Integer.toUnsignedLong(key.hashCode());
  }

  static int type(BasicFileAttributes attributes) {
    if (attributes.isDirectory()) {
      return Descriptor.DIRECTORY;
    } else if (attributes.isSymbolicLink()) {
      return Descriptor.SYMBOLIC_LINK;
    }
    return attributes.isRegularFile() ? Descriptor.REGULAR_FILE : Descriptor.UNKNOWN;
  }

  private static long nanos(FileTime time) {
    return time.to(TimeUnit.NANOSECONDS);
  }
}
