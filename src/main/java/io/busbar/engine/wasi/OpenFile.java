package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** An open regular file. */
final class OpenFile implements Descriptor {
  static final int APPEND = 1; // a flag, as WASI numbers it

  private final Tree tree;
  private final Path path;
  private final FileChannel channel;
  private final boolean readable;
  private final boolean writable;
  private int flags;

  OpenFile(
      Tree tree, Path path, FileChannel channel, boolean readable, boolean writable, int flags) {
    this.tree = tree;
    this.path = path;
    this.channel = channel;
    this.readable = readable;
    this.writable = writable;
    this.flags = flags;
  }

  Path path() {
    return path;
  }

  FileChannel channel() {
    return channel;
  }

  int flags() {
    return flags;
  }

  void setFlags(int flags) {
    this.flags = flags;
  }

  @Override
  public int type() {
    return REGULAR_FILE;
  }

  @Override
  public long rights() {
    long rights = Rights.file(writable);
    return readable ? rights : rights & ~Rights.READ;
  }

  /** At the position, or at the file's own where that is negative; -1 at the end. */
  int read(ByteBuffer to, long position) throws Errno.Thrown, IOException {
    if (!readable) {
      throw Errno.BADF.thrown();
    }
    return position < 0 ? channel.read(to) : channel.read(to, position);
  }

  /** At the position, or at the file's own where that is negative. */
  int write(ByteBuffer from, long position) throws Errno.Thrown, IOException {
    checkWritable();
    if (position < 0 && (flags & APPEND) != 0) {
      channel.position(channel.size());
    }
    long at = position < 0 ? channel.position() : position;
    checkRoom(at + from.remaining());
    return position < 0 ? channel.write(from) : channel.write(from, position);
  }

  private void checkRoom(long end) throws Errno.Thrown, IOException {
    tree.quota().checkSize(end);
    tree.reserve(path, channel.size(), end);
  }

  private void checkWritable() throws Errno.Thrown {
    if (!writable) {
      throw Errno.BADF.thrown();
    }
  }

  /** Cuts it, or fills it up with zeros. */
  void setSize(long size) throws Errno.Thrown, IOException {
    checkWritable();
    checkRoom(size);
    if (size > channel.size()) {
      channel.write(ByteBuffer.allocate(1), size - 1);
    } else {
      channel.truncate(size);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
