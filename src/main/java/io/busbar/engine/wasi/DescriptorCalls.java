package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What can be learnt about an open descriptor and done to it, but for its bytes. */
final class DescriptorCalls {
  private static final int ENTRY = 24; // bytes before a name in a listing
  private static final int APPEND_OR_HINTS = 0b11111; // flags that can be set: only append counts

  private final Descriptors open;
  private final Abi abi;

  private DescriptorCalls(Descriptors open, Abi abi) {
    this.open = open;
    this.abi = abi;
  }

  static void into(Table table, Descriptors open, Abi abi) {
    DescriptorCalls calls = new DescriptorCalls(open, abi);
    table.add("fd_close", "i", call -> open.close(call.i32(0)));
    table.add("fd_renumber", "ii", call -> open.renumber(call.i32(0), call.i32(1)));
    table.add("fd_prestat_get", "ii", calls::prestat);
    table.add("fd_prestat_dir_name", "iii", calls::prestatName);
    table.add("fd_fdstat_get", "ii", calls::status);
    table.add("fd_fdstat_set_flags", "ii", calls::setFlags);
    table.add("fd_fdstat_set_rights", "iII", call -> open.get(call.i32(0)));
    table.add("fd_filestat_get", "ii", calls::stat);
    table.add("fd_filestat_set_size", "iI", calls::setSize);
    table.add("fd_filestat_set_times", "iIIi", calls::setTimes);
    table.add("fd_advise", "iIIi", call -> open.file(call.i32(0), Errno.SPIPE));
    table.add("fd_allocate", "iII", calls::allocate);
    table.add("fd_sync", "i", call -> calls.sync(call, true));
    table.add("fd_datasync", "i", call -> calls.sync(call, false));
    table.add("fd_readdir", "iiiIi", calls::list);
  }

  private byte[] preopenedName(WasiCall call) throws Errno.Thrown {
    if (open.get(call.i32(0)) instanceof Directory directory && directory.preopened().isPresent()) {
      return directory.preopened().get().getBytes(StandardCharsets.UTF_8);
    }
    throw Errno.BADF.thrown();
  }

  private void prestat(WasiCall call) throws Errno.Thrown {
    int length = preopenedName(call).length;
    call.putInt(call.i32(1), 0);
    call.putInt(call.i32(1) + 4, length);
  }

  private void prestatName(WasiCall call) throws Errno.Thrown {
    byte[] name = preopenedName(call);
    if (call.i32(2) < name.length) {
      throw Errno.NAMETOOLONG.thrown();
    }
    call.put(call.i32(1), name, 0, name.length);
  }

  private void status(WasiCall call) throws Errno.Thrown {
    Descriptor descriptor = open.get(call.i32(0));
    int at = call.i32(1);
    call.zero(at, 24);
    call.putByte(at, descriptor.type());
    call.putShort(at + 2, descriptor instanceof OpenFile file ? file.flags() : 0);
    call.putLong(at + 8, descriptor.rights());
    if (descriptor instanceof Directory directory) {
      boolean writable = !directory.tree().readOnly();
      call.putLong(at + 16, Rights.directory(writable) | Rights.file(writable));
    }
  }

  private void setFlags(WasiCall call) throws Errno.Thrown {
    if ((call.i32(1) & ~APPEND_OR_HINTS) != 0) {
      throw Errno.INVAL.thrown();
    }
    if (open.get(call.i32(0)) instanceof OpenFile file) {
      file.setFlags(call.i32(1));
    }
  }

  private void stat(WasiCall call) throws Errno.Thrown, IOException {
    abi.putStat(call, call.i32(1), stat(open.get(call.i32(0))));
  }

  private static FileStat stat(Descriptor descriptor) throws Errno.Thrown, IOException {
    if (descriptor instanceof Directory directory) {
      return FileStat.of(existing(directory.path()));
    } else if (!(descriptor instanceof OpenFile file)) {
      return FileStat.stream();
    } else {
      BasicFileAttributes attributes = Tree.attributes(file.path());
      return attributes == null
          ? new FileStat(0, Descriptor.REGULAR_FILE, file.channel().size(), 0, 0, 0)
          : FileStat.of(attributes);
    }
  }

  private static BasicFileAttributes existing(Path path) throws Errno.Thrown, IOException {
    BasicFileAttributes attributes = Tree.attributes(path);
    if (attributes == null) {
      throw Errno.NOENT.thrown();
    }
    return attributes;
  }

  private void setSize(WasiCall call) throws Errno.Thrown, IOException {
    open.file(call.i32(0), Errno.INVAL).setSize(call.i64(1));
  }

  private void allocate(WasiCall call) throws Errno.Thrown, IOException {
    OpenFile file = open.file(call.i32(0), Errno.INVAL);
    long offset = call.i64(1);
    long length = call.i64(2);
    if (offset < 0 || length <= 0 || offset + length < 0) {
      throw Errno.INVAL.thrown();
    }
    if (offset + length > file.channel().size()) {
      file.setSize(offset + length);
    }
  }

  private void setTimes(WasiCall call) throws Errno.Thrown, IOException {
    Descriptor descriptor = open.get(call.i32(0));
    if (descriptor instanceof Directory directory) {
      directory.tree().checkWritable();
      setTimes(call, 1, directory.path());
    } else {
      OpenFile file = open.file(call.i32(0), Errno.INVAL);
      if ((file.rights() & Rights.WRITE) == 0) {
        throw Errno.ROFS.thrown();
      }
      setTimes(call, 1, file.path());
    }
  }

  /** Sets the times of a file: access, change and what to set are arguments in this order. */
  static void setTimes(WasiCall call, int arg, Path file) throws Errno.Thrown, IOException {
    int flags = call.i32(arg + 2);
    if ((flags & 0b11) == 0b11 || (flags & 0b1100) == 0b1100) {
      throw Errno.INVAL.thrown();
    }
    FileTime accessed = time(flags, call.i64(arg));
    FileTime modified = time(flags >> 2, call.i64(arg + 1));
    Files.getFileAttributeView(file, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .setTimes(modified, accessed, null);
  }

  private static FileTime time(int flags, long nanos) {
    if ((flags & 1) != 0) {
      return FileTime.from(nanos, TimeUnit.NANOSECONDS);
    }
    return (flags & 2) != 0 ? FileTime.fromMillis(System.currentTimeMillis()) : null;
  }

  private void sync(WasiCall call, boolean times) throws Errno.Thrown, IOException {
    if (open.get(call.i32(0)) instanceof OpenFile file) {
      file.channel().force(times);
    }
  }

  /** Entries from a number on, the last one cut where the buffer ends. */
  private void list(WasiCall call) throws Errno.Thrown, IOException {
    Directory directory = open.directory(call.i32(0));
    int at = call.check(call.i32(1), call.i32(2));
    int room = call.i32(2);
    List<Path> files = directory.list(call.i64(3) == 0);
    int used = 0;
    for (long i = Math.max(0, call.i64(3)); i < files.size() + 2 && used < room; i++) {
      byte[] entry = entry(directory, files, (int) i);
      int put = Math.min(entry.length, room - used);
      call.put(at + used, entry, 0, put);
      used += put;
    }
    call.putInt(call.i32(4), used);
  }

  private static byte[] entry(Directory directory, List<Path> files, int index) throws IOException {
    Path file = index < 2 ? directory.path() : files.get(index - 2);
    String name = index < 2 ? ".".repeat(index + 1) : file.getFileName().toString();
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    BasicFileAttributes attributes = Tree.attributes(file);
    ByteBuffer entry = ByteBuffer.allocate(ENTRY + text.length).order(ByteOrder.LITTLE_ENDIAN);
    entry.putLong(index + 1);
    entry.putLong(attributes == null ? 0 : FileStat.inode(attributes));
    entry.putInt(text.length);
    entry.putInt(attributes == null ? Descriptor.UNKNOWN : FileStat.type(attributes));
    return entry.put(text).array();
  }
}
