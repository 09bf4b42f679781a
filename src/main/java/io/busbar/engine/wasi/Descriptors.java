package io.busbar.engine.wasi;

import io.busbar.engine.Headroom;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A guest's open files by their numbers, the lowest free one first, and not too many. */
final class Descriptors {
  private static final int MOST = 256;

  private final List<Descriptor> open = new ArrayList<>();

  /** Its number; fails where too many are open. */
  int add(Descriptor descriptor) throws Errno.Thrown {
    int free = open.indexOf(null);
    if (free >= 0) {
      open.set(free, descriptor);
      return free;
    }
    checkRoom();
    open.add(descriptor);
    return open.size() - 1;
  }

  /** Fails where no more can be opened. */
  void checkRoom() throws Errno.Thrown {
    if (open.size() >= MOST && !open.contains(null)) {
      throw Errno.MFILE.thrown();
    }
  }

  Descriptor get(int number) throws Errno.Thrown {
    Descriptor descriptor = number >= 0 && number < open.size() ? open.get(number) : null;
    if (descriptor == null) {
      throw Errno.BADF.thrown();
    }
    if (!(descriptor instanceof Descriptor.In) && !(descriptor instanceof Descriptor.Out)) {
      Headroom.check(Headroom.FUNCTION); // a file system that runs out of stack may keep its locks
    }
    return descriptor;
  }

  Directory directory(int number) throws Errno.Thrown {
    if (get(number) instanceof Directory directory) {
      return directory;
    }
    throw Errno.NOTDIR.thrown();
  }

  /** A regular file; another number where it is something else. */
  OpenFile file(int number, Errno otherwise) throws Errno.Thrown {
    Descriptor descriptor = get(number);
    if (descriptor instanceof OpenFile file) {
      return file;
    }
    throw (descriptor instanceof Directory ? Errno.ISDIR : otherwise).thrown();
  }

  void close(int number) throws Errno.Thrown, IOException {
    Descriptor descriptor = get(number);
    open.set(number, null);
    descriptor.close();
  }

  /** The second number means from now on what the first did, which is free. */
  void renumber(int from, int to) throws Errno.Thrown, IOException {
    Descriptor moved = get(from);
    Descriptor replaced = get(to);
    if (from != to) {
      open.set(to, moved);
      open.set(from, null);
      replaced.close();
    }
  }

  List<Descriptor> all() {
    return open;
  }

  void closeAll() {
    for (Descriptor descriptor : open) {
      try {
        if (descriptor instanceof OpenFile file) {
          file.close();
        }
      } catch (IOException e) {
        continue; // the others are closed all the same
      }
    }
    open.clear();
  }
}
