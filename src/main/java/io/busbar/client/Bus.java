package io.busbar.client;

import io.busbar.model.Failure;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.internal.VertxInternal;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** Asks over the event bus, and turns what comes back into bodies and {@link WasmException}s. */
public final class Bus {
  /** How much longer than the owner's deadline the asker waits: the owner's answer says more. */
  private static final Duration MARGIN = Duration.ofSeconds(2);

  private static final Duration STANDARD = Duration.ofSeconds(5);
  private static final Duration COMPILING = Duration.ofMinutes(5);

  /** With the instance's own limit as the time, the asker waits as long as any limit may be. */
  private static final Duration LONGEST = Duration.ofDays(1);

  private final Vertx vertx;
  private final Addresses addresses;
  private final Routes routes;
  private final InFlight inFlight;
  private final Freight freight;

  public Bus(Vertx vertx, Addresses addresses) {
    this(vertx, addresses, Routes.NONE);
  }

  /** With what a node of this JVM knows of the others. */
  public Bus(Vertx vertx, Addresses addresses, Routes routes) {
    this.vertx = vertx;
    this.addresses = addresses;
    this.routes = routes;
    this.inFlight = new InFlight(routes::isThere);
    this.freight = new Freight(vertx);
    Endpoint.prepare(vertx);
    routes.onLost(
        node -> {
          Runnable failing = inFlight.fail(node);
          vertx.runOnContext(now -> failing.run());
        });
  }

  Vertx vertx() {
    return vertx;
  }

  public Addresses addresses() {
    return addresses;
  }

  /** The callback a question comes from: the caller's address, and who waits for whom. */
  public record Origin(String caller, String chain) {
    private void addTo(MultiMap headers) {
      headers.add(Headers.CALLER, caller).add(Headers.CHAIN, chain);
    }
  }

  /**
   * One question.
   *
   * @param action which operation
   * @param body its fields
   * @param timeout none: the standard 5 seconds; zero: the instance's own limit
   * @param fuel what it may use at most; none: what the instance has
   * @param id what {@code cancel} may name it by
   * @param user who asks
   * @param shared whether a user may use what is the operator's too
   * @param origin the callback it comes from
   * @param spending told how much fuel it has used
   * @param looking shown its answer as soon as that is in this JVM, on any thread; may fail it
   */
  public record Question(
      String action,
      Body body,
      Optional<Duration> timeout,
      OptionalLong fuel,
      Optional<String> id,
      Optional<String> user,
      boolean shared,
      Optional<Origin> origin,
      LongConsumer spending,
      Consumer<Body> looking) {
    public static Question of(String action, Body body) {
      return new Question(
          action,
          body,
          Optional.empty(),
          OptionalLong.empty(),
          Optional.empty(),
          Optional.empty(),
          false,
          Optional.empty(),
          spent -> {},
          answer -> {});
    }

    /** With time to compile a large module. */
    public Question patient() {
      return withTimeout(Optional.of(COMPILING));
    }

    public Question withBody(Body body) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, spending, looking);
    }

    public Question withTimeout(Optional<Duration> timeout) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, spending, looking);
    }

    /** In the name of a user. */
    public Question as(String user) {
      return new Question(
          action, body, timeout, fuel, id, Optional.of(user), shared, origin, spending, looking);
    }

    /** By a user who may use what is the operator's too. */
    public Question withShared() {
      return new Question(action, body, timeout, fuel, id, user, true, origin, spending, looking);
    }

    /** With the name that {@code cancel} may know it by. */
    public Question named(Optional<String> id) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, spending, looking);
    }

    /** Out of this callback. */
    public Question from(Optional<Origin> origin) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, spending, looking);
    }

    /** With what is told how much fuel it has used, where that is counted. */
    public Question spending(LongConsumer told) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, told, looking);
    }

    /** With what looks at its answer before that waits for anybody, and may fail it. */
    public Question looking(Consumer<Body> look) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, spending, look);
    }

    public Question withFuel(OptionalLong fuel) {
      return new Question(action, body, timeout, fuel, id, user, shared, origin, spending, looking);
    }

    private Reach reach() {
      return new Reach(user, shared);
    }

    private DeliveryOptions options() {
      return new DeliveryOptions()
          .setCodecName(Endpoint.CODEC)
          .setHeaders(headers().add(Headers.ERRORS, Headers.ERRORS_AS_BODY))
          .setSendTimeout(patience().toMillis());
    }

    private MultiMap headers() {
      MultiMap headers = MultiMap.caseInsensitiveMultiMap().add(Headers.ACTION, action);
      timeout.ifPresent(t -> headers.add(Headers.TIMEOUT, Long.toString(millis(t))));
      fuel.ifPresent(f -> headers.add(Headers.FUEL, Long.toString(f)));
      id.ifPresent(i -> headers.add(Headers.ID, i));
      user.ifPresent(u -> headers.add(Headers.USER, u));
      if (shared) {
        headers.add(Headers.SHARED, Headers.IS_SHARED);
      }
      origin.ifPresent(o -> o.addTo(headers));
      return headers;
    }

    private Body answer(Message<?> reply) {
      String spent = reply.headers().get(Headers.FUEL);
      if (spent != null) {
        spending.accept(Long.parseLong(spent));
      }
      return looked(Failures.answer(reply));
    }

    private Body looked(Body answer) {
      looking.accept(answer);
      return answer;
    }

    /** The owner's time in whole milliseconds, at least one; zero stays the instance's own. */
    private static long millis(Duration time) {
      if (time.isNegative()) {
        throw Failure.BAD_REQUEST.because("a timeout must be 0 or more, not %s", time);
      }
      Duration most = time.compareTo(LONGEST) > 0 ? LONGEST : time;
      return most.plusNanos(999_999).toMillis();
    }

    private Duration patience() {
      return Bus.patience(Duration.ofMillis(millis(timeout.orElse(STANDARD))));
    }
  }

  /** How long to wait for the answer to what may take this long; zero: as long as any limit. */
  public static Duration patience(Duration time) {
    return (time.isZero() ? LONGEST : time).plus(MARGIN);
  }

  /** Asks at a common address: the node of this JVM, where there is one. */
  public Future<Body> ask(String address, Question question) {
    try {
      return request(address, question, local(question.options()))
          .recover(e -> Future.failedFuture(Failures.from(e)));
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  private Future<Body> request(String address, Question question) {
    try {
      return request(address, question, question.options());
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  private Future<Body> request(String address, Question question, DeliveryOptions options) {
    return vertx
        .eventBus()
        .<Object>request(address, question.body(), options)
        .map(question::answer);
  }

  /** Asks one node: whatever it has not answered when it is lost fails with {@code NODE_LOST}. */
  public Future<Message<Object>> askNode(String node, Body body, DeliveryOptions options) {
    long bytes = isSelf(node) ? 0 : bytes(body, options);
    Duration time = Duration.ofMillis(options.getSendTimeout()).minus(MARGIN);
    return bytes < Freight.LARGE
        ? send(node, body, options)
        : freight.send(node, bytes, time, waited -> send(node, body, aged(options, waited)));
  }

  /** What has waited here has less time there. */
  private static DeliveryOptions aged(DeliveryOptions options, Duration waited) {
    long millis = waited.toMillis();
    String timeout = options.getHeaders().get(Headers.TIMEOUT);
    if (timeout != null && !timeout.equals("0")) {
      long left = Math.max(1, Long.parseLong(timeout) - millis);
      options.getHeaders().set(Headers.TIMEOUT, Long.toString(left));
    }
    return options.setSendTimeout(Math.max(1, options.getSendTimeout() - millis));
  }

  private Future<Message<Object>> send(String node, Body body, DeliveryOptions options) {
    routes
        .self()
        .ifPresent(
            self ->
                options
                    .addHeader(Headers.VIA, self)
                    .addHeader(Headers.TERM, Long.toString(routes.term(node))));
    return inFlight.watch(
        node,
        vertx.eventBus().request(addresses.node(node), body, options.setLocalOnly(isSelf(node))));
  }

  /** Of the message, or of its answer where that is known to be larger. */
  private static long bytes(Body body, DeliveryOptions options) {
    long there = body.weight();
    boolean isRead = "read-memory".equals(options.getHeaders().get(Headers.ACTION));
    return isRead && body.value("length") instanceof Number length
        ? Math.max(there, length.longValue())
        : there;
  }

  /** Asks the instance that waits for a callback. */
  public Future<Body> askCaller(String address, Question question) {
    return request(address, question)
        .recover(
            e ->
                Future.failedFuture(
                    Failures.isNobody(e) ? WasmException.noSuchCaller() : Failures.from(e)));
  }

  /** Asks an instance: its node if that is known, else at an address. */
  public Future<Body> askInstance(String id, Question question) {
    try {
      return routes
          .place(id, question.reach())
          .map(place -> askAt(place, id, question))
          .orElseGet(() -> isAnyAsked(question) ? askAny(id, question) : askAddress(id, question))
          .recover(
              e ->
                  Future.failedFuture(
                      Failures.isNobody(e) ? WasmException.noSuchInstance(id) : Failures.from(e)));
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  /**
   * Whether it is asked for where all are. A user asks for those of others there too, so that it
   * does not take another time to be told that there is none.
   */
  private boolean isAnyAsked(Question question) {
    return hasNode() || question.user().isPresent();
  }

  /** What is not there any more may have moved: then the nodes find it. */
  private Future<Body> askAt(Routes.Place place, String id, Question question) {
    return place
        .here()
        .map(here -> askHere(here, place.node(), id, question))
        .orElseGet(
            () -> askNode(place.node(), question.body(), named(id, question)).map(question::answer))
        .recover(e -> Failures.isNotRun(e) ? askAny(id, question) : Future.failedFuture(e));
  }

  /**
   * Without a message, which would cost as much as all else; what answers sees to the deadline, or
   * answers at once.
   */
  private Future<Body> askHere(Endpoint.Actions here, String node, String id, Question question) {
    MultiMap headers = question.headers().add(Headers.INSTANCE, id);
    Ask ask = new Ask(addresses.node(node), headers, question.body());
    Promise<Body> answer = ((VertxInternal) vertx).getOrCreateContext().promise();
    ask.answerOf(here).map(question::looked).onComplete(answer);
    return answer.future().onComplete(done -> ask.spent().ifPresent(question.spending()));
  }

  private Future<Body> askAddress(String id, Question question) {
    return request(addresses.instance(id), question)
        .recover(e -> Failures.isNobody(e) ? askAny(id, question) : Future.failedFuture(e));
  }

  private Future<Body> askAny(String id, Question question) {
    return request(addresses.instances(), question, local(named(id, question)));
  }

  private static DeliveryOptions named(String id, Question question) {
    return question.options().addHeader(Headers.INSTANCE, id);
  }

  private boolean isSelf(String node) {
    return routes.self().filter(node::equals).isPresent();
  }

  private boolean hasNode() {
    return routes.self().isPresent();
  }

  /** The node of this JVM is asked, where there is one. */
  private DeliveryOptions local(DeliveryOptions options) {
    return options.setLocalOnly(hasNode());
  }
}
