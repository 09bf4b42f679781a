package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.Limit;
import io.busbar.model.Names;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.vertx.core.AsyncResult;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * One message on its way to exactly one answer.
 *
 * <p>Without {@code from} the answer is the reply. With it, the answer is sent there, and the reply
 * says only whether the operation was accepted.
 */
public final class Ask {
  private static final System.Logger LOG = System.getLogger(Ask.class.getName());
  private static final Duration STANDARD_TIMEOUT = Duration.ofMillis(5000);

  private static final Duration SHORTEST = Duration.ofMillis(1);

  /** What another node is told as the asker said it. */
  private static final List<String> ONWARD =
      List.of(Headers.ACTION, Headers.ID, Headers.CALLER, Headers.FUEL, Headers.INSTANCE);

  /** The most instances that may wait for each other in a row. */
  public static final int MOST_IN_CHAIN = 16;

  /** Answers nobody could be told. */
  private static final LongAdder UNDELIVERED = new LongAdder();

  private static final long SECOND = 1_000_000_000;
  private static final AtomicLong LAST_LOGGED = new AtomicLong(System.nanoTime() - 2 * SECOND);

  private final Vertx vertx;
  private final Message<?> message;
  private final MultiMap headers;
  private final String from; // checked; null if there is none or it is bad
  private Body body = Body.EMPTY;
  private final boolean json;
  private String instance;
  private String node;
  private OptionalLong spent = OptionalLong.empty();
  private OptionalLong epoch = OptionalLong.empty(); // for the answer
  private final long arrived = System.nanoTime();
  private List<String> chain; // null: as the header says
  private Optional<String> user; // null: as the header says
  private Reach reach; // null: nobody has wanted to know

  private Ask(Vertx vertx, Message<?> message, String from) {
    this.vertx = vertx;
    this.message = message;
    this.headers = message.headers();
    this.from = from;
    this.instance = headers.get(Headers.INSTANCE);
    this.json = from != null || !(message.body() instanceof Body);
  }

  /**
   * Reads a message, runs its action, and sees to its answer: what the action throws is a refusal,
   * what its future fails with an answer like any other.
   */
  static void handle(Vertx vertx, Message<?> message, SendPolicy policy, Endpoint.Actions actions) {
    try {
      message.body(); // it is decoded now, and never where that fails
    } catch (RuntimeException e) {
      refuse(message, Failures.from(e));
      return;
    }
    String from = message.headers().get(Headers.FROM);
    Ask ask;
    try {
      if (from != null) {
        policy.check("from", from);
      }
      ask = new Ask(vertx, message, from);
    } catch (WasmException e) {
      new Ask(vertx, message, null).refuse(e);
      return;
    }
    try {
      ask.body = Body.from(message.body());
      var answer = actions.handle(ask);
      ask.accepted();
      answer.onComplete(ask::answer);
    } catch (ReplyException e) {
      ask.refuse(e);
    } catch (Throwable e) {
      ask.refuse(Failures.from(e));
    }
  }

  /** Tells the asker of a message that nobody has read, and will not, if it waits for an answer. */
  static void refuse(Message<?> message, WasmException why) {
    if (message.replyAddress() == null) {
      undelivered("refused, and nobody to tell: " + why);
    } else {
      message.fail(why.failure().code(), why.getMessage());
    }
  }

  /** Which operation; fails with {@code BAD_REQUEST} where the header is missing. */
  public String action() {
    String action = headers.get(Headers.ACTION);
    if (action == null) {
      throw Failure.BAD_REQUEST.because("header `action` is missing");
    }
    return action;
  }

  public WasmException unknownAction() {
    return Failure.BAD_REQUEST.because("unknown action `%s`", Names.shown(action()));
  }

  public Body body() {
    return body;
  }

  public Optional<String> id() {
    return Optional.ofNullable(headers.get(Headers.ID));
  }

  /** Who asks, as the gateway says. */
  public Optional<String> user() {
    return user == null ? Optional.ofNullable(headers.get(Headers.USER)) : user;
  }

  /** Who asks is known, whatever its header says; empty: the operator. */
  public void isBy(Optional<String> user) {
    this.user = user;
    this.reach = null;
  }

  /** How far who asks can reach: one without a header `user` is the operator's, for whomever. */
  public Reach reach() {
    Reach known = reach;
    if (known == null) {
      known = user().map(this::reachOf).orElse(Reach.OPERATOR);
      reach = known;
    }
    return known;
  }

  private Reach reachOf(String who) {
    boolean shared =
        Headers.IS_SHARED.equals(headers.get(Headers.SHARED)) || !headers.contains(Headers.USER);
    return new Reach(Optional.of(who), shared);
  }

  /** Whether who asks may use what is this user's, or where there is none the operator's. */
  public boolean mayUse(Optional<String> owner) {
    return reach().includes(owner);
  }

  /** What the bus says where nobody listens, for who is not to know that somebody does. */
  public RuntimeException unheard() {
    return new ReplyException(
        ReplyFailure.NO_HANDLERS, "No handlers for address " + message.address());
  }

  /** The caller address of the callback this comes from. */
  public Optional<String> caller() {
    return Optional.ofNullable(headers.get(Headers.CALLER));
  }

  /** The instances whose calls wait for this one, outermost first. */
  public List<String> chain() {
    return chain == null ? chainOf(headers.get(Headers.CHAIN)) : chain;
  }

  /** Fails with {@code BAD_REQUEST} where it is not a list of ids, or a long one. */
  private static List<String> chainOf(String header) {
    if (header == null || header.isEmpty()) {
      return List.of();
    }
    List<String> ids = List.of(header.split(",", MOST_IN_CHAIN + 2));
    if (ids.size() > MOST_IN_CHAIN) {
      throw Failure.BAD_REQUEST.because(
          "call chain %s → … is longer than %d", Names.shown(ids.get(0)), MOST_IN_CHAIN);
    }
    ids.forEach(id -> Names.check("instance id in header `chain`", id));
    return ids;
  }

  /** Who waits for this is known, whatever its header says. */
  public void comesFrom(List<String> chain) {
    this.chain = chain;
  }

  /** The instance that is asked for at a common address. */
  public Optional<String> instance() {
    return Optional.ofNullable(headers.get(Headers.INSTANCE));
  }

  /** The answer is to name this instance, and a failure its node too. */
  public void concerns(String instance, String node) {
    this.instance = instance;
    this.node = node;
  }

  /** How long the operation may take; zero for the instance's own limit. */
  public Duration timeout() {
    String text = headers.get(Headers.TIMEOUT);
    if (text == null) {
      return STANDARD_TIMEOUT;
    }
    try {
      long millis = Long.parseLong(text);
      if (millis >= 0) {
        return Duration.ofMillis(millis);
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw Failure.BAD_REQUEST.because(
        "header `timeout` must be a whole number of milliseconds, 0 or more. Given `%s`.",
        Names.shown(text));
  }

  /** The most fuel the operation may use; empty for what the instance has. */
  public OptionalLong fuel() {
    OptionalLong fuel = whole(Headers.FUEL);
    fuel.ifPresent(Limit.FUEL::check);
    return fuel;
  }

  private OptionalLong whole(String header) {
    String text = headers.get(header);
    if (text == null) {
      return OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Long.parseLong(text));
    } catch (NumberFormatException e) {
      throw Failure.BAD_REQUEST.because(
          "header `%s` must be a whole number. Given `%s`.", header, Names.shown(text));
    }
  }

  /** The answer is to say that the operation has used so much fuel. */
  public void spent(long fuel) {
    spent = OptionalLong.of(fuel);
  }

  /** What it has used, where that is known. */
  public OptionalLong spent() {
    return spent;
  }

  /** The answer is to say that the instance has begun anew, for the so manieth time. */
  public void tellEpoch(long epoch) {
    this.epoch = OptionalLong.of(epoch);
  }

  /** The epoch with which a node is to take an instance over; else empty. */
  public OptionalLong epoch() {
    return whole(Headers.EPOCH);
  }

  /** Which of several copies is to be started, from 1 on; else empty. */
  public OptionalInt copy() {
    OptionalLong number = whole(Headers.COPY);
    if (number.isEmpty()) {
      return OptionalInt.empty();
    }
    if (number.getAsLong() < 1 || number.getAsLong() > Home.MOST_REPLICAS) {
      throw Failure.BAD_REQUEST.because(
          "header `copy` must be 1 to %d, not %d", Home.MOST_REPLICAS, number.getAsLong());
    }
    return OptionalInt.of((int) number.getAsLong());
  }

  /** The node that has passed this on; empty where it comes from its asker. */
  public Optional<String> via() {
    return Optional.ofNullable(headers.get(Headers.VIA));
  }

  /** What that node called the time when it did. */
  public long term() {
    return whole(Headers.TERM).orElse(-1);
  }

  /** What is left of its time, at least a millisecond; zero for the instance's own limit. */
  public Duration remaining() {
    Duration whole = timeout();
    if (whole.isZero()) {
      return whole;
    }
    Duration left = whole.minus(age());
    return left.compareTo(SHORTEST) < 0 ? SHORTEST : left;
  }

  /** Whether its time is over. */
  public boolean isOver() {
    Duration whole = timeout();
    return !whole.isZero() && age().compareTo(whole) >= 0;
  }

  /** How long ago it arrived. */
  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - arrived);
  }

  /** The headers with which this goes on to another node, with the time that is left. */
  public DeliveryOptions onward() {
    DeliveryOptions options =
        new DeliveryOptions()
            .setCodecName(BodyCodec.NAME)
            .addHeader(Headers.ERRORS, Headers.ERRORS_AS_BODY)
            .addHeader(Headers.TIMEOUT, Long.toString(remaining().toMillis()));
    for (String name : ONWARD) {
      String value = headers.get(name);
      if (value != null) {
        options.addHeader(name, value);
      }
    }
    user().ifPresent(who -> options.addHeader(Headers.USER, who));
    if (reach().shared()) {
      options.addHeader(Headers.SHARED, Headers.IS_SHARED);
    }
    if (!chain().isEmpty()) {
      options.addHeader(Headers.CHAIN, String.join(",", chain()));
    }
    return options;
  }

  /** The answer of the node it went on to is the answer to this. */
  public Body answeredBy(Message<?> reply) {
    String fuel = reply.headers().get(Headers.FUEL);
    if (fuel != null) {
      spent(Long.parseLong(fuel));
    }
    String began = reply.headers().get(Headers.EPOCH);
    if (began != null) {
      tellEpoch(Long.parseLong(began));
    }
    String concerned = reply.headers().get(Headers.INSTANCE);
    instance = concerned == null ? instance : concerned;
    return Failures.answer(reply);
  }

  private void accepted() {
    if (from != null && message.replyAddress() != null) {
      reply(Body.of("accepted", true), Headers.OK);
    }
  }

  private void answer(AsyncResult<Body> result) {
    if (result.succeeded()) {
      tell(result.result(), Headers.OK);
    } else {
      tellFailure(Failures.from(result.cause()));
    }
  }

  private void tellFailure(WasmException failure) {
    WasmException named = named(failure);
    boolean asBody = from != null || Headers.ERRORS_AS_BODY.equals(headers.get(Headers.ERRORS));
    if (asBody) {
      tell(Failures.body(named), Headers.ERROR);
    } else if (message.replyAddress() != null) {
      message.fail(named.failure().code(), named.getMessage());
    } else {
      LOG.log(System.Logger.Level.DEBUG, "failed, and nobody asked for an answer: {0}", named);
    }
  }

  private WasmException named(WasmException failure) {
    WasmException named = instance == null ? failure : failure.with("instance", instance);
    return node == null ? named : named.with("node", node);
  }

  /** A refusal goes to the reply address if there is one, even where an answer would not. */
  private void refuse(WasmException failure) {
    if (message.replyAddress() == null) {
      refuseWithoutReply(failure);
    } else if (Headers.ERRORS_AS_BODY.equals(headers.get(Headers.ERRORS))) {
      reply(Failures.body(named(failure)), Headers.ERROR);
    } else {
      message.fail(failure.failure().code(), failure.getMessage());
    }
  }

  /** As the bus would. */
  private void refuse(ReplyException unheard) {
    if (message.replyAddress() != null) {
      message.reply(unheard);
    }
  }

  private void refuseWithoutReply(WasmException failure) {
    if (from != null) {
      tellFailure(failure);
    } else {
      undelivered("refused, and nobody to tell: " + failure);
    }
  }

  private void tell(Body answer, String status) {
    if (from == null) {
      if (message.replyAddress() != null) {
        reply(answer, status);
      }
      return;
    }
    DeliveryOptions options = options(status).addHeader(Headers.FROM, from);
    vertx
        .eventBus()
        .<JsonObject>sender(from, options)
        .write(answer.toJson())
        .onFailure(e -> undelivered("nobody at `" + Names.shown(from) + "` to answer"));
  }

  private void reply(Body answer, String status) {
    DeliveryOptions options = options(status);
    if (json) {
      message.reply(answer.toJson(), options);
    } else {
      message.reply(answer, options.setCodecName(BodyCodec.NAME));
    }
  }

  private DeliveryOptions options(String status) {
    DeliveryOptions options = new DeliveryOptions().addHeader(Headers.STATUS, status);
    id().ifPresent(id -> options.addHeader(Headers.ID, id));
    if (instance != null) {
      options.addHeader(Headers.INSTANCE, instance);
    }
    spent.ifPresent(fuel -> options.addHeader(Headers.FUEL, Long.toString(fuel)));
    epoch.ifPresent(began -> options.addHeader(Headers.EPOCH, Long.toString(began)));
    return options;
  }

  /** How many answers and refusals found nobody to take them, in this JVM. */
  public static long undelivered() {
    return UNDELIVERED.sum();
  }

  /** Counted each time, but logged only once a second: a flood of them must not fill the disk. */
  private static void undelivered(String what) {
    UNDELIVERED.increment();
    long now = System.nanoTime();
    long last = LAST_LOGGED.get();
    if (now - last > SECOND && LAST_LOGGED.compareAndSet(last, now)) {
      LOG.log(System.Logger.Level.WARNING, "{0} ({1} so far)", what, UNDELIVERED.sum());
    }
  }
}
