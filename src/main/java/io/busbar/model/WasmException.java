package io.busbar.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The only exception that leaves Busbar: a {@link Failure}, a text that names the thing and the
 * value, and details such as {@code trap} and {@code frames}. It has no Java stack trace.
 */
public final class WasmException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final System.Logger LOG = System.getLogger(WasmException.class.getName());

  private final Failure failure;
  private final transient Map<String, Object> details;

  public WasmException(Failure failure, String message) {
    this(failure, message, Map.of());
  }

  /** With details: JSON-like values (strings, numbers, lists, maps) that go into the answer. */
  public WasmException(Failure failure, String message, Map<String, Object> details) {
    super(message, null, false, false);
    this.failure = failure;
    this.details = Collections.unmodifiableMap(new LinkedHashMap<>(details));
  }

  /** {@code NO_SUCH_INSTANCE}: there is none of this id, or no more. */
  public static WasmException noSuchInstance(String id) {
    return Failure.NO_SUCH_INSTANCE.because("instance `%s` not found", Names.shown(id));
  }

  /** {@code NO_SUCH_CALLER}: the callback it belonged to is over. */
  public static WasmException noSuchCaller() {
    return Failure.NO_SUCH_CALLER.because("Caller is no longer valid");
  }

  /** {@code INTERNAL}: what nobody foresaw is logged, and told by an id only. */
  public static WasmException internal(Throwable thrown) {
    String id = UUID.randomUUID().toString();
    LOG.log(System.Logger.Level.ERROR, "internal error " + id, thrown);
    return Failure.INTERNAL.because("internal error %s", id);
  }

  public Failure failure() {
    return failure;
  }

  /** What the structured error says beyond code, name and message. */
  public Map<String, Object> details() {
    return details;
  }

  /** The trap word of a {@link Failure#TRAP}, else null. */
  public String trap() {
    return (String) details.get("trap");
  }

  /** The wasm frames of a trap, innermost first, as {@code module!function}; empty if unknown. */
  @SuppressWarnings("unchecked") // the key is ours, and only lists of strings are put there
  public List<String> frames() {
    return (List<String>) details.getOrDefault("frames", List.of());
  }

  /** A copy with one more detail; a detail that is already there stays. */
  public WasmException with(String key, Object value) {
    if (details.containsKey(key)) {
      return this;
    }
    Map<String, Object> more = new LinkedHashMap<>(details);
    more.put(key, value);
    return new WasmException(failure, getMessage(), more);
  }

  @Override
  public String toString() {
    return failure + " (" + failure.code() + "): " + getMessage();
  }
}
