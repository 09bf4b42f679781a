package io.busbar.engine.admission;

import io.busbar.model.WasmException;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * Looks at a module's bytes before the engine does: they are whole, within the limits, and need
 * nothing that no machine here has. That the code is valid is left to the engine.
 *
 * <p>Takes time in proportion to the bytes, whatever they declare. Safe for use by many threads.
 */
public final class Admission {
  /** What one module may declare: those of {@link ModuleLimit} that differ from the standard. */
  public record Options(Map<ModuleLimit, Long> limits) {
    public static final Options STANDARD = new Options(Map.of());

    public Options {
      Map<ModuleLimit, Long> checked = new EnumMap<>(ModuleLimit.class);
      limits.forEach((limit, value) -> checked.put(limit, limit.check(value)));
      checked.entrySet().removeIf(entry -> entry.getKey().standard() == entry.getValue());
      limits = Collections.unmodifiableMap(checked);
    }

    /** A copy with this limit at this value. */
    public Options with(ModuleLimit limit, long value) {
      Map<ModuleLimit, Long> changed = new EnumMap<>(ModuleLimit.class);
      changed.putAll(limits);
      changed.put(limit, value);
      return new Options(changed);
    }

    public long get(ModuleLimit limit) {
      return limits.getOrDefault(limit, limit.standard());
    }

    /** The value itself if a module may have so much of it; else what the limit says. */
    long check(ModuleLimit limit, long value) {
      long most = get(limit);
      if (value > most) {
        throw limit.exceeded(value, most);
      }
      return value;
    }
  }

  /**
   * A module that may be parsed.
   *
   * @param wasm its bytes without what the engine does not need: custom sections other than its own
   *     name and those of its functions
   * @param heap how many bytes of memory it takes to parse it, estimated: more than it keeps
   */
  public record Admitted(byte[] wasm, long heap) {}

  private final Options options;

  public Admission(Options options) {
    this.options = options;
  }

  /**
   * The module as it may be parsed; the bytes themselves are left as they are.
   *
   * @throws WasmException {@code INVALID_MODULE} or {@code TOO_LARGE}
   */
  public Admitted admit(byte[] wasm) {
    return new ModuleScan(wasm, options).scan();
  }
}
