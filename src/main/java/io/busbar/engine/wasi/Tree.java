package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The files below one preopened directory.
 *
 * @param real whether it is a directory of the node; there a guest makes and moves no links
 * @param quota what all trees of one guest may hold
 */
record Tree(boolean readOnly, boolean real, FileQuota quota) {
  private static final int MOST_LINKS = 40;
  private static final int LONGEST_NAME = 255;

  void checkWritable() throws Errno.Thrown {
    if (readOnly) {
      throw Errno.ROFS.thrown();
    }
  }

  /** Before a file of this tree is written up to this place. */
  void reserve(Path file, long size, long end) throws Errno.Thrown, IOException {
    if (!real && end > size) {
      quota.reserve(Files.getFileStore(file.getRoot()), end - size);
    }
  }

  /** The attributes of the file itself; null where there is none. */
  static BasicFileAttributes attributes(Path path) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /**
   * The file a path leads to from a directory, without leaving that directory.
   *
   * <p>Every link on the way is read here and followed name by name, so none is left for the file
   * system to follow.
   *
   * @param follow whether a link at the end is followed
   */
  static Path resolve(Path from, String path, boolean follow) throws Errno.Thrown, IOException {
    return new Walk(from).to(path, follow);
  }

  /** One path being resolved. */
  private static final class Walk {
    private final Path top;
    private final Deque<String> names = new ArrayDeque<>();
    private Path here;
    private int links;

    Walk(Path top) {
      this.top = top;
      this.here = top;
    }

    Path to(String path, boolean follow) throws Errno.Thrown, IOException {
      push(path);
      boolean directory = path.endsWith("/");
      while (!names.isEmpty()) {
        step(names.pop(), follow || directory);
      }
      if (directory && isOther(attributes(here))) {
        throw Errno.NOTDIR.thrown();
      }
      return here;
    }

    private static boolean isOther(BasicFileAttributes attributes) {
      return attributes != null && !attributes.isDirectory();
    }

    /** Puts a path before what is left to go. */
    private void push(String path) throws Errno.Thrown {
      if (path.isEmpty()) {
        throw Errno.NOENT.thrown();
      } else if (path.startsWith("/")) {
        throw Errno.PERM.thrown();
      } else if (path.indexOf('\0') >= 0) {
        throw Errno.INVAL.thrown();
      }
      String[] parts = path.split("/");
      for (int i = parts.length - 1; i >= 0; i--) {
        if (!parts[i].isEmpty()) {
          names.push(parts[i]);
        }
      }
    }

    private void step(String name, boolean follow) throws Errno.Thrown, IOException {
      if (name.equals("..")) {
        up();
      } else if (!name.equals(".")) {
        down(name, follow);
      }
    }

    private void up() throws Errno.Thrown {
      if (here.equals(top)) {
        throw Errno.PERM.thrown();
      }
      here = here.getParent();
    }

    private void down(String name, boolean follow) throws Errno.Thrown, IOException {
      if (name.length() > LONGEST_NAME) {
        throw Errno.NAMETOOLONG.thrown();
      }
      Path next = here.resolve(name);
      BasicFileAttributes attributes = attributes(next);
      boolean last = names.isEmpty();
      if (attributes != null && attributes.isSymbolicLink() && (follow || !last)) {
        followLink(next);
      } else if (last || attributes != null && attributes.isDirectory()) {
        here = next;
      } else {
        throw (attributes == null ? Errno.NOENT : Errno.NOTDIR).thrown();
      }
    }

    private void followLink(Path link) throws Errno.Thrown, IOException {
      if (++links > MOST_LINKS) {
        throw Errno.LOOP.thrown();
      }
      push(Files.readSymbolicLink(link).toString());
    }
  }
}
