package io.busbar.engine.wasi;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import io.busbar.engine.Budget;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasiSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The directories a guest finds open: in a file system of its own in memory, or real ones. */
final class Preopens implements AutoCloseable {
  private final List<Path> roots;
  private final FileQuota quota;
  private final long bytes;
  private FileSystem memory; // null until there is something in it

  /**
   * Nothing yet.
   *
   * @param roots the real directories below which others may be opened
   * @param bytes what all files in memory may hold
   * @param budget where what they hold is reserved
   */
  Preopens(List<Path> roots, long bytes, Budget budget) {
    this.roots = roots;
    this.quota = new FileQuota(bytes, budget);
    this.bytes = bytes;
  }

  private FileSystem memory() {
    if (memory == null) {
      memory =
          Jimfs.newFileSystem(
              Configuration.unix().toBuilder().setMaxSize(bytes).setWorkingDirectory("/").build());
    }
    return memory;
  }

  /** Fails with {@code BAD_REQUEST}, {@code FORBIDDEN}, {@code TOO_LARGE} or {@code LIMIT}. */
  List<Directory> open(List<WasiSpec.Preopen> specs) {
    long files = specs.stream().mapToLong(spec -> spec.files().size()).sum();
    quota.reserveFirst(files, specs.stream().mapToLong(WasiSpec.Preopen::bytes).sum());
    List<Directory> opened = new ArrayList<>();
    for (WasiSpec.Preopen spec : specs) {
      Path path = spec.host().isPresent() ? real(spec.host().get()) : inMemory(opened.size(), spec);
      Tree tree = new Tree(spec.readOnly(), spec.host().isPresent(), quota);
      opened.add(new Directory(tree, path, Optional.of(spec.guest())));
    }
    return opened;
  }

  private Path inMemory(int number, WasiSpec.Preopen spec) {
    Path directory = memory().getPath("/" + number);
    try {
      Files.createDirectory(directory);
      for (Map.Entry<String, byte[]> file : spec.files().entrySet()) {
        Path path = directory.resolve(file.getKey());
        Files.createDirectories(path.getParent());
        Files.write(path, file.getValue());
      }
      return directory;
    } catch (FileAlreadyExistsException e) {
      throw Failure.BAD_REQUEST.because(
          "`%s` is a file and a directory in preopen `%s`",
          Names.shown(e.getFile()), Names.shown(spec.guest()));
    } catch (IOException e) {
      throw Failure.TOO_LARGE.because(
          "the files of preopen `%s` do not fit: %s",
          Names.shown(spec.guest()), Names.shown(String.valueOf(e.getMessage())));
    }
  }

  /** The place is checked as it is written, and again where links have led. */
  private Path real(String host) {
    Path asked = Path.of(host);
    if (!asked.isAbsolute() || !isBelowRoot(asked.normalize())) {
      throw forbidden(host);
    }
    try {
      Path real = asked.toRealPath();
      if (!isBelowRealRoot(real)) {
        throw forbidden(host);
      } else if (!Files.isDirectory(real)) {
        throw Failure.BAD_REQUEST.because("`%s` is not a directory", Names.shown(host));
      }
      return real;
    } catch (IOException e) {
      throw Failure.BAD_REQUEST.because(
          "there is no directory `%s` on this node", Names.shown(host));
    }
  }

  private static RuntimeException forbidden(String host) {
    return Failure.FORBIDDEN.because(
        "directory `%s` is not below one that `wasi.roots` allows", Names.shown(host));
  }

  private boolean isBelowRoot(Path path) {
    return roots.stream().anyMatch(root -> path.startsWith(root.toAbsolutePath().normalize()));
  }

  private boolean isBelowRealRoot(Path path) throws IOException {
    for (Path root : roots) {
      if (Files.exists(root) && path.startsWith(root.toRealPath())) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    try {
      if (memory != null) {
        memory.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
