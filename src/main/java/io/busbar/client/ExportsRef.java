package io.busbar.client;

import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.JsonText;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The exports of an instance, asked for by messages; futures fail with a {@link WasmException}.
 *
 * <p>Values are Integer (i32), Long (i64), Float (f32), Double (f64), {@code V128} and null for a
 * null reference; what goes in may also be any number that fits.
 */
public abstract class ExportsRef {
  ExportsRef() {}

  /** One message with this operation. */
  abstract Future<Body> ask(String action, Body body);

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

  /**
   * Gives a function bytes and takes those it answers, in one operation; for guests with an
   * allocator.
   */
  public Future<Buffer> invoke(String function, Buffer input) {
    return invoke(function, "input", input.getBytes())
        .map(body -> Buffer.buffer(body.bytes("output")));
  }

  private Future<Body> invoke(String function, String form, Object input) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("function", function);
    fields.put(form, input);
    return ask("invoke", Body.of(fields));
  }

  /** The same with text as UTF-8; fails with {@code BAD_RESULT} where no text comes out. */
  public Future<String> invokeText(String function, String text) {
    return invoke(function, "text", text).map(body -> body.string("text"));
  }

  /**
   * The same with JSON: JsonObject, JsonArray, String, Number, Boolean or null; fails with {@code
   * BAD_RESULT} where no JSON comes out.
   */
  public Future<Object> invokeJson(String function, Object json) {
    return invokeText(function, JsonText.of(json)).map(text -> JsonText.parse(function, text));
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

  /** The fuel that is left; fails with {@code NO_FUEL} where its spec has no limit of it. */
  public Future<Long> fuel() {
    return ask("get-fuel", Body.EMPTY).map(body -> body.whole("fuel"));
  }

  /** From now on this much fuel is left. */
  public Future<Void> setFuel(long fuel) {
    return ask("set-fuel", Body.of("fuel", fuel)).mapEmpty();
  }

  /** The first exported memory. */
  public MemoryRef memory() {
    return new MemoryRef(this, Optional.empty());
  }

  /** The exported memory of this name. */
  public MemoryRef memory(String name) {
    return new MemoryRef(this, Optional.of(name));
  }

  Future<Body> askMemory(String action, Optional<String> memory, Map<String, Object> fields) {
    memory.ifPresent(name -> fields.put("memory", name));
    return ask(action, Body.of(fields));
  }
}
