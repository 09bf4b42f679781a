package io.busbar.gateway;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * The standard client of the event-bus bridge in Node, which does what it is told and tells what
 * comes of it.
 *
 * <p>Where Node or npm is missing, or does not get the client, the test is skipped; it fails
 * instead where the system property {@code busbar.require.npm} is true.
 */
final class NodeClient implements AutoCloseable {
  private static final Path RESOURCES = Path.of("src", "test", "resources", "js").toAbsolutePath();
  private static final Path FOLDER = Path.of("target", "npm", "eventbus").toAbsolutePath();
  private static final int PATIENCE_SECONDS = 60;
  private static final long ANSWER_SECONDS = 20;

  private final Process process;
  private final Writer commands;
  private final LinkedBlockingQueue<JsonObject> told = new LinkedBlockingQueue<>();

  private NodeClient(Process process) {
    this.process = process;
    this.commands = process.outputWriter();
    Thread reader = new Thread(this::read, "node");
    reader.setDaemon(true);
    reader.start();
  }

  /** Gets the client, once. */
  static void install() throws Exception {
    Path done = FOLDER.resolve("done");
    if (Files.exists(done)) {
      return;
    }
    Files.createDirectories(FOLDER);
    for (String file : new String[] {"package.json", "package-lock.json"}) {
      Files.copy(
          RESOURCES.resolve(file), FOLDER.resolve(file), StandardCopyOption.REPLACE_EXISTING);
    }
    Path log = FOLDER.resolve("npm.log");
    try {
      Process npm =
          new ProcessBuilder(
                  "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
              .directory(FOLDER.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      if (!npm.waitFor(PATIENCE_SECONDS, SECONDS)) {
        npm.destroyForcibly();
        unavailable("npm ci did not end in " + PATIENCE_SECONDS + " seconds");
      } else if (npm.exitValue() != 0) {
        unavailable("npm ci: " + Files.readString(log));
      }
      Files.createFile(done);
    } catch (IOException e) {
      unavailable("npm cannot be started: " + e.getMessage());
    }
  }

  private static void unavailable(String reason) {
    String message = "the standard client is needed: " + reason;
    if (Boolean.getBoolean("busbar.require.npm")) {
      Assertions.fail(message);
    }
    Assumptions.abort(message);
  }

  /** Connects to the bridge at this port; its options are those of the client, and headers. */
  static NodeClient open(int port, JsonObject options) {
    try {
      ProcessBuilder node =
          new ProcessBuilder(
                  "node",
                  RESOURCES.resolve("eventbus.js").toString(),
                  "http://127.0.0.1:" + port + "/eventbus",
                  options.encode())
              .redirectError(ProcessBuilder.Redirect.INHERIT);
      node.environment().put("NODE_PATH", FOLDER.resolve("node_modules").toString());
      return new NodeClient(node.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read() {
    try (BufferedReader lines = process.inputReader()) {
      lines.lines().map(JsonObject::new).forEach(told::add);
    } catch (IOException | UncheckedIOException e) {
      // it was closed
    }
  }

  void tell(String what, JsonObject arguments) {
    try {
      commands.write(arguments.copy().put("do", what).encode() + "\n");
      commands.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void tell(String what) {
    tell(what, new JsonObject());
  }

  /** What it tells next, which is one of these. */
  Object next(String... any) {
    try {
      JsonObject next = told.poll(ANSWER_SECONDS, SECONDS);
      for (String what : any) {
        if (next != null && next.containsKey(what)) {
          return next.getValue(what);
        }
      }
      throw new AssertionError("not " + List.of(any) + ": " + next);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  JsonObject nextObject(String what) {
    return (JsonObject) next(what);
  }

  boolean toldNothing() {
    return told.isEmpty();
  }

  @Override
  public void close() {
    process.destroy();
  }
}
