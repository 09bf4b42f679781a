package io.busbar.chaos;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A driver and workers {@code n1}, {@code n2}, … in processes of their own, and what is done to
 * them while the driver calls.
 */
final class Trial implements AutoCloseable {
  private static final Pattern SUSPECTED = Pattern.compile("node (n[0-9]+) does not answer");

  /** The most processes of a trial: the driver is the first, and one place is for who joins. */
  static final int PLACES = 5;

  static final int WORKERS = 3;

  /** Whose cluster it is. */
  enum Kind {
    BUSBAR(ChaosNode.class, Driver.OfBusbar.class),
    PLAIN(PlainNode.class, Driver.OfPlain.class);

    private final Class<?> worker;
    private final Class<?> driver;

    Kind(Class<?> worker, Class<?> driver) {
      this.worker = worker;
      this.driver = driver;
    }
  }

  private final Kind kind;
  private final Network network;
  private final Tuning tuning;
  private final Path folder;
  private final String cluster = "chaos-" + UUID.randomUUID();
  private final List<Integer> ports =
      IntStream.range(0, PLACES).mapToObj(number -> freePort()).toList();
  private final Map<Integer, Child> workers = new TreeMap<>(); // those that are there
  private final List<Child> children = new ArrayList<>();
  private final List<Path> logs = new ArrayList<>();
  private final Path calls;
  private Child driver;

  private Trial(Kind kind, Network network, Tuning tuning, Path folder) {
    this.tuning = tuning;
    this.kind = kind;
    this.network = network;
    this.folder = folder;
    this.calls = folder.resolve("calls");
  }

  /**
   * Three workers that have been called, and a driver that is about to call.
   *
   * @param folder where the processes log; what is there goes
   */
  static Trial of(Kind kind, Network network, Tuning tuning, Path folder) {
    Trial trial = new Trial(kind, network, tuning, emptied(folder));
    try {
      trial.open();
      return trial;
    } catch (RuntimeException | Error e) {
      trial.close();
      throw e;
    }
  }

  private static Path emptied(Path folder) {
    try {
      Files.createDirectories(folder);
      for (File file : folder.toFile().listFiles()) {
        Files.delete(file.toPath());
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void open() {
    driver = child(0, kind.driver, calls);
    IntStream.rangeClosed(1, WORKERS).forEach(this::begin);
    driver.await("ready");
    workers.values().forEach(worker -> worker.await("ready"));
    ask("prepare " + WORKERS);
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Child child(int number, Class<?> main, Path log) {
    Place place =
        new Place(
            "n" + number,
            cluster,
            network.host(number),
            ports.get(number),
            IntStream.range(0, PLACES).mapToObj(n -> network.host(n) + ":" + ports.get(n)).toList(),
            tuning,
            log);
    Child child = Child.start(network.before(number), main, place);
    children.add(child);
    return child;
  }

  private void begin(int number) {
    Path log = folder.resolve("executions-" + logs.size() + "-n" + number);
    logs.add(log);
    workers.put(number, child(number, kind.worker, log));
  }

  /** Says a word to the driver and waits until it is done. */
  private void ask(String words) {
    driver.tell(words);
    driver.await("done");
  }

  /** From now on there are so many calls a second. */
  void load(int rate) {
    ask("load " + rate);
  }

  /** The load goes on for a while. */
  void during(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Whether whatever the driver calls answers, or soon does. */
  boolean settles() {
    driver.tell("settle");
    return driver.next().equals("settled");
  }

  /** Waits for the last answers. */
  Sightings stop() {
    ask("stop");
    boolean settled = settles();
    return new Sightings(
        settled,
        lines(calls).map(Call::parse).toList(),
        logs.stream()
            .flatMap(log -> lines(log).map(line -> Execution.parse(name(log), line)))
            .toList());
  }

  /** The nodes that another has taken for dead so far. */
  Set<String> suspected() {
    return Stream.of(folder.toFile().listFiles())
        .filter(file -> file.getName().endsWith(".err"))
        .flatMap(file -> lines(file.toPath()))
        .map(SUSPECTED::matcher)
        .filter(Matcher::find)
        .map(found -> found.group(1))
        .collect(Collectors.toSet());
  }

  private static String name(Path log) {
    return log.getFileName().toString().split("-")[2];
  }

  private static Stream<String> lines(Path file) {
    try {
      return Files.readAllLines(file).stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** For who reads the logs: what was done when. */
  private void mark(String what, int number) {
    String line = System.currentTimeMillis() + " " + what + " n" + number + "\n";
    try {
      Files.writeString(
          folder.resolve("faults"), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One more worker, or again one; done when it is ready. */
  void start(int number) {
    mark("start", number);
    begin(number);
    workers.get(number).await("ready");
    mark("ready", number);
  }

  void kill(int number) {
    mark("kill", number);
    workers.remove(number).kill();
  }

  /** SIGTERM; done when the process has ended. */
  void terminate(int number) {
    mark("terminate", number);
    workers.remove(number).terminate();
    mark("ended", number);
  }

  void freeze(int number) {
    mark("freeze", number);
    workers.get(number).freeze();
  }

  void thaw(int number) {
    mark("thaw", number);
    workers.get(number).thaw();
  }

  void cut(int number) {
    mark("cut", number);
    network.cut(number);
  }

  void heal(int number) {
    mark("heal", number);
    network.heal(number);
  }

  @Override
  public void close() {
    children.forEach(Child::kill);
    children.forEach(Child::awaitEnd);
  }
}
