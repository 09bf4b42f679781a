package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.HostFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.WasmFunctionHandle;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a module imports, found among the functions its spec gives; each answer is checked. */
final class Linker {
  private final Guest guest;
  private final HostCall calls;
  private final Map<String, ImportSpec> given = new LinkedHashMap<>();

  Linker(Guest guest, List<ImportSpec> imports, HostCall calls) {
    this.guest = guest;
    this.calls = calls;
    for (ImportSpec spec : imports) {
      given.put(key(spec.module(), spec.name()), spec);
    }
  }

  private static String key(String module, String name) {
    return module + "::" + name;
  }

  /** Fails with {@code LINK}: first for what is missing, then for what has another type. */
  ImportValues link(ModuleInfo module) {
    for (ModuleInfo.Import wanted : module.imports()) {
      if (!given.containsKey(key(wanted.module(), wanted.name()))) {
        throw Failure.LINK.because(
            "unknown import: `%s` has not been defined", key(wanted.module(), wanted.name()));
      }
    }
    List<HostFunction> functions = new ArrayList<>();
    for (ModuleInfo.Import wanted : module.imports()) {
      functions.add(function(wanted, given.get(key(wanted.module(), wanted.name()))));
    }
    return ImportValues.builder().addFunction(functions.toArray(HostFunction[]::new)).build();
  }

  private HostFunction function(ModuleInfo.Import wanted, ImportSpec spec) {
    boolean same =
        wanted.type() instanceof ExternType.Function function
            && function.signature().equals(spec.signature());
    if (!same) {
      throw Failure.LINK.because(
          "incompatible import type for `%s`", key(wanted.module(), wanted.name()));
    }
    return new HostFunction(
        wanted.module(), wanted.name(), Types.functionType(spec.signature()), handle(spec));
  }

  private WasmFunctionHandle handle(ImportSpec spec) {
    Signature signature = spec.signature();
    return (instance, slots) -> {
      Callback caller = new Callback(guest, instance);
      try {
        List<Object> args = Values.liftResults(signature.params(), slots);
        return check(spec, calls.answer(spec, caller, args));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ChicoryInterruptedException("Thread interrupted");
      } catch (Exception e) {
        throw failed(spec, e);
      } finally {
        caller.close();
      }
    };
  }

  /** The results as slots; null for none, as the engine wants it. */
  private static long[] check(ImportSpec spec, List<?> results) {
    List<?> given = results == null ? List.of() : results;
    if (spec.signature().results().isEmpty()) {
      return null; // a function without results may answer what it likes
    }
    return Values.lowerParams(spec.signature().results(), given);
  }

  private static WasmException failed(ImportSpec spec, Exception e) {
    if (e instanceof WasmException ours && ours.failure() == Failure.CANCELLED) {
      return ours;
    }
    Failure why = e instanceof WasmException ours ? ours.failure() : Failure.INTERNAL;
    String said = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new WasmException(
        Failure.HOST_FUNCTION,
        "import `" + spec.path() + "` failed: " + said,
        Map.of("cause", Map.of("code", why.code(), "name", why.name(), "message", said)));
  }
}
