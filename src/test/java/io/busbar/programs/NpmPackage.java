package io.busbar.programs;

import static java.util.concurrent.TimeUnit.SECONDS;
import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * A package of the npm registry, fetched once into {@code target/npm}.
 *
 * <p>Where npm is missing, or does not get it, the test is skipped with npm's own reason; it fails
 * instead where the system property {@code busbar.require.npm} is true.
 */
record NpmPackage(String name, String version) {
  private static final Path CACHE = Path.of("target", "npm").toAbsolutePath();
  private static final int PATIENCE_SECONDS = 60;

  /** Set once npm turned out to be missing, stuck or offline: it is not tried for every test. */
  private static volatile String hopeless;

  /** A file of the package, of this digest. */
  byte[] file(String path, String sha256) {
    try {
      byte[] bytes = TarGz.read(archive(), "package/" + path);
      return Digest.pinned(bytes, sha256, path + " of " + this);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path archive() throws IOException {
    Path archive = CACHE.resolve(archiveName());
    if (!Files.exists(archive)) {
      fetch(archive);
    }
    return archive;
  }

  private String id() {
    return name + "@" + version;
  }

  /** As npm names it: {@code @scope/name} becomes {@code scope-name}. */
  private String archiveName() {
    return name.replace("@", "").replace('/', '-') + "-" + version + ".tgz";
  }

  private void fetch(Path archive) throws IOException {
    if (hopeless != null) {
      unavailable(hopeless);
    }
    Path folder = Files.createDirectories(CACHE.resolve(archiveName() + ".fetched"));
    Path log = folder.resolve("npm.log");
    int exit = pack(folder, log);
    if (exit != 0) {
      refused("npm pack " + id() + " ended with " + exit + ": " + reason(log));
    }
    Files.move(folder.resolve(archiveName()), archive, StandardCopyOption.REPLACE_EXISTING);
  }

  /** What npm says, without its stack traces. */
  private static String reason(Path log) throws IOException {
    return Files.readAllLines(log).stream()
        .map(line -> line.replaceFirst("^npm error ", ""))
        .filter(line -> !line.matches("\\s.*|}.*|npm error|A complete log.*"))
        .collect(joining("; "));
  }

  /** A registry may lack one package and have the others; else there is no reaching it. */
  private void refused(String reason) {
    if (reason.contains("E404") || reason.contains("ETARGET")) {
      unavailable(reason);
    }
    giveUp(reason);
  }

  private int pack(Path folder, Path log) throws InterruptedIOException {
    try {
      Process npm = npm().directory(folder.toFile()).redirectOutput(log.toFile()).start();
      if (npm.waitFor(PATIENCE_SECONDS, SECONDS)) {
        return npm.exitValue();
      }
      npm.descendants().forEach(ProcessHandle::destroyForcibly);
      npm.destroyForcibly();
      return giveUp("npm pack " + id() + " did not end in " + PATIENCE_SECONDS + " seconds");
    } catch (InterruptedException e) {
      throw new InterruptedIOException("while npm packed " + this);
    } catch (IOException e) {
      return giveUp("npm cannot be started: " + e.getMessage());
    }
  }

  private ProcessBuilder npm() {
    boolean windows = System.getProperty("os.name").startsWith("Windows");
    return new ProcessBuilder(
            windows ? "npm.cmd" : "npm",
            "pack",
            "--ignore-scripts",
            "--loglevel=error",
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
            id())
        .redirectErrorStream(true);
  }

  private int giveUp(String reason) {
    hopeless = reason;
    return unavailable(reason);
  }

  private int unavailable(String reason) {
    String message = this + " is needed: " + reason;
    if (Boolean.getBoolean("busbar.require.npm")) {
      return Assertions.fail(message);
    }
    return Assumptions.abort(message);
  }

  @Override
  public String toString() {
    return "npm package " + id();
  }
}
