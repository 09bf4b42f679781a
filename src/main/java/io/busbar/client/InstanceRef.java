package io.busbar.client;

import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One instance, wherever it runs. Each method is one message; its future fails with a {@link
 * WasmException}.
 *
 * <p>Values are Integer (i32), Long (i64), Float (f32), Double (f64), {@code V128} and null for a
 * null reference; what goes in may also be any number that fits.
 */
public final class InstanceRef {
  private final Bus bus;
  private final String id;
  private final Optional<Duration> timeout;
  private final Optional<String> operation;

  InstanceRef(Bus bus, String id, Optional<Duration> timeout, Optional<String> operation) {
    this.bus = bus;
    this.id = Names.check("instance id", id);
    this.timeout = timeout;
    this.operation = operation;
  }

  public String id() {
    return id;
  }

  /** The same instance, each operation allowed this long; zero for the instance's own limit. */
  public InstanceRef withTimeout(Duration timeout) {
    return new InstanceRef(bus, id, Optional.of(timeout), operation);
  }

  /** The same instance, each operation under this name, by which {@link #cancel} stops it. */
  public InstanceRef withOperationId(String operation) {
    return new InstanceRef(bus, id, timeout, Optional.of(operation));
  }

  Future<Body> ask(String action, Body body) {
    return bus.askInstance(
        id, new Bus.Question(action, body, timeout, operation, Optional.empty()));
  }

  /** Calls an exported function; the results in order, an empty list for none. */
  public Future<List<Object>> call(String function, Object... params) {
    return call(function, Arrays.asList(params));
  }

  public Future<List<Object>> call(String function, List<?> params) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("function", function);
    fields.put("params", Collections.unmodifiableList(new ArrayList<>(params)));
    return ask("call", Body.of(fields)).map(body -> body.list("results"));
  }

  /** Whether the instance exports a function of this name. */
  public Future<Boolean> exists(String function) {
    return ask("exists", Body.of("function", function))
        .map(body -> body.optionalBoolean("exists").orElseThrow());
  }

  public Future<Object> global(String name) {
    return ask("get-global", Body.of("global", name)).map(body -> body.value("value"));
  }

  /** Sets a global; its new value. */
  public Future<Object> setGlobal(String name, Object value) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("global", name);
    fields.put("value", value);
    return ask("set-global", Body.of(fields)).map(body -> body.value("value"));
  }

  /** The first exported memory. */
  public MemoryRef memory() {
    return new MemoryRef(this, Optional.empty());
  }

  /** The exported memory of this name. */
  public MemoryRef memory(String name) {
    return new MemoryRef(this, Optional.of(name));
  }

  /** Its streams and files, if it has WASI. */
  public StdioRef stdio() {
    return new StdioRef(this);
  }

  Future<Body> askMemory(String action, Optional<String> memory, Map<String, Object> fields) {
    memory.ifPresent(name -> fields.put("memory", name));
    return ask(action, Body.of(fields));
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
