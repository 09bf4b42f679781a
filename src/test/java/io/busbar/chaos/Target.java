package io.busbar.chaos;

import io.vertx.core.Future;
import io.vertx.core.Vertx;

/** What a driver calls: the workers of a cluster it is a member of. */
interface Target {
  Vertx vertx();

  /** Until this many workers answer: what is called exists from then on, and has been called. */
  void prepare(int workers);

  /** Until each thing that is called answers, or an error after a while. */
  void settle();

  /** By which way this call is asked. */
  String entrance(long id);

  /** What this call is asked of. */
  String instance(long id);

  /** Asks; fails with whatever the caller would be told. */
  Future<Long> call(long id);

  /** The name of what a caller was told. */
  String outcome(Throwable e);
}
