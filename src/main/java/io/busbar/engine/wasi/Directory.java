package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An open directory. */
final class Directory implements Descriptor {
  private static final int MOST_LISTED = 100_000;

  private final Tree tree;
  private final Path path;
  private final Optional<String> preopened; // its path in the guest
  private List<Path> listing = List.of();

  Directory(Tree tree, Path path, Optional<String> preopened) {
    this.tree = tree;
    this.path = path;
    this.preopened = preopened;
  }

  Tree tree() {
    return tree;
  }

  Path path() {
    return path;
  }

  Optional<String> preopened() {
    return preopened;
  }

  @Override
  public int type() {
    return DIRECTORY;
  }

  @Override
  public long rights() {
    return Rights.directory(!tree.readOnly());
  }

  /** The file that a path from here leads to; one at the end need not exist. */
  Path resolve(String name, boolean follow) throws Errno.Thrown, IOException {
    return Tree.resolve(path, name, follow);
  }

  /** Its files, as they were when the guest began to read them. */
  List<Path> list(boolean again) throws IOException {
    if (again) {
      listing = read();
    }
    return listing;
  }

  private List<Path> read() throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(path)) {
      for (Path file : stream) {
        WasiCall.checkInterrupt();
        if (files.size() < MOST_LISTED) {
          files.add(file);
        }
      }
    }
    return files;
  }
}
