package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Opens files and directories by their paths. */
final class OpenCall {
  private static final int FOLLOW = 1;
  private static final int CREATE = 1;
  private static final int MUST_BE_DIRECTORY = 2;
  private static final int MUST_BE_NEW = 4;
  private static final int EMPTIED = 8;
  private static final long WRITES = Rights.WRITE | 1L << 8 | 1L << 22; // and allocate, set size

  private final Descriptors open;

  private OpenCall(Descriptors open) {
    this.open = open;
  }

  static void into(Table table, Descriptors open, Moves moves) {
    OpenCall calls = new OpenCall(open);
    table.add("path_open", "iiiiiIIii", moves.lookup(calls::open));
  }

  /** What the guest wants opened, and how. */
  private record Wish(Tree tree, Path path, int how, long rights, int flags) {
    boolean is(int bit) {
      return (how & bit) != 0;
    }

    boolean writes() {
      return (rights & WRITES) != 0;
    }

    boolean reads() {
      return (rights & Rights.READ) != 0 || !writes();
    }
  }

  private void open(WasiCall call) throws Errno.Thrown, IOException {
    open.checkRoom();
    Directory from = open.directory(call.i32(0));
    String name = call.path(2);
    Path path = from.resolve(name, (call.i32(1) & FOLLOW) != 0);
    Wish wish = new Wish(from.tree(), path, call.i32(4), call.i64(5), call.i32(7));
    call.check(call.i32(8), Integer.BYTES);
    Descriptor opened = open(wish, Tree.attributes(path), name.endsWith("/"));
    call.putInt(call.i32(8), open.add(opened));
  }

  private static Descriptor open(Wish wish, BasicFileAttributes found, boolean asDirectory)
      throws Errno.Thrown, IOException {
    if (found == null) {
      checkMayCreate(wish, asDirectory);
      wish.tree.quota().checkRoom();
      OpenFile file = file(wish, true);
      wish.tree.quota().made();
      return file;
    } else if (wish.is(CREATE) && wish.is(MUST_BE_NEW)) {
      throw Errno.EXIST.thrown();
    } else if (found.isDirectory()) {
      return directory(wish);
    }
    checkRegular(wish, found);
    return file(wish, false);
  }

  private static void checkMayCreate(Wish wish, boolean asDirectory) throws Errno.Thrown {
    if (!wish.is(CREATE) || asDirectory) {
      throw Errno.NOENT.thrown();
    } else if (wish.is(MUST_BE_DIRECTORY)) {
      throw Errno.INVAL.thrown();
    }
    wish.tree.checkWritable();
  }

  private static Directory directory(Wish wish) throws Errno.Thrown {
    if ((wish.rights & Rights.WRITE) != 0 || wish.is(CREATE) || wish.is(EMPTIED)) {
      throw Errno.ISDIR.thrown();
    }
    return new Directory(wish.tree, wish.path, Optional.empty());
  }

  /** Pipes and devices are not opened: that could wait, or do something. */
  private static void checkRegular(Wish wish, BasicFileAttributes found) throws Errno.Thrown {
    if (wish.is(MUST_BE_DIRECTORY)) {
      throw Errno.NOTDIR.thrown();
    } else if (found.isSymbolicLink()) {
      throw Errno.LOOP.thrown();
    } else if (!found.isRegularFile()) {
      throw Errno.ACCES.thrown();
    } else if (wish.writes() || wish.is(EMPTIED)) {
      wish.tree.checkWritable();
    }
  }

  private static OpenFile file(Wish wish, boolean isNew) throws IOException {
    Set<OpenOption> options = new HashSet<>(Set.of(LinkOption.NOFOLLOW_LINKS));
    options.add(StandardOpenOption.READ);
    if (wish.writes() || wish.is(EMPTIED) || isNew) {
      options.add(StandardOpenOption.WRITE);
    }
    if (isNew) {
      options.add(StandardOpenOption.CREATE_NEW);
    } else if (wish.is(EMPTIED)) {
      options.add(StandardOpenOption.TRUNCATE_EXISTING);
    }
    return new OpenFile(
        wish.tree,
        wish.path,
        FileChannel.open(wish.path, options),
        wish.reads(),
        wish.writes(),
        wish.flags);
  }
}
