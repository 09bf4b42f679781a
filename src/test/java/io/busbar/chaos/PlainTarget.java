package io.busbar.chaos;

import io.busbar.Until;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;

/** Requests to whichever worker Vert.x chooses. */
final class PlainTarget implements Target {
  private static final long TIMEOUT_MILLIS = 2000;
  private static final int FIRST_CALLS = 600;

  private final Vertx vertx;

  PlainTarget(Place place) {
    vertx = PlainNode.join(place);
  }

  @Override
  public Vertx vertx() {
    return vertx;
  }

  @Override
  public void prepare(int workers) {
    for (int i = 1; i <= FIRST_CALLS; i++) {
      settle();
    }
  }

  @Override
  public void settle() {
    Until.isTrue(() -> call(-1).map(true).otherwise(false).await());
  }

  @Override
  public String entrance(long id) {
    return "bus";
  }

  @Override
  public String instance(long id) {
    return PlainNode.ADDRESS;
  }

  @Override
  public Future<Long> call(long id) {
    DeliveryOptions options = new DeliveryOptions().setSendTimeout(TIMEOUT_MILLIS);
    return vertx
        .eventBus()
        .<Long>request(PlainNode.ADDRESS, id, options)
        .map(reply -> reply.body());
  }

  @Override
  public String outcome(Throwable e) {
    return e instanceof ReplyException reply ? reply.failureType().name() : e.toString();
  }
}
