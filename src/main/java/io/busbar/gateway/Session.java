package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.github.bucket4j.Bucket;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One known client on one socket: what it has asked, listens to and answers, all of which ends with
 * it. On the socket's event loop.
 */
final class Session {
  private static final int MOST_SUBSCRIPTIONS = 100;
  private static final int MOST_IMPORTS = 100;

  private final Lobby lobby;
  private final Client client;
  private final String token = UUID.randomUUID().toString();
  private final Bucket messages;
  private final Map<String, String> inFlight = new HashMap<>(); // instance by the operation's name
  private final Map<String, Runnable> subscriptions = new HashMap<>(); // what ends it, by address
  private final Map<String, Runnable> imports = new HashMap<>(); // the same
  private final Map<String, Served.Call> callers = new HashMap<>(); // by token
  private final Set<Promise<JsonObject>> asked = new HashSet<>(); // of the client
  private int size; // of the message that has come last
  private int unanswered;
  private long count;
  private boolean closed;

  Session(Lobby lobby, Client client) {
    this.lobby = lobby;
    this.client = client;
    long most = lobby.bounds().messagesPerSecond();
    this.messages =
        Bucket.builder()
            .addLimit(limit -> limit.capacity(most).refillGreedy(most, Duration.ofSeconds(1)))
            .build();
  }

  Client client() {
    return client;
  }

  /** What only this socket knows. */
  String token() {
    return token;
  }

  /** One more message of so many bytes has come; why it is refused, if it is. */
  Optional<WasmException> count(int bytes) {
    size = bytes;
    if (client.isExpired()) {
      return Optional.of(Credentials.refused());
    } else if (messages.tryConsume(1)) {
      return Optional.empty();
    }
    return Optional.of(
        Failure.OVERLOADED.because(
            "more than %d messages a second on one socket", lobby.bounds().messagesPerSecond()));
  }

  /** Asks one instance; {@code cancel} knows the operation by the client's own name for it. */
  Future<Body> ask(String instance, Bus.Question question) {
    if (question.action().equals("cancel")) {
      Bus.Question cancel = own(question);
      return lobby.access().instance(client, instance, cancel); // also where all places are taken
    }
    String name = name(question.id().orElseGet(() -> "#" + count++));
    return asking(
        question.named(Optional.of(name)),
        asked -> {
          inFlight.put(name, instance);
          return lobby
              .access()
              .instance(client, instance, asked)
              .onComplete(done -> inFlight.remove(name));
        });
  }

  private String name(String id) {
    return token + "." + id;
  }

  private Bus.Question own(Bus.Question cancel) {
    Map<String, Object> fields = new HashMap<>(cancel.body().fields());
    fields.put("id", name(cancel.body().string("id")));
    return cancel.withBody(Body.of(fields));
  }

  /** Asks at an address of the protocol. */
  Future<Body> askAt(String address, Bus.Question question) {
    Optional<String> instance = lobby.access().instanceAt(address);
    return instance.isPresent()
        ? ask(instance.get(), question)
        : asking(question, asked -> lobby.access().at(client, address, asked));
  }

  /** Asks the instance that waits for an answer of this client. */
  Future<Body> askCaller(String caller, Bus.Question question) {
    Served.Call call = callers.get(caller);
    return call == null
        ? Future.failedFuture(WasmException.noSuchCaller())
        : asking(
            question,
            asked -> lobby.access().caller(client, call.instance(), call.origin(), asked));
  }

  private Future<Body> asking(Bus.Question question, Function<Bus.Question, Future<Body>> ask) {
    if (unanswered >= lobby.bounds().inFlight()) {
      return Future.failedFuture(
          Failure.OVERLOADED.because(
              "%d operations of this socket have no answer yet, as many as may be", unanswered));
    }
    if (lobby.isDraining()) {
      return Future.failedFuture(Failure.UNAVAILABLE.because("the node is closing"));
    }
    Room.Place place = lobby.room().place(client);
    Bus.Question asked;
    try {
      place.take(size);
      asked = place.taking(question);
    } catch (WasmException e) {
      place.leave();
      throw e;
    }
    unanswered++;
    return ask.apply(asked)
        .onComplete(
            done -> {
              unanswered--;
              place.leave();
            });
  }

  /** Hears what is published there from now on; again does nothing. */
  Future<Void> subscribe(String address, Consumer<JsonObject> heard) {
    lobby.hearing().check(client, address);
    return begin(
        subscriptions,
        MOST_SUBSCRIPTIONS,
        "subscriptions",
        address,
        () -> lobby.topics().join(address, news -> hear(address, news, heard)));
  }

  private void hear(String address, Topics.News news, Consumer<JsonObject> heard) {
    if (!closed && !client.isExpired() && lobby.hearing().isFor(client, address, news)) {
      heard.accept(news.event());
    }
  }

  /** Begins what goes on at an address until it is ended; again does nothing. */
  private Future<Void> begin(
      Map<String, Runnable> some,
      int most,
      String what,
      String address,
      Supplier<Future<Runnable>> joining) {
    if (some.containsKey(address)) {
      return Future.succeededFuture();
    } else if (some.size() >= most) {
      throw Failure.OVERLOADED.because("a socket may have %d %s", most, what);
    }
    Runnable pending = new Pending();
    some.put(address, pending);
    return joining
        .get()
        .compose(leave -> keep(some, address, pending, leave))
        .onFailure(e -> some.remove(address, pending));
  }

  /** What has not begun yet, and is not to when it has ended before; each is another. */
  private static final class Pending implements Runnable {
    @Override
    public void run() {
      // whoever comes to replace it sees that it is gone
    }
  }

  /** Unless it has ended meanwhile, and perhaps begun again. */
  private Future<Void> keep(
      Map<String, Runnable> some, String address, Runnable pending, Runnable leave) {
    if (closed || !some.replace(address, pending, leave)) {
      leave.run();
    }
    return Future.succeededFuture();
  }

  void unsubscribe(String address) {
    end(subscriptions, address);
  }

  private static void end(Map<String, Runnable> some, String address) {
    Runnable leave = some.remove(address);
    if (leave == null) {
      throw Failure.BAD_REQUEST.because("there is nothing to end at `%s`", Names.shown(address));
    }
    leave.run();
  }

  /**
   * Answers calls of this import from now on.
   *
   * @param answering is given a token by which the caller can be asked, and the call
   */
  Future<Void> serve(
      String address, BiFunction<String, Served.Call, Future<JsonObject>> answering) {
    lobby.imports().check(client, address);
    return begin(
        imports,
        MOST_IMPORTS,
        "imports",
        address,
        () ->
            lobby.served().join(Imports.served(client, address), call -> answer(call, answering)));
  }

  void unserve(String address) {
    end(imports, address);
  }

  /** The client's answer to a guest, which fails where the client goes away before it. */
  private Future<JsonObject> answer(
      Served.Call call, BiFunction<String, Served.Call, Future<JsonObject>> answering) {
    if (closed || asked.size() >= lobby.bounds().inFlight()) {
      throw Failure.OVERLOADED.because("the client that answers has too much to answer already");
    }
    Promise<JsonObject> promise = Promise.promise();
    String caller = UUID.randomUUID().toString();
    asked.add(promise);
    callers.put(caller, call);
    answering.apply(caller, call).onComplete(promise::tryComplete, promise::tryFail);
    return promise
        .future()
        .onComplete(
            done -> {
              asked.remove(promise);
              callers.remove(caller);
            });
  }

  /** The client is gone: what has not begun of what it asked never does. */
  void close() {
    if (closed) {
      return;
    }
    closed = true;
    subscriptions.values().forEach(Runnable::run);
    imports.values().forEach(Runnable::run);
    Set.copyOf(asked)
        .forEach(
            promise ->
                promise.tryFail(Failure.UNAVAILABLE.because("the client that answers is gone")));
    Map.copyOf(inFlight)
        .forEach((name, instance) -> lobby.access().abandon(client, instance, name));
  }
}
