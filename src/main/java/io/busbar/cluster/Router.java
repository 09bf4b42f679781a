package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Answers for instances wherever they live: passes each operation to the node that owns the
 * instance, with the time that is left, and its answer back.
 *
 * <p>What is asked of an instance that a node is about to start, or that surely did not run where
 * it was asked, waits and is asked again.
 */
final class Router {
  private static final long AGAIN_MILLIS = 25;

  /** The more wait, the less often each asks: so many of them make it a millisecond later. */
  private static final int WAITING_FOR_A_MILLI = 20;

  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);
  private static final int MOST_WAITING = 10_000;
  private static final int MOST_LOOKING = 500; // or they would only hold each other up

  private final Vertx vertx;
  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Work work;
  private final Bus bus;
  private final Endpoint.Actions here;
  private final Copies copies;
  private final AtomicInteger waiting = new AtomicInteger();

  /** With what answers for the instances of this node. */
  Router(
      Vertx vertx,
      Members members,
      Directory directory,
      Pulse pulse,
      Work work,
      Bus bus,
      Endpoint.Actions here) {
    this.vertx = vertx;
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.work = work;
    this.bus = bus;
    this.here = here;
    this.copies = new Copies(members, directory, pulse, work, this::passStart, this::pass);
  }

  /** Every operation on instances. */
  Future<Body> handle(Ask ask) {
    return switch (ask.action()) {
      case "start" -> start(ask);
      case "list" -> list(ask);
      case "stop", "describe", "move" -> route(ask, ask.instance().orElseGet(() -> id(ask)));
      default -> route(ask, ask.instance().orElseThrow(ask::unknownAction));
    };
  }

  /** An id, or the key of one of several copies. */
  private static String id(Ask ask) {
    return Roster.checkKey(ask.body().string("id"));
  }

  private Future<Body> start(Ask ask) {
    InstanceSpec asked = Codec.spec(ask.body());
    String id = asked.id().orElseGet(() -> UUID.randomUUID().toString());
    pulse.checkMajority();
    if (asked.home().replicas() > 1) {
      return copies.start(ask, asked.withId(id));
    }
    List<String> nodes =
        Placement.ranked(id, asked.home(), directory.candidates(id, pulse::isTrusted));
    if (nodes.isEmpty()) {
      throw asked.home().nowhere();
    }
    return startOn(ask, nodes);
  }

  /** On the first of these nodes that can take it. */
  private Future<Body> startOn(Ask ask, List<String> nodes) {
    Future<Body> first = passStart(ask, ask.body(), nodes.get(0), ask.onward());
    return nodes.size() == 1
        ? first
        : first.recover(
            e -> isFull(e) ? startOn(ask, nodes.subList(1, nodes.size())) : Future.failedFuture(e));
  }

  private static boolean isFull(Throwable e) {
    return Failures.isNobody(e)
        || e instanceof WasmException said
            && (said.failure() == Failure.UNAVAILABLE || said.failure() == Failure.OVERLOADED);
  }

  /** A start that other starts are told of before the directory is. */
  private Future<Body> passStart(Ask ask, Body body, String node, DeliveryOptions options) {
    directory.promise(node, 1);
    Future<Body> started =
        node.equals(members.self()) && body == ask.body()
            ? attempt(() -> here.handle(ask))
            : pass(ask, body, node, options);
    return started.onComplete(done -> directory.promise(node, -1));
  }

  private Future<Body> pass(Ask ask, Body body, String node, DeliveryOptions options) {
    return bus.askNode(node, body, options.setSendTimeout(Bus.patience(ask.remaining()).toMillis()))
        .map(ask::answeredBy);
  }

  private static Future<Body> attempt(Supplier<Future<Body>> operation) {
    try {
      return operation.get();
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  private Future<Body> list(Ask ask) {
    return work.run(
        () -> {
          directory.reload();
          List<Object> instances = new ArrayList<>();
          directory
              .all()
              .forEach(
                  (key, entry) -> {
                    if (isListed(entry) && ask.mayUse(entry.user())) {
                      instances.add(about(key, entry));
                    }
                  });
          return Body.of("instances", instances);
        });
  }

  private static boolean isListed(Entry entry) {
    return entry.spec().isPresent() && !entry.isCopies();
  }

  private Map<String, Object> about(String key, Entry entry) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", Roster.id(key));
    if (!key.equals(Roster.id(key))) {
      fields.put("copy", key);
    }
    fields.put("module", entry.modules().get(0));
    fields.put("node", entry.owner());
    fields.put("epoch", entry.epoch());
    entry.user().ifPresent(user -> fields.put("user", user));
    entry.address().ifPresent(address -> fields.put("address", address));
    if (!entry.isLive()) {
      fields.put("state", "moving");
    } else if (!pulse.isTrusted(entry.owner())) {
      fields.put("state", "silent");
    }
    return fields;
  }

  /** The same from the address that the copies of an instance share. */
  Future<Body> routeFromDoor(Ask ask, String id) {
    if (directory.find(id).filter(entry -> !ask.mayUse(entry.user())).isPresent()) {
      throw ask.unheard();
    }
    return route(ask, id);
  }

  /** What who asks may use of what this node knows. */
  private Optional<Entry> find(Ask ask, String key) {
    return directory.find(key).filter(entry -> ask.mayUse(entry.user()));
  }

  /** Passes an operation on an instance, or on one of its copies, to where it is. */
  Future<Body> route(Ask ask, String key) {
    Optional<Entry> known = find(ask, key).filter(this::isReachable);
    return known.isPresent()
        ? passOn(ask, key, known.get())
        : work.run(() -> directory.fetch(key)).compose(found -> route(ask, key, found));
  }

  private boolean isReachable(Entry entry) {
    return entry.isCopies() ? entry.spec().isPresent() : entry.isLive() && answers(entry.owner());
  }

  /** Whether a node is heard, and has not said good-bye. */
  private boolean answers(String node) {
    return pulse.isTrusted(node) && directory.stateOf(node).isPresent();
  }

  private Future<Body> route(Ask ask, String key, Optional<Entry> found) {
    Optional<Entry> usable = found.filter(entry -> ask.mayUse(entry.user()));
    if (usable.isEmpty() || usable.get().spec().isEmpty()) {
      throw WasmException.noSuchInstance(key);
    }
    if (isReachable(found.get())) {
      return passOn(ask, key, found.get());
    }
    boolean isNowhere = !members.names().contains(found.get().owner());
    return ask.action().equals("stop") && isNowhere ? stop(key, found.get()) : later(ask, key);
  }

  /** It lives nowhere at present, and shall not come back. */
  private Future<Body> stop(String key, Entry entry) {
    pulse.checkMajority();
    return work.run(
        () -> {
          if (!directory.remove(key, entry)) {
            throw Failure.CONFLICT.because("instance `%s` is being started", key);
          }
          return Copies.stopped(key);
        });
  }

  private Future<Body> passOn(Ask ask, String key, Entry entry) {
    if (ask.action().equals("stop") || ask.action().equals("move")) {
      pulse.checkMajority();
    }
    if (entry.isCopies()) {
      return attempt(() -> copies.handle(ask, key, entry))
          .recover(e -> Failures.isNotRun(e) ? later(ask, key) : Future.failedFuture(e));
    }
    Future<Body> answer =
        entry.owner().equals(members.self()) && isForHere(ask, key)
            ? attempt(() -> here.handle(ask))
            : pass(ask, ask.body(), entry.owner(), named(ask, key));
    return answer.recover(
        e -> Failures.isNotRun(e) ? notThere(ask, key, entry, e) : Future.failedFuture(e));
  }

  /** Whether what answers here knows the operation, and sees which instance is meant. */
  private static boolean isForHere(Ask ask, String key) {
    return !ask.action().equals("move")
        && ask.instance().map(key::equals).orElseGet(() -> ask.body().has("id"));
  }

  private static DeliveryOptions named(Ask ask, String key) {
    DeliveryOptions options = ask.onward();
    options.getHeaders().set(Headers.INSTANCE, key);
    return options;
  }

  /** It did not run there: the directory knows whether that was the right place. */
  private Future<Body> notThere(Ask ask, String key, Entry known, Throwable why) {
    if (pulse.isCutOff()) {
      return Future.failedFuture(why);
    }
    if (!isMissing(why)) {
      return later(ask, key);
    }
    return work.run(() -> directory.fetch(key))
        .compose(
            found -> {
              if (found.filter(entry -> entry.text().equals(known.text())).isPresent()) {
                return later(ask, key); // it is on its way out of there
              }
              return route(ask, key, found);
            });
  }

  private static boolean isMissing(Throwable e) {
    return e instanceof WasmException said && said.failure() == Failure.NO_SUCH_INSTANCE;
  }

  /** Asks again as soon as the instance can be reached. */
  private Future<Body> later(Ask ask, String key) {
    if (ask.isOver() || ask.age().compareTo(LONGEST_WAIT) > 0) {
      throw Failure.UNAVAILABLE.because(
          "instance `%s` has not been started on a node yet", Roster.id(key));
    }
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      throw Failure.OVERLOADED.because(
          "%d operations wait for instances to be started", MOST_WAITING);
    }
    long before = ask.age().toSeconds();
    return vertx
        .timer(AGAIN_MILLIS + waiting.get() / WAITING_FOR_A_MILLI, TimeUnit.MILLISECONDS)
        .onComplete(done -> waiting.decrementAndGet())
        .compose(
            done ->
                ask.age().toSeconds() > before && waiting.get() < MOST_LOOKING
                    ? work.run(() -> directory.fetch(key)).compose(found -> again(ask, key))
                    : again(ask, key));
  }

  /** What this node knows may be old: once a second it is looked at where all know it. */
  private Future<Body> again(Ask ask, String key) {
    Entry entry = find(ask, key).orElseThrow(() -> WasmException.noSuchInstance(key));
    return isReachable(entry) ? passOn(ask, key, entry) : later(ask, key);
  }
}
