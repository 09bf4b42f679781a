package io.busbar.host;

import io.busbar.engine.wasi.Output;
import io.busbar.engine.wasi.Stdio;
import io.busbar.wire.Body;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Publishes what a guest writes, in order and no faster than a chunk of each stream in a
 * millisecond: what a guest writes faster than that for long is cut, as everywhere.
 */
final class Publisher {
  private static final int CHUNK = 16 << 10;

  /** Where it is published, and for which user; empty: the operator. */
  record Target(String address, Optional<String> owner) {}

  private final Vertx vertx;
  private final Context context;
  private final Target target;
  private final Stdio stdio;
  private final AtomicBoolean due = new AtomicBoolean();

  /** With the context on which it publishes what is written. */
  Publisher(Vertx vertx, Context context, Target target, Stdio stdio) {
    this.vertx = vertx;
    this.context = context;
    this.target = target;
    this.stdio = stdio;
    stdio.stdout().onWrite(this::written);
    stdio.stderr().onWrite(this::written);
  }

  /** On the guest's thread. */
  private void written() {
    if (due.compareAndSet(false, true)) {
      context.runOnContext(now -> publishOne());
    }
  }

  private void publishOne() {
    if (!publish()) {
      due.set(false);
      if (!publish() || !due.compareAndSet(false, true)) { // written before that was heard
        return;
      }
    }
    vertx.setTimer(1, timer -> publishOne());
  }

  /** A chunk of each stream; false if there was nothing. */
  private synchronized boolean publish() {
    return publish("stdout", stdio.stdout()) | publish("stderr", stdio.stderr());
  }

  private boolean publish(String name, Output stream) {
    Output.Chunk chunk = stream.read(CHUNK);
    boolean any = chunk.bytes().length > 0 || chunk.truncated();
    if (any) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("stream", name);
      fields.put("bytes", chunk.bytes());
      if (chunk.truncated()) {
        fields.put("truncated", true);
      }
      vertx
          .eventBus()
          .publish(target.address, Body.of(fields).toJson(), Events.headers(target.owner));
    }
    return any;
  }

  /** Publishes all that is left. */
  void close() {
    while (publish()) {
      continue; // bounded by what the streams hold
    }
  }
}
