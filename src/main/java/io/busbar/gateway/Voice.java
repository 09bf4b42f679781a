package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.json.JsonObject;
import java.util.Optional;

/** What is said to the client of a socket, where there is room: what finds none is not silent. */
final class Voice {
  private final Outlet outlet;
  private final int most;
  private long missed; // events since the last one that was sent

  /** With the bytes that an answer may have. */
  Voice(Outlet outlet, int most) {
    this.outlet = outlet;
    this.most = most;
  }

  /** How many events the client has missed since the last one that was sent. */
  long missed() {
    return missed;
  }

  /** Who does not read misses events, and is told how many by the next. */
  void event(JsonObject frame) {
    boolean sent = outlet.isCalm() && outlet.offer(frame.encode());
    missed = sent ? 0 : missed + 1;
  }

  /** Answers; returns why the client is to be told that it failed instead, if it is. */
  Optional<WasmException> answer(JsonObject frame) {
    String text = frame.encode();
    if (text.length() > most) {
      return Optional.of(
          Failure.TOO_LARGE.because(
              "an answer of %d bytes; on a socket it may have %d, over HTTP more",
              text.length(), most));
    } else if (!outlet.offer(text)) {
      return Optional.of(
          Failure.OVERLOADED.because("the answer was dropped: too much waits to be read"));
    }
    return Optional.empty();
  }

  /** Asks the client something; false where it cannot be asked. */
  boolean ask(JsonObject frame) {
    return outlet.offer(frame.encode());
  }

  /** Says why something failed, which finds room where nothing else does. */
  void fail(JsonObject frame) {
    outlet.say(frame.encode());
  }
}
