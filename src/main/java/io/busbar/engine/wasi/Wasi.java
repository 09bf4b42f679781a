package io.busbar.engine.wasi;

import io.busbar.engine.Budget;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasiSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What one guest may call of WASI, and all it has open; used by that guest's thread alone. */
public final class Wasi implements AutoCloseable {
  /**
   * What a guest gets.
   *
   * @param roots the real directories below which the spec may open others
   * @param fileBytes what all its files in memory may hold
   */
  public record Plan(WasiSpec spec, Stdio stdio, List<Path> roots, long fileBytes) {}

  private final Plan plan;
  private final Clock clock = new Clock();
  private final Descriptors open = new Descriptors();
  private final Preopens preopens;
  private final List<Directory> directories;
  private final byte[] chunk = TransferCalls.chunk();
  private final Map<Abi, Table> tables = new EnumMap<>(Abi.class);

  private Wasi(Plan plan, Preopens preopens) throws Errno.Thrown {
    this.plan = plan;
    this.preopens = preopens;
    this.directories = preopens.open(plan.spec.preopens());
    open.add(new Descriptor.In(plan.stdio.stdin()));
    open.add(new Descriptor.Out(plan.stdio.stdout()));
    open.add(new Descriptor.Out(plan.stdio.stderr()));
    for (Directory directory : directories) {
      open.add(directory);
    }
  }

  /**
   * Opens what the spec names; fails with the reason, and then leaves nothing open.
   *
   * @param budget where what it holds of the heap is reserved; closed by its owner
   */
  public static Wasi open(Plan plan, Budget budget) {
    budget.reserve(plan.spec.bytes() + TransferCalls.CHUNK); // the spec stays with the instance
    Preopens preopens = new Preopens(plan.roots, plan.fileBytes, budget);
    try {
      return new Wasi(plan, preopens);
    } catch (RuntimeException e) {
      preopens.close();
      throw e;
    } catch (Errno.Thrown e) {
      preopens.close();
      throw Failure.BAD_REQUEST.because("too many preopens");
    }
  }

  /** The function a guest imports under this name; empty if WASI has none. */
  public Optional<WasiFunction> function(String module, String name) {
    return Abi.of(module)
        .map(abi -> tables.computeIfAbsent(abi, this::table))
        .flatMap(t -> t.get(name));
  }

  private Table table(Abi abi) {
    Table table = new Table();
    ProcessCalls.into(table, plan.spec, clock);
    TransferCalls.into(table, open, abi, chunk);
    DescriptorCalls.into(table, open, abi);
    PathCalls.into(table, open, abi, moves());
    OpenCall.into(table, open, moves());
    PollCall.into(table, open, clock, abi);
    return table;
  }

  private Moves moves() {
    return new Moves(directories.stream().anyMatch(directory -> directory.tree().real()));
  }

  /** The streams it reads and writes. */
  public Stdio stdio() {
    return plan.stdio;
  }

  /** A file below one of the preopened directories, from an offset on, at most so many bytes. */
  public byte[] readFile(String path, long offset, int most) {
    try {
      Path file = find(path);
      BasicFileAttributes attributes = file == null ? null : Tree.attributes(file);
      if (attributes == null || !attributes.isRegularFile()) {
        throw Failure.BAD_REQUEST.because("the guest has no file `%s`", Names.shown(path));
      }
      return read(file, offset, most);
    } catch (Errno.Thrown e) {
      throw Failure.BAD_REQUEST.because("the guest has no file `%s`", Names.shown(path));
    } catch (IOException e) {
      throw Failure.BAD_REQUEST.because("file `%s` cannot be read", Names.shown(path));
    }
  }

  /** Looked for in the directory whose path in the guest is the longest beginning of this one. */
  private Path find(String path) throws Errno.Thrown, IOException {
    Directory best = null;
    String rest = null;
    for (Directory directory : directories) {
      String below = below(directory.preopened().orElseThrow(), path);
      if (below != null && (rest == null || below.length() < rest.length())) {
        best = directory;
        rest = below;
      }
    }
    return best == null ? null : best.resolve(rest, true);
  }

  private static String below(String directory, String path) {
    if (directory.equals(".") && !path.startsWith("/")) {
      return path;
    }
    String start = directory.endsWith("/") ? directory : directory + "/";
    return path.startsWith(start) ? path.substring(start.length()) : null;
  }

  private static byte[] read(Path file, long offset, int most) throws IOException {
    Set<OpenOption> how = Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    try (FileChannel channel = FileChannel.open(file, how)) {
      long left = Math.max(0, channel.size() - offset);
      if (left > most) {
        throw Failure.TOO_LARGE.because(
            "%d bytes from %d on; at most %d are read at once", left, offset, most);
      }
      ByteBuffer bytes = ByteBuffer.allocate((int) left);
      while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) > 0) {
        WasiCall.checkInterrupt();
      }
      return Arrays.copyOf(bytes.array(), bytes.position());
    }
  }

  /** Closes its files, and drops those in memory; again does nothing. */
  @Override
  public void close() {
    open.closeAll();
    preopens.close();
  }
}
