package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The frames of the Vert.x event-bus bridge, as its standard client speaks them, on one SockJS
 * socket.
 *
 * <p>Of the headers of a client only those are looked at that a client may set. Where it says that
 * an answer is to go is never an address on the bus, but a name that only its own socket knows.
 */
final class BridgeFrames {
  /** What the names start with at which a client hears what was answered to it alone. */
  private static final String PRIVATE = "client.";

  private static final int MOST_PRIVATE = 100;
  private static final int LONGEST = 200;
  private static final String BEARER = "Bearer ";

  private final Lobby lobby;
  private final Addresses addresses;
  private final Door door;
  private final Voice voice;
  private final Set<String> names = new HashSet<>(); // private ones that are listened at

  BridgeFrames(Lobby lobby, Addresses addresses, Line line) {
    this.lobby = lobby;
    this.addresses = addresses;
    this.door = line.door();
    this.voice = line.voice();
  }

  /** A frame has come; whatever is wrong with it is answered. */
  void received(String text) {
    Optional<WasmException> refused = door.count(text.length());
    Optional<String> reply = Optional.empty();
    try {
      Frame frame = Frame.parse(text);
      reply = frame.text("replyAddress", LONGEST);
      Door.check(refused);
      handle(frame, frame.required("type"), reply);
    } catch (RuntimeException e) {
      fail(reply, e);
    }
  }

  private void handle(Frame frame, String type, Optional<String> reply) {
    if (type.equals("ping")) {
      return; // it keeps the connection; the standard client warns of any answer
    }
    Frame headers = frame.object("headers");
    known(headers)
        .onSuccess(
            known -> {
              try {
                handle(door.session(), frame, headers, type, reply);
              } catch (RuntimeException e) {
                fail(reply, e);
              }
            })
        .onFailure(
            e -> {
              fail(reply, e);
              door.refuse();
            });
  }

  /** The standard client can say who it is only in the headers of its frames. */
  private Future<Void> known(Frame headers) {
    Optional<String> header = headers.text("authorization").or(() -> headers.text("Authorization"));
    if (header.isEmpty() || door.isKnown()) {
      return Future.succeededFuture();
    } else if (!header.get().startsWith(BEARER)) {
      return Future.failedFuture(Credentials.refused());
    }
    return door.enter(header.get().substring(BEARER.length())).mapEmpty();
  }

  private void handle(
      Session session, Frame frame, Frame headers, String type, Optional<String> reply) {
    String address =
        frame.text("address", LONGEST).orElseThrow(() -> refused("`address` is missing"));
    switch (type) {
      case "send" -> send(session, address, frame, headers, reply);
      case "register" -> register(session, address);
      case "unregister" -> unregister(session, address);
      default -> throw refused("`" + Names.shown(type) + "` is not taken here");
    }
  }

  private static WasmException refused(String why) {
    return Failure.BAD_REQUEST.because("%s", why);
  }

  /** Asks; the answer is the reply, or goes to a name of this socket. */
  private void send(
      Session session, String address, Frame frame, Frame headers, Optional<String> reply) {
    Optional<String> from = headers.text(Headers.FROM);
    from.filter(name -> !names.contains(name))
        .ifPresent(
            name -> {
              throw refused("bad from `" + Names.shown(name) + "`: you do not listen there");
            });
    Optional<String> instance = instance(address, headers);
    Answer answer = new Answer(from.or(() -> reply), from, instance, headers);
    Bus.Question question =
        Bus.Question.of(headers.required(Headers.ACTION), frame.body("body"))
            .withTimeout(Requests.millis(headers.number(Headers.TIMEOUT)))
            .withFuel(headers.number(Headers.FUEL))
            .named(headers.text(Headers.ID, LONGEST))
            .spending(answer::spent);
    Future<Body> asked =
        instance.isPresent()
            ? session.ask(instance.get(), question)
            : session.askAt(address, question);
    if (from.isPresent() && !asked.failed()) {
      reply.ifPresent(to -> say(to, new JsonObject().put("accepted", true)));
    }
    boolean isRefused = from.isPresent() && asked.failed() && reply.isPresent();
    asked
        .onSuccess(answer::tell)
        .onFailure(e -> (isRefused ? answer.at(reply) : answer).tell(Failures.from(e)));
  }

  /** Which is asked: by its own address, or named at the common one. */
  private Optional<String> instance(String address, Frame headers) {
    return address.equals(addresses.instances())
        ? headers.text(Headers.INSTANCE)
        : lobby.access().instanceAt(address);
  }

  /** Where one answer goes, and what it says beside its body. */
  private final class Answer {
    private final Optional<String> to;
    private final Optional<String> from;
    private final Optional<String> instance;
    private final Frame asked; // headers
    private OptionalLong spent = OptionalLong.empty();

    Answer(Optional<String> to, Optional<String> from, Optional<String> instance, Frame asked) {
      this.to = to;
      this.from = from;
      this.instance = instance;
      this.asked = asked;
    }

    Answer at(Optional<String> other) {
      return new Answer(other, Optional.empty(), instance, asked);
    }

    void spent(long fuel) {
      spent = OptionalLong.of(fuel);
    }

    void tell(Body body) {
      tell(body.toJson(), Headers.OK);
    }

    /** As a body where that was asked for, and where there is nobody to be told a reply. */
    void tell(WasmException failure) {
      boolean asBody =
          from.isPresent()
              || asked.text(Headers.ERRORS).filter(Headers.ERRORS_AS_BODY::equals).isPresent();
      if (asBody && to.isPresent()) {
        tell(Failures.body(failure).toJson(), Headers.ERROR);
      } else {
        fail(to, failure);
      }
    }

    private void tell(JsonObject body, String status) {
      to.ifPresent(address -> say(address, headers(status), body));
    }

    private JsonObject headers(String status) {
      JsonObject headers = new JsonObject().put(Headers.STATUS, status);
      from.ifPresent(name -> headers.put(Headers.FROM, name));
      asked.text(Headers.ID).ifPresent(id -> headers.put(Headers.ID, id));
      instance.ifPresent(id -> headers.put(Headers.INSTANCE, id));
      spent.ifPresent(fuel -> headers.put(Headers.FUEL, Long.toString(fuel)));
      return headers;
    }
  }

  private void say(String to, JsonObject body) {
    say(to, new JsonObject().put(Headers.STATUS, Headers.OK), body);
  }

  private void say(String to, JsonObject headers, JsonObject body) {
    Optional<WasmException> refused = voice.answer(frame(to, headers, body));
    if (refused.isPresent()) {
      fail(Optional.of(to), refused.get());
    }
  }

  /** What a client hears at an address. */
  private static JsonObject frame(String address, JsonObject headers, JsonObject body) {
    return new JsonObject()
        .put("type", "rec")
        .put("address", address)
        .put("headers", headers)
        .put("body", body);
  }

  private void register(Session session, String address) {
    if (!address.startsWith(PRIVATE)) {
      session
          .subscribe(address, event -> hear(address, event))
          .onFailure(e -> fail(Optional.empty(), e));
    } else if (names.size() >= MOST_PRIVATE) {
      throw Failure.OVERLOADED.because("a socket may have %d names of its own", MOST_PRIVATE);
    } else {
      names.add(address);
    }
  }

  private void hear(String address, JsonObject event) {
    JsonObject headers = new JsonObject();
    if (voice.missed() > 0) {
      headers.put("missed", Long.toString(voice.missed()));
    }
    voice.event(frame(address, headers, event));
  }

  private void unregister(Session session, String address) {
    if (!names.remove(address)) {
      session.unsubscribe(address);
    }
  }

  private void fail(Optional<String> to, Throwable e) {
    WasmException failure = Failures.from(e);
    JsonObject frame = new JsonObject().put("type", "err");
    to.ifPresent(address -> frame.put("address", address));
    frame
        .put("failureCode", failure.failure().code())
        .put("failureType", "RECIPIENT_FAILURE")
        .put("message", failure.getMessage());
    if (to.isEmpty()) {
      frame.put("body", word(failure.failure()));
    }
    voice.fail(frame);
  }

  /** What the bridge of Vert.x says of frames that nobody waits for an answer to. */
  private static String word(Failure failure) {
    return switch (failure) {
      case FORBIDDEN, NO_SUCH_INSTANCE -> "access_denied";
      case UNAUTHENTICATED -> "not_logged_in";
      default -> "rejected";
    };
  }
}
