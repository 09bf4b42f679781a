package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.util.LinkedHashMap;
import java.util.Map;

/** Failures as they travel, and back. */
public final class Failures {
  private static final String ERROR = "error";
  private static final String DISCARDED = "Discarded the request";

  private Failures() {}

  /** The structured error of a failure, as the one field {@code error}. */
  public static Body body(WasmException failure) {
    return Body.of(ERROR, fields(failure));
  }

  /** The structured error itself: code, name, message and details. */
  public static Map<String, Object> fields(WasmException failure) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("code", failure.failure().code());
    error.put("name", failure.failure().name());
    error.put("message", failure.getMessage());
    error.putAll(failure.details());
    return error;
  }

  /** The failure in a structured error. */
  public static WasmException from(Body body) {
    Body error = body.object(ERROR);
    Map<String, Object> details = new LinkedHashMap<>();
    error.fields().keySet().forEach(key -> details.put(key, error.value(key)));
    details.remove("name");
    Object code = details.remove("code");
    Object message = details.remove("message");
    Failure failure = code instanceof Integer known ? Failure.of(known) : Failure.INTERNAL;
    return new WasmException(failure, String.valueOf(message), details);
  }

  /** The body of an answer; fails as the answer says. */
  public static Body answer(Message<?> reply) {
    Body body = Body.from(reply.body());
    if (Headers.ERROR.equals(reply.headers().get(Headers.STATUS))) {
      throw from(body);
    }
    return body;
  }

  /** Any failure as ours; one that nobody foresaw is logged, and told by an id only. */
  public static WasmException from(Throwable thrown) {
    if (thrown instanceof WasmException ours) {
      return ours;
    } else if (thrown instanceof ReplyException reply) {
      return from(reply);
    } else if (thrown instanceof OutOfMemoryError) {
      return Failure.LIMIT.because("the node has no memory left for this operation");
    }
    return WasmException.internal(thrown);
  }

  /**
   * Whether nobody was there to take a request. The bus calls it a timeout when a consumer leaves
   * with the request still before it, and only the message tells that from one that was too slow.
   */
  public static boolean isNobody(Throwable thrown) {
    return thrown instanceof ReplyException reply
        && (reply.failureType() == ReplyFailure.NO_HANDLERS
            || reply.failureType() == ReplyFailure.TIMEOUT
                && String.valueOf(reply.getMessage()).startsWith(DISCARDED));
  }

  /**
   * Whether an operation surely did not run where it was asked, since that node was not the right
   * one or not able to: it may be asked again.
   */
  public static boolean isNotRun(Throwable thrown) {
    return isNobody(thrown)
        || thrown instanceof WasmException said
            && (said.failure() == Failure.NO_SUCH_INSTANCE
                || said.failure() == Failure.UNAVAILABLE
                    && "never".equals(said.details().get("ran")));
  }

  private static WasmException from(ReplyException reply) {
    if (isNobody(reply)) {
      return Failure.NO_SUCH_INSTANCE.because("%s", reply.getMessage());
    }
    return switch (reply.failureType()) {
      case TIMEOUT -> Failure.DEADLINE.because("no answer in time: %s", reply.getMessage());
      case RECIPIENT_FAILURE -> Failure.of(reply.failureCode()).because("%s", reply.getMessage());
      default -> Failure.INTERNAL.because("%s", reply.getMessage());
    };
  }
}
