package io.busbar.cluster;

import io.busbar.host.Roster;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.eventbus.DeliveryOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Instances of several copies that share an id: started and stopped together, asked one by one. */
final class Copies {
  /** Sends an operation to a node. */
  @FunctionalInterface
  interface Pass {
    Future<Body> to(Ask ask, Body body, String node, DeliveryOptions options);
  }

  private final Members members;
  private final Directory directory;
  private final Pulse pulse;
  private final Work work;
  private final Pass starting;
  private final Pass passing;
  private final Map<String, AtomicInteger> unanswered = new ConcurrentHashMap<>(); // by key
  private final AtomicInteger turn = new AtomicInteger();

  /** With what passes on a start, and any other operation. */
  Copies(
      Members members, Directory directory, Pulse pulse, Work work, Pass starting, Pass passing) {
    this.members = members;
    this.directory = directory;
    this.pulse = pulse;
    this.work = work;
    this.starting = starting;
    this.passing = passing;
  }

  /** All of them or none. */
  Future<Body> start(Ask ask, InstanceSpec spec) {
    String id = spec.id().orElseThrow();
    return work.run(() -> directory.claimCopies(id, spec.home()))
        .compose(
            claim ->
                startEach(ask, spec)
                    .compose(last -> complete(id, claim))
                    .recover(e -> undo(id, claim).transform(done -> Future.failedFuture(e))));
  }

  /** One after the other, so that each sees where those before it are. */
  private Future<Body> startEach(Ask ask, InstanceSpec spec) {
    Body body = Codec.body(spec);
    Future<Body> last = Future.succeededFuture();
    for (int number = 1; number <= spec.home().replicas(); number++) {
      int copy = number;
      last = last.compose(before -> start(ask, spec, body, copy));
    }
    return last;
  }

  private Future<Body> start(Ask ask, InstanceSpec spec, Body body, int number) {
    String key = Roster.copy(spec.id().orElseThrow(), number);
    List<String> nodes =
        Placement.ranked(key, spec.home(), directory.candidates(key, pulse::isTrusted));
    if (nodes.isEmpty()) {
      throw spec.home().nowhere();
    }
    DeliveryOptions options = ask.onward().addHeader(Headers.COPY, Integer.toString(number));
    return starting
        .to(ask, body, nodes.get(0), options)
        .compose(started -> work.run(() -> seen(key, started)));
  }

  /** This node sees it from now on, when it looks for a place for the next. */
  private Body seen(String key, Body started) {
    directory.fetch(key);
    return started;
  }

  private Future<Body> complete(String id, Entry claim) {
    return work.run(() -> directory.completed(id, claim))
        .map(
            all -> {
              Map<String, Object> fields = common(id, all);
              fields.put("nodes", nodes(id, all.home().replicas()));
              return Body.of(fields);
            });
  }

  private static Map<String, Object> common(String id, Entry all) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("module", all.modules().get(0));
    all.address().ifPresent(address -> fields.put("address", address));
    fields.put("replicas", all.home().replicas());
    return fields;
  }

  private List<String> nodes(String id, int replicas) {
    return Directory.copyKeys(id, replicas)
        .flatMap(key -> directory.find(key).stream())
        .map(Entry::owner)
        .distinct()
        .sorted()
        .toList();
  }

  /** Without the entry that stands for them the copies go, each where it is. */
  private Future<Void> undo(String id, Entry claim) {
    return work.run(
        () -> {
          directory.remove(id, claim);
          return null;
        });
  }

  /** Any operation on all copies, or on one of them. */
  Future<Body> handle(Ask ask, String id, Entry all) {
    return switch (ask.action()) {
      case "stop" -> stop(ask, id, all);
      case "describe" -> Future.succeededFuture(Body.of(describe(id, all)));
      case "move" ->
          throw Failure.BAD_REQUEST.because(
              "instance `%s` has %d copies: name one of them, `%s`",
              id, all.home().replicas(), Roster.copy(id, 1));
      case "cancel" -> cancel(ask, id, all);
      default -> passToOne(ask, id, all);
    };
  }

  /** Whichever copy has it. */
  private Future<Body> cancel(Ask ask, String id, Entry all) {
    List<Future<Body>> answers = passToAll(ask, id, all);
    return Future.join(answers)
        .otherwiseEmpty()
        .map(
            done ->
                Body.of(
                    "cancelled",
                    answers.stream()
                        .filter(Future::succeeded)
                        .anyMatch(a -> a.result().optionalBoolean("cancelled").orElse(false))));
  }

  private List<Future<Body>> passToAll(Ask ask, String id, Entry all) {
    List<Future<Body>> answers = new ArrayList<>();
    Directory.copyKeys(id, all.home().replicas())
        .forEach(
            key ->
                directory
                    .find(key)
                    .filter(this::isReachable)
                    .ifPresent(copy -> answers.add(pass(ask, key, copy))));
    return answers;
  }

  private Future<Body> stop(Ask ask, String id, Entry all) {
    return work.run(() -> directory.remove(id, all))
        .compose(
            removed -> {
              if (!removed) {
                throw Failure.CONFLICT.because("instance `%s` is changing", id);
              }
              List<Future<Body>> stops = passToAll(ask, id, all);
              return Future.join(stops).otherwiseEmpty().map(done -> stopped(id));
            });
  }

  static Body stopped(String key) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", Roster.id(key));
    fields.put("stopped", true);
    return Body.of(fields);
  }

  private Map<String, Object> describe(String id, Entry all) {
    Map<String, Object> fields = common(id, all);
    all.user().ifPresent(user -> fields.put("user", user));
    List<Map<String, Object>> each = new ArrayList<>();
    Directory.copyKeys(id, all.home().replicas())
        .forEach(key -> directory.find(key).ifPresent(entry -> each.add(about(key, entry))));
    fields.put("copies", each);
    return fields;
  }

  private Map<String, Object> about(String key, Entry entry) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("copy", key);
    fields.put("node", entry.owner());
    fields.put("epoch", entry.epoch());
    fields.put("state", isReachable(entry) ? "live" : "moving");
    return fields;
  }

  private boolean isReachable(Entry entry) {
    return entry.isLive() && pulse.isTrusted(entry.owner());
  }

  /** The copy that has the fewest operations of this node before it; of those, one that is here. */
  private Future<Body> passToOne(Ask ask, String id, Entry all) {
    List<String> keys =
        new ArrayList<>(
            Directory.copyKeys(id, all.home().replicas())
                .filter(key -> directory.find(key).filter(this::isReachable).isPresent())
                .toList());
    if (keys.isEmpty()) {
      throw Failure.UNAVAILABLE
          .because("no copy of instance `%s` can be reached", id)
          .with("ran", "never");
    }
    Collections.rotate(keys, turn.getAndIncrement() & 0xffff);
    String best =
        keys.stream()
            .min(Comparator.comparingInt(this::unanswered).thenComparing(this::isElsewhere))
            .orElseThrow();
    Future<Body> answer = pass(ask, best, directory.find(best).orElseThrow());
    AtomicInteger before = unanswered.computeIfAbsent(best, key -> new AtomicInteger());
    before.incrementAndGet();
    return answer.onComplete(
        done -> {
          if (before.decrementAndGet() == 0) {
            unanswered.remove(best, before);
          }
        });
  }

  private int unanswered(String key) {
    AtomicInteger number = unanswered.get(key);
    return number == null ? 0 : number.get();
  }

  private boolean isElsewhere(String key) {
    return directory.find(key).filter(e -> e.owner().equals(members.self())).isEmpty();
  }

  private Future<Body> pass(Ask ask, String key, Entry entry) {
    DeliveryOptions options = ask.onward();
    options.getHeaders().set(Headers.INSTANCE, key);
    return passing.to(ask, ask.body(), entry.owner(), options);
  }
}
