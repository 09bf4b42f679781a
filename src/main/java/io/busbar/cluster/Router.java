package io.busbar.cluster;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Names;
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
 * Answers at the common addresses of one node: passes each operation to the node that owns the
 * instance, with the time that is left, and its answer back.
 *
 * <p>What is asked of an instance that another node is about to start waits for that.
 */
final class Router {
  private static final long AGAIN_MILLIS = 25;
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);
  private static final int MOST_WAITING = 10_000;
  private static final long NODE_MILLIS = 1000;

  private final Vertx vertx;
  private final Members members;
  private final Directory directory;
  private final Work work;
  private final Bus bus;
  private final Endpoint.Actions here;
  private final AtomicInteger waiting = new AtomicInteger();

  Router(
      Vertx vertx,
      Members members,
      Directory directory,
      Work work,
      Bus bus,
      Endpoint.Actions here) {
    this.vertx = vertx;
    this.members = members;
    this.directory = directory;
    this.work = work;
    this.bus = bus;
    this.here = here;
  }

  /** Every operation on instances, wherever they live. */
  Future<Body> handle(Ask ask) {
    return switch (ask.action()) {
      case "start" -> start(ask);
      case "list" -> list();
      case "stop", "describe" -> route(ask, ask.instance().orElseGet(() -> id(ask)));
      default -> route(ask, ask.instance().orElseThrow(ask::unknownAction));
    };
  }

  private static String id(Ask ask) {
    return Names.check("instance id", ask.body().string("id"));
  }

  private Future<Body> start(Ask ask) {
    InstanceSpec spec = Codec.spec(ask.body());
    String id = spec.id().orElseGet(() -> UUID.randomUUID().toString());
    List<String> nodes = Placement.ranked(id, spec.home(), directory.candidates());
    if (nodes.isEmpty()) {
      throw Failure.UNAVAILABLE.because(
          "no node has the labels %s", Names.shown(spec.home().labels().toString()));
    }
    return startOn(ask, nodes);
  }

  /** On the first of these nodes that can take it. */
  private Future<Body> startOn(Ask ask, List<String> nodes) {
    Future<Body> first = pass(ask, nodes.get(0), ask.onward());
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

  private Future<Body> pass(Ask ask, String node, DeliveryOptions options) {
    if (node.equals(members.self())) {
      return attempt(() -> here.handle(ask));
    }
    return bus.askNode(
            node, ask.body(), options.setSendTimeout(Bus.patience(ask.remaining()).toMillis()))
        .map(ask::answeredBy);
  }

  private static Future<Body> attempt(Supplier<Future<Body>> operation) {
    try {
      return operation.get();
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  private Future<Body> list() {
    return work.run(
        () -> {
          directory.reload();
          List<Object> instances = new ArrayList<>();
          directory
              .all()
              .forEach(
                  (id, entry) -> {
                    if (entry.spec().isPresent()) {
                      instances.add(about(id, entry));
                    }
                  });
          return Body.of("instances", instances);
        });
  }

  private static Map<String, Object> about(String id, Entry entry) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("id", id);
    fields.put("module", entry.modules().get(0));
    fields.put("node", entry.owner());
    entry.address().ifPresent(address -> fields.put("address", address));
    if (!entry.isLive()) {
      fields.put("state", "moving");
    }
    return fields;
  }

  private Future<Body> route(Ask ask, String id) {
    Optional<Entry> known = directory.find(id).filter(this::isReachable);
    return known.isPresent()
        ? passOn(ask, id, known.get())
        : work.run(() -> directory.fetch(id)).compose(found -> route(ask, id, found));
  }

  private boolean isReachable(Entry entry) {
    return entry.isLive() && members.names().contains(entry.owner());
  }

  private Future<Body> route(Ask ask, String id, Optional<Entry> found) {
    if (found.isEmpty() || found.get().spec().isEmpty()) {
      throw WasmException.noSuchInstance(id);
    }
    if (isReachable(found.get())) {
      return passOn(ask, id, found.get());
    }
    return ask.action().equals("stop") ? stop(id, found.get()) : later(ask, id);
  }

  /** It lives nowhere at present, and shall not come back. */
  private Future<Body> stop(String id, Entry entry) {
    return work.run(
        () -> {
          if (!directory.remove(id, entry)) {
            throw Failure.CONFLICT.because("instance `%s` is being started", id);
          }
          Map<String, Object> fields = new LinkedHashMap<>();
          fields.put("id", id);
          fields.put("stopped", true);
          return Body.of(fields);
        });
  }

  private Future<Body> passOn(Ask ask, String id, Entry entry) {
    if (entry.owner().equals(members.self())) {
      return handleHere(ask, id, entry);
    }
    DeliveryOptions options = ask.onward();
    if (ask.instance().isEmpty()) {
      options.addHeader(Headers.INSTANCE, id);
    }
    return pass(ask, entry.owner(), options)
        .recover(
            e -> {
              if (Failures.isNobody(e)) {
                return later(ask, id);
              }
              return isMissing(e) ? elsewhere(ask, id, entry) : Future.failedFuture(e);
            });
  }

  private Future<Body> handleHere(Ask ask, String id, Entry entry) {
    try {
      return here.handle(ask);
    } catch (WasmException e) {
      if (isMissing(e)) {
        return elsewhere(ask, id, entry);
      }
      throw e;
    }
  }

  private static boolean isMissing(Throwable e) {
    return e instanceof WasmException said && said.failure() == Failure.NO_SUCH_INSTANCE;
  }

  /** Its owner has it no more: the directory knows whether another has. */
  private Future<Body> elsewhere(Ask ask, String id, Entry known) {
    return work.run(() -> directory.fetch(id))
        .compose(
            found -> {
              if (found.filter(entry -> entry.text().equals(known.text())).isPresent()) {
                throw WasmException.noSuchInstance(id);
              }
              return route(ask, id, found);
            });
  }

  /** Asks again as soon as the instance can be reached. */
  private Future<Body> later(Ask ask, String id) {
    if (ask.isOver() || ask.age().compareTo(LONGEST_WAIT) > 0) {
      throw Failure.UNAVAILABLE.because("instance `%s` has not been started on a node yet", id);
    }
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      throw Failure.OVERLOADED.because(
          "%d operations wait for instances to be started", MOST_WAITING);
    }
    return vertx
        .timer(AGAIN_MILLIS, TimeUnit.MILLISECONDS)
        .onComplete(done -> waiting.decrementAndGet())
        .compose(done -> again(ask, id));
  }

  private Future<Body> again(Ask ask, String id) {
    Entry entry = directory.find(id).orElseThrow(() -> WasmException.noSuchInstance(id));
    return isReachable(entry) ? passOn(ask, id, entry) : later(ask, id);
  }

  /** Every node and what it says of itself. */
  Future<Body> handleNodes(Ask ask) {
    if (!ask.action().equals("list")) {
      throw ask.unknownAction();
    }
    List<Future<Map<String, Object>>> nodes =
        members.nodes().entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(node -> about(node.getKey(), node.getValue()))
            .toList();
    return Future.all(nodes)
        .map(all -> Body.of("nodes", nodes.stream().<Object>map(Future::result).toList()));
  }

  private Future<Map<String, Object>> about(String node, Map<String, String> labels) {
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(Endpoint.CODEC)
            .addHeader(Headers.ACTION, "node")
            .setSendTimeout(NODE_MILLIS);
    return bus.askNode(node, Body.EMPTY, options)
        .map(reply -> new LinkedHashMap<>(Failures.answer(reply).fields()))
        .otherwise(e -> silent(node))
        .map(fields -> seen(fields, node, labels));
  }

  private static LinkedHashMap<String, Object> silent(String node) {
    LinkedHashMap<String, Object> fields = new LinkedHashMap<>();
    fields.put("node", node);
    fields.put("silent", true);
    return fields;
  }

  /** And what this node knows of it. */
  private Map<String, Object> seen(
      Map<String, Object> fields, String node, Map<String, String> labels) {
    fields.put("open", directory.openNodes().contains(node));
    fields.put("labels", labels);
    return fields;
  }
}
