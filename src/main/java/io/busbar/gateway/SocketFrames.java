package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The frames of PROTOCOL §9 on a WebSocket: each asks for something and is answered by one with its
 * id, in any order; what the client listens to or answers comes in between.
 */
final class SocketFrames {
  private static final String ID = "id";
  private static final String STATUS = "status";
  private static final int LONGEST_ID = 128;
  private static final Set<String> ANSWERS = Set.of("ok", "error");

  private final Lobby lobby;
  private final Addresses addresses;
  private final Door door;
  private final Voice voice;
  private final Map<String, Promise<JsonObject>> asked = new HashMap<>(); // of the client, by id
  private long calls;

  SocketFrames(Lobby lobby, Addresses addresses, Line line) {
    this.lobby = lobby;
    this.addresses = addresses;
    this.door = line.door();
    this.voice = line.voice();
  }

  /** A frame has come; whatever is wrong with it is answered. */
  void received(String text) {
    Optional<WasmException> refused = door.count(text.length());
    Optional<String> id = Optional.empty();
    try {
      Frame frame = Frame.parse(text);
      id = frame.text(ID, LONGEST_ID);
      Door.check(refused);
      if (frame.has(STATUS)) {
        door.session();
        answered(frame, id);
      } else {
        handle(frame, id);
      }
    } catch (RuntimeException e) {
      fail(id, e);
    }
  }

  private void handle(Frame frame, Optional<String> id) {
    String action = frame.required("action");
    if (action.equals("authenticate")) {
      authenticate(frame, id);
      return;
    }
    Session session = door.session();
    switch (action) {
      case "subscribe" -> tell(id, subscribe(session, frame.required("address")));
      case "unsubscribe" -> {
        session.unsubscribe(frame.required("address"));
        tell(id, Future.succeededFuture());
      }
      case "serve" -> tell(id, serve(session, frame.required("import")));
      case "unserve" -> {
        session.unserve(frame.required("import"));
        tell(id, Future.succeededFuture());
      }
      default -> ask(session, frame, action, id);
    }
  }

  private void authenticate(Frame frame, Optional<String> id) {
    String token = frame.object("body").required("token");
    door.enter(token)
        .onSuccess(
            session -> {
              JsonObject body = new JsonObject().put("session", session.token());
              session.client().tenant().ifPresent(tenant -> body.put("tenant", tenant));
              succeed(id, new JsonObject().put("body", body));
            })
        .onFailure(
            e -> {
              fail(id, e);
              door.refuse();
            });
  }

  private void ask(Session session, Frame frame, String action, Optional<String> id) {
    if (frame.has("from")) {
      throw Failure.BAD_REQUEST.because("`from` is not taken here: answers come on this socket");
    }
    JsonObject answer = new JsonObject();
    Bus.Question question =
        Bus.Question.of(action, frame.body("body"))
            .withTimeout(Requests.millis(frame.number("timeout")))
            .withFuel(frame.number("fuel"))
            .named(id)
            .spending(spent -> answer.put("fuel", spent));
    ask(session, frame, question)
        .onSuccess(body -> succeed(id, answer.put("body", body.toJson())))
        .onFailure(e -> fail(id, e));
  }

  private Future<Body> ask(Session session, Frame frame, Bus.Question question) {
    Optional<String> instance = frame.text("instance");
    Optional<String> caller = frame.text("caller");
    if (caller.isPresent()) {
      return session.askCaller(caller.get(), question);
    } else if (instance.isPresent()) {
      return session.ask(instance.get(), question);
    }
    return session.askAt(frame.text("address").orElse(addresses.instances()), question);
  }

  private Future<Void> subscribe(Session session, String address) {
    return session.subscribe(address, event -> hear(address, event));
  }

  private void hear(String address, JsonObject event) {
    JsonObject frame = new JsonObject().put("address", address).put("event", event);
    if (voice.missed() > 0) {
      frame.put("missed", voice.missed());
    }
    voice.event(frame);
  }

  private Future<Void> serve(Session session, String address) {
    return session.serve(address, (caller, call) -> call(address, caller, call));
  }

  /** Asks the client what a guest asks it. */
  private Future<JsonObject> call(String address, String caller, Served.Call call) {
    String id = "s" + ++calls;
    Promise<JsonObject> answer = Promise.promise();
    asked.put(id, answer);
    JsonObject frame =
        new JsonObject()
            .put(ID, id)
            .put("action", "import")
            .put("import", address)
            .put("name", call.name())
            .put("instance", call.instance())
            .put("caller", caller)
            .put("body", call.body());
    if (!voice.ask(frame)) {
      answer.fail(Failure.OVERLOADED.because("the client that answers does not read"));
    }
    long timer =
        lobby
            .vertx()
            .setTimer(
                call.patience().toMillis(),
                late -> answer.tryFail(Failure.DEADLINE.because("the client has not answered")));
    return answer
        .future()
        .onComplete(
            done -> {
              asked.remove(id);
              lobby.vertx().cancelTimer(timer);
            });
  }

  /** The client's answer to a call that was sent to it. */
  private void answered(Frame frame, Optional<String> id) {
    Promise<JsonObject> answer = id.map(asked::get).orElse(null);
    if (answer == null) {
      return; // the guest does not wait any more
    }
    String status = frame.text(STATUS).orElse("");
    if (!ANSWERS.contains(status)) {
      answer.tryFail(Failure.BAD_RESULT.because("the answer's `status` is neither ok nor error"));
    } else if (status.equals("ok")) {
      answer.tryComplete(frame.object("body").json());
    } else {
      answer.tryFail(Failure.HOST_FUNCTION.because("%s", Names.shown(message(frame))));
    }
  }

  private static String message(Frame frame) {
    return frame.json().getValue("error") instanceof JsonObject error
        ? String.valueOf(error.getValue("message"))
        : "the client answered an error";
  }

  private void tell(Optional<String> id, Future<Void> done) {
    done.onSuccess(ok -> succeed(id, new JsonObject().put("body", new JsonObject())))
        .onFailure(e -> fail(id, e));
  }

  private void succeed(Optional<String> id, JsonObject answer) {
    id.ifPresent(text -> answer.put(ID, text));
    Optional<WasmException> refused = voice.answer(answer.put(STATUS, "ok"));
    if (refused.isPresent()) {
      fail(id, refused.get());
    }
  }

  private void fail(Optional<String> id, Throwable e) {
    JsonObject frame = new JsonObject();
    id.ifPresent(text -> frame.put(ID, text));
    Body error = Body.of(Failures.fields(Failures.from(e)));
    voice.fail(frame.put(STATUS, "error").put("error", error.toJson()));
  }
}
