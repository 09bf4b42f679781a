package io.busbar.wire;

import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * One message on its way to exactly one answer.
 *
 * <p>Without {@code from} the answer is the reply. With it, the answer is sent there, and the reply
 * says only whether the operation was accepted.
 */
public final class Received {
  private static final System.Logger LOG = System.getLogger(Received.class.getName());

  /** Answers nobody could be told. */
  private static final LongAdder UNDELIVERED = new LongAdder();

  private static final long SECOND = 1_000_000_000;
  private static final AtomicLong LAST_LOGGED = new AtomicLong(System.nanoTime() - 2 * SECOND);

  private final Vertx vertx;
  private final Message<?> message;
  private final String from; // checked; null if there is none or it is bad
  private final boolean json;
  private final Ask ask;

  private Received(Vertx vertx, Message<?> message, String from, Body body) {
    this.vertx = vertx;
    this.message = message;
    this.from = from;
    this.json = from != null || !(message.body() instanceof Body);
    this.ask = new Ask(message.address(), message.headers(), body);
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
    try {
      if (from != null) {
        policy.check("from", from);
      }
    } catch (WasmException e) {
      new Received(vertx, message, null, Body.EMPTY).refuse(e);
      return;
    }
    Body body;
    try {
      body = Body.from(message.body());
    } catch (RuntimeException e) {
      new Received(vertx, message, from, Body.EMPTY).refuse(Failures.from(e));
      return;
    }
    new Received(vertx, message, from, body).run(actions);
  }

  private void run(Endpoint.Actions actions) {
    try {
      Future<Body> answer = actions.handle(ask);
      accepted();
      answer.onComplete(this::answer);
    } catch (ReplyException e) {
      refuse(e);
    } catch (Throwable e) {
      refuse(Failures.from(e));
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
    WasmException named = ask.named(failure);
    if (from != null || wantsErrorsAsBody()) {
      tell(Failures.body(named), Headers.ERROR);
    } else if (message.replyAddress() != null) {
      message.fail(named.failure().code(), named.getMessage());
    } else {
      LOG.log(System.Logger.Level.DEBUG, "failed, and nobody asked for an answer: {0}", named);
    }
  }

  private boolean wantsErrorsAsBody() {
    return Headers.ERRORS_AS_BODY.equals(message.headers().get(Headers.ERRORS));
  }

  /** A refusal goes to the reply address if there is one, even where an answer would not. */
  private void refuse(WasmException failure) {
    if (message.replyAddress() == null) {
      refuseWithoutReply(failure);
    } else if (wantsErrorsAsBody()) {
      reply(Failures.body(ask.named(failure)), Headers.ERROR);
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
    DeliveryOptions options = ask.answer(status).addHeader(Headers.FROM, from);
    vertx
        .eventBus()
        .<JsonObject>sender(from, options)
        .write(answer.toJson())
        .onFailure(e -> undelivered("nobody at `" + Names.shown(from) + "` to answer"));
  }

  private void reply(Body answer, String status) {
    DeliveryOptions options = ask.answer(status);
    if (json) {
      message.reply(answer.toJson(), options);
    } else {
      message.reply(answer, options.setCodecName(BodyCodec.NAME));
    }
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
