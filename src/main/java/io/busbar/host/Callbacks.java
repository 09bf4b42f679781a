package io.busbar.host;

import io.busbar.engine.Headroom;
import io.busbar.engine.HostCall;
import io.busbar.model.Caller;
import io.busbar.model.Failure;
import io.busbar.model.HostFunction;
import io.busbar.model.ImportSpec;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Endpoint;
import io.busbar.wire.Failures;
import io.busbar.wire.Headers;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Answers the imports of one instance: by the Java function of that name, on the guest's thread, or
 * by a message to the address, for whose answer that thread waits without its right to run.
 */
final class Callbacks implements HostCall {
  /** How much longer an answer is waited for than the call may take: its deadline comes first. */
  private static final Duration MARGIN = Duration.ofSeconds(1);

  private final Vertx vertx;
  private final String instance;
  private final Functions functions;
  private final Callers callers;
  private final Lane lane;

  Callbacks(Vertx vertx, String instance, Functions functions, Callers callers, Lane lane) {
    this.vertx = vertx;
    this.instance = instance;
    this.functions = functions;
    this.callers = callers;
    this.lane = lane;
  }

  @Override
  public int headroom(ImportSpec called) {
    HostFunction here = functions.find(called.address());
    if (here == null) {
      return Headroom.MESSAGE;
    }
    return here.isSmall() ? 0 : Headroom.FUNCTION;
  }

  @Override
  public List<?> answer(ImportSpec called, Caller caller, List<Object> args) throws Exception {
    HostFunction here = functions.find(called.address());
    return here == null ? wait(called, caller, args) : here.call(caller, args);
  }

  private List<Object> wait(ImportSpec called, Caller caller, List<Object> args)
      throws InterruptedException {
    Job<?> job = Job.current();
    job.checkNotStopped();
    lane.startWaiting();
    Callers.Open open = callers.open(chain(job));
    try {
      ask(called, open, job, args).onComplete(open.session()::answered);
      return open.session().await(caller, job);
    } finally {
      callers.retire(open);
      lane.endWaiting();
    }
  }

  /** The answer of whoever serves the import: once the caller address can be reached. */
  private Future<List<Object>> ask(
      ImportSpec called, Callers.Open open, Job<?> job, List<Object> args) {
    Duration rest = job.remaining();
    boolean own = called.timeout().filter(t -> !t.isZero() && t.compareTo(rest) < 0).isPresent();
    Duration time = own ? called.timeout().get() : rest;
    Duration patience = time.plus(own ? Duration.ZERO : MARGIN);
    AsyncFunction here = functions.findAsync(called.address());
    return open.endpoint()
        .compose(
            reachable ->
                here == null
                    ? send(called, open, job, args, time, patience)
                    : here.call(open.address(), chain(job), args)
                        .timeout(patience.toMillis(), TimeUnit.MILLISECONDS))
        .recover(e -> Future.failedFuture(cause(called, time, e)));
  }

  private List<String> chain(Job<?> job) {
    List<String> chain = new ArrayList<>(job.chain());
    chain.add(instance);
    return chain;
  }

  private Future<List<Object>> send(
      ImportSpec called,
      Callers.Open open,
      Job<?> job,
      List<Object> args,
      Duration time,
      Duration patience) {
    DeliveryOptions options =
        new DeliveryOptions()
            .addHeader(Headers.CALLER, open.address())
            .addHeader(Headers.INSTANCE, instance)
            .addHeader(Headers.IMPORT, called.path())
            .addHeader(Headers.CHAIN, String.join(",", chain(job)))
            .addHeader(Headers.TIMEOUT, Long.toString(time.toMillis()))
            .setSendTimeout(Math.max(1, patience.toMillis()));
    return vertx
        .eventBus()
        .<Object>request(called.address(), Body.of("params", args).toJson(), options)
        .map(Callbacks::results);
  }

  private static List<Object> results(Message<Object> reply) {
    Body body = Endpoint.body(reply);
    if (body.has("error")) {
      WasmException said = Failures.from(body);
      throw new WasmException(Failure.HOST_FUNCTION, said.getMessage())
          .with(HostCall.FOREIGN_CODE, body.object("error").value("code"));
    }
    if (!body.has("results")) {
      throw Failure.BAD_RESULT.because("the answer has no `results`");
    }
    return body.list("results");
  }

  private static Throwable cause(ImportSpec called, Duration time, Throwable e) {
    String address = Names.shown(called.address());
    if (Failures.isNobody(e)) {
      return Failure.UNAVAILABLE.because("nobody answers at `%s`", address);
    }
    boolean late =
        e instanceof ReplyException reply && reply.failureType() == ReplyFailure.TIMEOUT
            || e instanceof TimeoutException;
    if (late) {
      return Failure.DEADLINE.because("no answer from `%s` in %d ms", address, time.toMillis());
    }
    if (e instanceof ReplyException reply
        && reply.failureType() == ReplyFailure.RECIPIENT_FAILURE) {
      return new WasmException(Failure.HOST_FUNCTION, String.valueOf(reply.getMessage()))
          .with(HostCall.FOREIGN_CODE, reply.failureCode());
    }
    return e;
  }
}
