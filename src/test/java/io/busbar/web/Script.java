package io.busbar.web;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A program of JavaScript in Node that uses the client of this build.
 *
 * <p>It has {@code busbar}, {@code tell(…)}, which writes a line of JSON, {@code await told()},
 * done when {@link #go} is called, and {@code await failure(promise)}: its name, code and message.
 */
final class Script implements AutoCloseable {
  private static final Program NODE = new Program("node", "busbar.require.npm");
  private static final Path FOLDER = Path.of("target", "client-js").toAbsolutePath();
  private static final String WS = "/META-INF/resources/webjars/ws/8.18.3";

  private static final String BEFORE =
      """
      import { connect, BusbarError } from "./client.mjs";
      import { WebSocket } from "ws";
      import { createInterface } from "node:readline";
      const url = process.argv[1];
      const standard = { WebSocket, retry: { first: 20, most: 100 } };
      const busbar = connect(url, { ...standard, ...%s });
      const plain = (key, value) => (value instanceof Uint8Array ? [...value] : value);
      const tell = (...values) =>
        console.log(values.map((value) => JSON.stringify(value, plain) ?? "undefined").join(" "));
      const failure = (promise) =>
        promise.then(
          (value) => tell("no failure", value),
          (e) => [e.name, e.code, e.message],
        );
      let lines;
      const told = () => (lines ??= createInterface(process.stdin)[Symbol.asyncIterator]()).next();
      """;

  private static final String AFTER =
      """

      busbar.close();
      await lines?.return();
      process.stdin.destroy();
      """;

  private final Process process;
  private final BufferedReader lines;

  private Script(Process process) {
    this.process = process;
    this.lines = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts a program whose client asks at this port of this machine. */
  static Script start(int port, String program) {
    return start(port, "{}", program);
  }

  /** The same with options for the client. */
  static Script start(int port, String options, String program) {
    String node = NODE.path().toString();
    try {
      install();
      return new Script(
          new ProcessBuilder(
                  node,
                  "--input-type=module",
                  "-e",
                  BEFORE.formatted(options) + program + AFTER,
                  "http://127.0.0.1:" + port)
              .directory(FOLDER.toFile())
              .redirectErrorStream(true)
              .start());
    } catch (IOException | URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As Node wants it: the client as a module, and the socket it has not in each version. */
  private static synchronized void install() throws IOException, URISyntaxException {
    Path folder = Files.createDirectories(FOLDER.resolve("node_modules/ws/lib"));
    copy(Script.class.getResource("/web/client.js"), FOLDER.resolve("client.mjs"));
    URI jar = Script.class.getResource(WS).toURI();
    try (FileSystem files = FileSystems.newFileSystem(jar, Map.of());
        Stream<Path> paths = Files.walk(files.getPath(WS))) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        String name = files.getPath(WS).relativize(path).toString();
        copy(path.toUri().toURL(), folder.resolveSibling(name));
      }
    }
  }

  private static void copy(URL from, Path to) throws IOException {
    try (var in = from.openStream()) {
      Files.copy(in, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** The next line it tells. */
  String next() {
    try {
      return lines.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All it tells from now on; it must end by itself, and well. */
  List<String> rest() {
    List<String> rest = lines.lines().toList();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError("it did not end well: " + String.join("\n", rest));
      }
      return rest;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Lets it go on where it waits to be told. */
  void go() {
    try {
      process.outputWriter().append('\n').flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
