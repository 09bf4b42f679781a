package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;

/** What can be done to files by their paths, but for opening them. */
final class PathCalls {
  private static final int FOLLOW = 1;

  private final Descriptors open;
  private final Abi abi;

  private PathCalls(Descriptors open, Abi abi) {
    this.open = open;
    this.abi = abi;
  }

  static void into(Table table, Descriptors open, Abi abi, Moves moves) {
    PathCalls calls = new PathCalls(open, abi);
    table.add("path_filestat_get", "iiiii", moves.lookup(calls::stat));
    table.add("path_filestat_set_times", "iiiiIIi", moves.lookup(calls::setTimes));
    table.add("path_create_directory", "iii", moves.lookup(calls::createDirectory));
    table.add("path_remove_directory", "iii", moves.lookup(call -> calls.remove(call, true)));
    table.add("path_unlink_file", "iii", moves.lookup(call -> calls.remove(call, false)));
    table.add("path_rename", "iiiiii", moves.move(calls::rename));
    table.add("path_link", "iiiiiii", moves.lookup(calls::link));
    table.add("path_symlink", "iiiii", moves.lookup(calls::symlink));
    table.add("path_readlink", "iiiiii", moves.lookup(calls::readLink));
  }

  private Directory writable(int number) throws Errno.Thrown {
    Directory directory = open.directory(number);
    directory.tree().checkWritable();
    return directory;
  }

  private static BasicFileAttributes existing(Path path) throws Errno.Thrown, IOException {
    BasicFileAttributes attributes = Tree.attributes(path);
    if (attributes == null) {
      throw Errno.NOENT.thrown();
    }
    return attributes;
  }

  private static void checkNew(Path path) throws Errno.Thrown, IOException {
    if (Tree.attributes(path) != null) {
      throw Errno.EXIST.thrown();
    }
  }

  private void stat(WasiCall call) throws Errno.Thrown, IOException {
    boolean follow = (call.i32(1) & FOLLOW) != 0;
    Path path = open.directory(call.i32(0)).resolve(call.path(2), follow);
    abi.putStat(call, call.i32(4), FileStat.of(existing(path)));
  }

  private void setTimes(WasiCall call) throws Errno.Thrown, IOException {
    boolean follow = (call.i32(1) & FOLLOW) != 0;
    Path path = writable(call.i32(0)).resolve(call.path(2), follow);
    existing(path);
    DescriptorCalls.setTimes(call, 4, path);
  }

  private void createDirectory(WasiCall call) throws Errno.Thrown, IOException {
    Directory directory = writable(call.i32(0));
    Path path = directory.resolve(call.path(1), false);
    checkNew(path);
    directory.tree().quota().checkRoom();
    Files.createDirectory(path);
    directory.tree().quota().made();
  }

  private void remove(WasiCall call, boolean directories) throws Errno.Thrown, IOException {
    Directory directory = writable(call.i32(0));
    Path path = directory.resolve(call.path(1), false);
    boolean isDirectory = existing(path).isDirectory();
    if (isDirectory != directories) {
      throw (directories ? Errno.NOTDIR : Errno.ISDIR).thrown();
    } else if (path.equals(directory.path())) {
      throw Errno.INVAL.thrown();
    }
    Files.delete(path);
    directory.tree().quota().removed();
  }

  private void rename(WasiCall call) throws Errno.Thrown, IOException {
    Directory from = writable(call.i32(0));
    Directory to = writable(call.i32(3));
    Path old = from.resolve(call.path(1), false);
    Path renamed = to.resolve(call.path(4), false);
    BasicFileAttributes attributes = existing(old);
    BasicFileAttributes replaced = Tree.attributes(renamed);
    if (from.tree().real() != to.tree().real()) {
      throw Errno.XDEV.thrown();
    } else if (old.equals(from.path()) || renamed.equals(to.path()) || isInside(renamed, old)) {
      throw Errno.INVAL.thrown();
    } else if (attributes.isSymbolicLink() && from.tree().real()) {
      throw Errno.PERM.thrown();
    }
    if (replaced != null && attributes.isDirectory() != replaced.isDirectory()) {
      throw (replaced.isDirectory() ? Errno.ISDIR : Errno.NOTDIR).thrown();
    }
    if (!old.equals(renamed)) {
      Files.move(old, renamed, StandardCopyOption.REPLACE_EXISTING);
    }
    if (replaced != null && !old.equals(renamed)) {
      to.tree().quota().removed();
    }
  }

  private static boolean isInside(Path path, Path directory) {
    return !path.equals(directory) && path.startsWith(directory);
  }

  /** Links that others could follow are made in memory only. */
  private Directory linkable(int number) throws Errno.Thrown {
    Directory directory = writable(number);
    if (directory.tree().real()) {
      throw Errno.PERM.thrown();
    }
    directory.tree().quota().checkRoom();
    return directory;
  }

  private void link(WasiCall call) throws Errno.Thrown, IOException {
    Directory from = linkable(call.i32(0));
    Directory to = linkable(call.i32(4));
    Path old = from.resolve(call.path(2), (call.i32(1) & FOLLOW) != 0);
    Path made = to.resolve(call.path(5), false);
    if (!existing(old).isRegularFile()) {
      throw Errno.PERM.thrown();
    }
    checkNew(made);
    Files.createLink(made, old);
    to.tree().quota().made();
  }

  private void symlink(WasiCall call) throws Errno.Thrown, IOException {
    String target = call.path(0);
    Directory directory = linkable(call.i32(2));
    if (target.isEmpty() || target.startsWith("/")) {
      throw (target.isEmpty() ? Errno.NOENT : Errno.PERM).thrown();
    }
    Path made = directory.resolve(call.path(3), false);
    checkNew(made);
    Files.createSymbolicLink(made, made.getFileSystem().getPath(target));
    directory.tree().quota().made();
  }

  private void readLink(WasiCall call) throws Errno.Thrown, IOException {
    Path path = open.directory(call.i32(0)).resolve(call.path(1), false);
    if (!existing(path).isSymbolicLink()) {
      throw Errno.INVAL.thrown();
    }
    Path target = Files.readSymbolicLink(path);
    if (target.isAbsolute()) {
      throw Errno.PERM.thrown(); // it names a place outside
    }
    byte[] text = target.toString().getBytes(StandardCharsets.UTF_8);
    int used = Math.min(text.length, call.i32(4));
    call.put(call.i32(3), text, 0, used);
    call.putInt(call.i32(5), used);
  }
}
