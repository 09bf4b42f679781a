package io.busbar.engine;

import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * The folder in which a node keeps binaries and their names.
 *
 * <p>A file is written beside its place, forced to disk and renamed, and its digest is checked when
 * it is read. Blocking; {@code UNAVAILABLE} is what does not work.
 */
final class ModuleFolder {
  private static final System.Logger LOG = System.getLogger(ModuleFolder.class.getName());
  private static final String SUFFIX = ".wasm";
  private static final String UNFINISHED = ".new";

  private final Path root;

  /** Which is made if need be; what was not finished is cleared away. */
  ModuleFolder(Path root) {
    this.root = root;
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw cannotUse(e);
    }
  }

  private RuntimeException cannotUse(IOException e) {
    return Failure.UNAVAILABLE.because("cannot use the module folder %s: %s", root, e);
  }

  /** The sizes of the binaries. */
  Map<ModuleId, Integer> sizes() {
    Map<ModuleId, Integer> sizes = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(root)) {
      for (Path file : files.sorted().toList()) {
        look(file, sizes);
      }
    } catch (IOException e) {
      throw cannotUse(e);
    }
    return sizes;
  }

  private static void look(Path file, Map<ModuleId, Integer> sizes) throws IOException {
    String name = file.getFileName().toString();
    if (name.matches("[0-9a-f]{64}\\.wasm")) {
      sizes.put(new ModuleId(name.substring(0, 64)), (int) Files.size(file));
    } else if (name.endsWith(UNFINISHED)) {
      discard(file);
    }
  }

  /** As they were saved last. */
  Properties tags() {
    Properties saved = new Properties();
    try (InputStream in = Files.newInputStream(tagFile())) {
      saved.load(in);
    } catch (NoSuchFileException e) {
      return saved; // nothing was ever tagged
    } catch (IOException e) {
      throw cannotUse(e);
    }
    return saved;
  }

  void saveTags(Properties tags) {
    replace(tagFile(), out -> tags.store(out, null));
  }

  Path tagFile() {
    return root.resolve("tags.properties");
  }

  private Path file(ModuleId id) {
    return root.resolve(id.hex() + SUFFIX);
  }

  /** Puts the binary to its place, again if what is there was damaged. */
  void write(ModuleId id, byte[] wasm) {
    if (!isIntact(id)) {
      replace(file(id), out -> out.write(wasm));
    }
  }

  private boolean isIntact(ModuleId id) {
    try {
      return Files.exists(file(id)) && ModuleId.of(Files.readAllBytes(file(id))).equals(id);
    } catch (IOException e) {
      return false;
    }
  }

  byte[] read(ModuleId id) {
    try {
      byte[] wasm = Files.readAllBytes(file(id));
      if (!ModuleId.of(wasm).equals(id)) {
        throw Failure.UNAVAILABLE.because("module %s is damaged in this node's store", id);
      }
      return wasm;
    } catch (IOException e) {
      throw Failure.UNAVAILABLE.because("module %s cannot be read: %s", id, e.getMessage());
    }
  }

  void delete(ModuleId id) {
    try {
      Files.deleteIfExists(file(id));
    } catch (IOException e) {
      throw Failure.UNAVAILABLE.because("module %s cannot be deleted: %s", id, e.getMessage());
    }
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Either the whole new file is there afterwards, or the old one. */
  private static void replace(Path file, Content content) {
    Path beside = file.resolveSibling(file.getFileName() + UNFINISHED);
    try {
      try (OutputStream out = Files.newOutputStream(beside)) {
        content.writeTo(out);
      }
      try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      discard(beside);
      throw Failure.UNAVAILABLE.because("cannot write %s: %s", file.getFileName(), e.getMessage());
    }
  }

  private static void discard(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, "cannot delete {0}: {1}", file, e.getMessage());
    }
  }
}
