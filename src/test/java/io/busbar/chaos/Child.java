package io.busbar.chaos;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process of a trial: it answers with lines, logs its errors beside its log, and ends with its
 * parent.
 */
final class Child {
  private static final String READY = "chaos: ";
  private static final long PATIENCE_SECONDS = 120;
  private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
  private static final String CLASSES =
      System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));

  private final String name;
  private final Process process;
  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();

  private Child(String name, Process process) {
    this.name = name;
    this.process = process;
    Runtime.getRuntime().addShutdownHook(new Thread(this::kill));
    Thread reader = new Thread(this::read, "chaos-" + name);
    reader.setDaemon(true);
    reader.start();
  }

  /** Runs a main class with one argument, behind what the network wants before the command. */
  static Child start(List<String> before, Class<?> main, Place place) {
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            JAVA.toString(),
            "-XX:-DontCompileHugeMethods",
            "-Djava.net.preferIPv4Stack=true",
            "-Xmx256m",
            "-cp",
            CLASSES,
            main.getName(),
            place.text()));
    try {
      return new Child(
          place.name(),
          new ProcessBuilder(command).redirectError(new File(place.log() + ".err")).start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** In the child: what the parent waits for. */
  static void say(String word) {
    System.out.println(READY + word);
  }

  /** In the child: the parent's words, one a line; it ends at once when the parent has. */
  static void listen(Listener listener) {
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in))) {
      String line = lines.readLine();
      while (line != null) {
        listener.told(line);
        line = lines.readLine();
      }
    } catch (Exception | Error e) {
      e.printStackTrace();
    }
    Runtime.getRuntime().halt(1);
  }

  /** What a child does at a word of its parent. */
  @FunctionalInterface
  interface Listener {
    void told(String word);
  }

  private void read() {
    try (BufferedReader lines = process.inputReader()) {
      String line = lines.readLine();
      while (line != null) {
        heard(line);
        line = lines.readLine();
      }
      said.add("end");
    } catch (IOException e) {
      said.add("end");
    }
  }

  private void heard(String line) {
    if (line.startsWith(READY)) {
      said.add(line.substring(READY.length()));
    } else {
      System.out.println(name + ": " + line);
    }
  }

  /** Waits for the next word, which must be this one. */
  void await(String word) {
    String next = next();
    if (!word.equals(next)) {
      throw new AssertionError(name + " said " + next + " instead of " + word);
    }
  }

  /** Its next word. */
  String next() {
    try {
      String next = said.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      return next == null ? "nothing" : next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Says a word to it. */
  void tell(String word) {
    try {
      process.getOutputStream().write((word + "\n").getBytes());
      process.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGTERM alone, not what Java's own way does beside: closing what the child listens to. */
  void terminate() {
    signal("TERM");
    awaitEnd();
  }

  /** SIGKILL: also for one that is frozen. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGSTOP. */
  void freeze() {
    signal("STOP");
  }

  /** SIGCONT. */
  void thaw() {
    signal("CONT");
  }

  void awaitEnd() {
    try {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError(name + " goes on running");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void signal(String signal) {
    Shell.run("kill", "-" + signal, Long.toString(process.pid()));
  }
}
