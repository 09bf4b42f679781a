package io.busbar.client;

import io.busbar.model.Names;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** One instance, wherever it runs; each method is one message, or on the own node one call. */
public final class InstanceRef extends ExportsRef {
  private final Bus bus;
  private final String id;
  private final Optional<Duration> timeout;
  private final OptionalLong fuel;
  private final Optional<String> operation;
  private final Optional<Bus.Origin> origin;

  InstanceRef(
      Bus bus,
      String id,
      Optional<Duration> timeout,
      OptionalLong fuel,
      Optional<String> operation,
      Optional<Bus.Origin> origin) {
    this.bus = bus;
    this.id = Names.check("instance id", id);
    this.timeout = timeout;
    this.fuel = fuel;
    this.operation = operation;
    this.origin = origin;
  }

  public String id() {
    return id;
  }

  /** The same instance, each operation allowed this long; zero for the instance's own limit. */
  public InstanceRef withTimeout(Duration timeout) {
    return new InstanceRef(bus, id, Optional.of(timeout), fuel, operation, origin);
  }

  /** The same instance, each operation allowed this much fuel; it must be metered. */
  public InstanceRef withFuel(long most) {
    return new InstanceRef(bus, id, timeout, OptionalLong.of(most), operation, origin);
  }

  /** The same instance, each operation under this name, by which {@link #cancel} stops it. */
  public InstanceRef withOperationId(String operation) {
    return new InstanceRef(bus, id, timeout, fuel, Optional.of(operation), origin);
  }

  @Override
  Future<Body> ask(String action, Body body) {
    Bus.Question question =
        Bus.Question.of(action, body)
            .withTimeout(timeout)
            .withFuel(fuel)
            .named(operation)
            .from(origin);
    return bus.askInstance(id, question);
  }

  /** Its streams and files, if it has WASI. */
  public StdioRef stdio() {
    return new StdioRef(this);
  }

  /** Its spec, module, node, exports, memory, queue and counters. */
  public Future<JsonObject> describe() {
    return ask("describe", Body.EMPTY).map(Body::toJson);
  }

  /** Stops the operations of that name: a queued one never starts, a running one is interrupted. */
  public Future<Boolean> cancel(String operation) {
    return ask("cancel", Body.of("id", operation))
        .map(body -> body.optionalBoolean("cancelled").orElseThrow());
  }

  /** Stops the instance; what waits for it fails with {@code CANCELLED}. */
  public Future<Void> stop() {
    return bus.ask(bus.addresses().instances(), Bus.Question.of("stop", Body.of("id", id)))
        .mapEmpty();
  }
}
