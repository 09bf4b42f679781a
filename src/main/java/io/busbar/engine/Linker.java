package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.ImportFunction;
import com.dylibso.chicory.runtime.ImportGlobal;
import com.dylibso.chicory.runtime.ImportMemory;
import com.dylibso.chicory.runtime.ImportTable;
import com.dylibso.chicory.runtime.ImportTag;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.WasmFunctionHandle;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a module imports, found among the functions its spec gives and the exports of the modules
 * that were linked before.
 */
final class Linker {
  private final Guest guest;
  private final HostCall calls;
  private final Map<String, ImportSpec> functions = new LinkedHashMap<>();
  private final Map<String, Part> links = new LinkedHashMap<>();

  Linker(Guest guest, List<ImportSpec> imports, HostCall calls) {
    this.guest = guest;
    this.calls = calls;
    imports.forEach(spec -> functions.put(key(spec.module(), spec.name()), spec));
  }

  private static String key(String module, String name) {
    return module + "::" + name;
  }

  /** From now on the exports of a linked module can be imported under this name. */
  void offer(String name, Part part) {
    for (ModuleInfo.Export export : part.info().exports()) {
      String key = key(name, export.name());
      if (functions.containsKey(key)) {
        throw Failure.LINK.because("import of `%s` defined twice", key);
      }
    }
    links.put(name, part);
  }

  /** Fails with {@code LINK}: first for what is missing, then for what has another type. */
  ImportValues link(ModuleInfo module) {
    for (ModuleInfo.Import wanted : module.imports()) {
      if (!functions.containsKey(key(wanted)) && exported(wanted) == null) {
        throw Failure.LINK.because("unknown import: `%s` has not been defined", key(wanted));
      }
    }
    ImportValues.Builder values = ImportValues.builder();
    for (ModuleInfo.Import wanted : module.imports()) {
      ImportSpec spec = functions.get(key(wanted));
      if (spec == null) {
        add(values, wanted);
      } else {
        values.addFunction(function(wanted, spec));
      }
    }
    return values.build();
  }

  private static String key(ModuleInfo.Import wanted) {
    return key(wanted.module(), wanted.name());
  }

  /** The type of a linked module's export; null if there is none. */
  private ExternType exported(ModuleInfo.Import wanted) {
    Part part = links.get(wanted.module());
    return part == null ? null : part.module().export(wanted.name());
  }

  private static WasmException incompatible(ModuleInfo.Import wanted) {
    return Failure.LINK.because("incompatible import type for `%s`", key(wanted));
  }

  private void add(ImportValues.Builder values, ModuleInfo.Import wanted) {
    Part part = links.get(wanted.module());
    Instance instance = part.instance();
    String name = wanted.name();
    if (!Matching.satisfies(part.currentType(name), wanted.type())) {
      throw incompatible(wanted);
    }
    if (wanted.type() instanceof ExternType.Function) {
      values.addFunction(ImportFunction.exportAsImport(wanted.module(), name, instance, name));
    } else if (wanted.type() instanceof ExternType.Global) {
      values.addGlobal(new ImportGlobal(wanted.module(), name, part.global(name)));
    } else if (wanted.type() instanceof ExternType.Memory) {
      values.addMemory(new ImportMemory(wanted.module(), name, part.memory(name)));
    } else if (wanted.type() instanceof ExternType.Table) {
      values.addTable(new ImportTable(wanted.module(), name, part.table(name)));
    } else {
      values.addTag(new ImportTag(wanted.module(), name, part.tag(name)));
    }
  }

  private ImportFunction function(ModuleInfo.Import wanted, ImportSpec spec) {
    boolean same =
        wanted.type() instanceof ExternType.Function function
            && function.signature().equals(spec.signature());
    if (!same) {
      throw incompatible(wanted);
    }
    return new ImportFunction(
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
    if (spec.signature().results().isEmpty()) {
      return null; // a function without results may answer what it likes
    }
    return Values.lowerParams(spec.signature().results(), results == null ? List.of() : results);
  }

  private static WasmException failed(ImportSpec spec, Exception e) {
    if (e instanceof WasmException ours && ours.failure() == Failure.CANCELLED) {
      return ours;
    }
    String said = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    Map<String, Object> cause = new LinkedHashMap<>();
    if (e instanceof WasmException ours && ours.details().containsKey(HostCall.FOREIGN_CODE)) {
      cause.put("code", ours.details().get(HostCall.FOREIGN_CODE));
    } else {
      Failure why = e instanceof WasmException ours ? ours.failure() : Failure.INTERNAL;
      cause.put("code", why.code());
      cause.put("name", why.name());
    }
    cause.put("message", said);
    return Failure.HOST_FUNCTION
        .because("import `%s` failed: %s", spec.path(), said)
        .with("cause", cause);
  }
}
