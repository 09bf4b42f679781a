package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.Limit;
import io.busbar.model.Names;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** One question: what its headers and body say, and what is to be said with its answer. */
public final class Ask {
  private static final Duration STANDARD_TIMEOUT = Duration.ofMillis(5000);

  private static final Duration SHORTEST = Duration.ofMillis(1);

  /** What another node is told as the asker said it. */
  private static final List<String> ONWARD =
      List.of(Headers.ACTION, Headers.ID, Headers.CALLER, Headers.FUEL, Headers.INSTANCE);

  /** The most instances that may wait for each other in a row. */
  public static final int MOST_IN_CHAIN = 16;

  private final String address;
  private final MultiMap headers;
  private final Body body;
  private final String action; // null: it says none
  private String instance;
  private String node;
  private OptionalLong spent = OptionalLong.empty();
  private OptionalLong epoch = OptionalLong.empty(); // for the answer
  private final long arrived = System.nanoTime();
  private List<String> chain; // null: as the header says
  private Optional<String> user; // null: as the header says
  private Reach reach; // null: nobody has wanted to know

  /** One that has come to this address, by a message or without. */
  public Ask(String address, MultiMap headers, Body body) {
    this.address = address;
    this.headers = headers;
    this.body = body;
    this.action = headers.get(Headers.ACTION);
    this.instance = headers.get(Headers.INSTANCE);
  }

  /** The answer of what answers in this JVM, asked without a message; fails as one would. */
  public Future<Body> answerOf(Endpoint.Actions actions) {
    try {
      return actions.handle(this).recover(e -> Future.failedFuture(named(Failures.from(e))));
    } catch (ReplyException e) {
      return Future.failedFuture(e);
    } catch (Throwable e) {
      return Future.failedFuture(named(Failures.from(e)));
    }
  }

  /** Which operation; fails with {@code BAD_REQUEST} where the header is missing. */
  public String action() {
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
    return new ReplyException(ReplyFailure.NO_HANDLERS, "No handlers for address " + address);
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

  /** The failure, with the instance and the node it concerns. */
  WasmException named(WasmException failure) {
    WasmException named = instance == null ? failure : failure.with("instance", instance);
    return node == null ? named : named.with("node", node);
  }

  /** The headers of the answer. */
  DeliveryOptions answer(String status) {
    DeliveryOptions options = new DeliveryOptions().addHeader(Headers.STATUS, status);
    id().ifPresent(id -> options.addHeader(Headers.ID, id));
    if (instance != null) {
      options.addHeader(Headers.INSTANCE, instance);
    }
    spent.ifPresent(fuel -> options.addHeader(Headers.FUEL, Long.toString(fuel)));
    epoch.ifPresent(began -> options.addHeader(Headers.EPOCH, Long.toString(began)));
    return options;
  }
}
