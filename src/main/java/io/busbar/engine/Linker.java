package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.ImportFunction;
import com.dylibso.chicory.runtime.ImportGlobal;
import com.dylibso.chicory.runtime.ImportMemory;
import com.dylibso.chicory.runtime.ImportTable;
import com.dylibso.chicory.runtime.ImportTag;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.WasmFunctionHandle;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.types.TypeSection;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.engine.wasi.Wasi;
import io.busbar.engine.wasi.WasiFunction;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Names;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a module imports, found among the functions its spec gives, the exports of the modules that
 * were linked before, and at last among those of WASI.
 */
final class Linker {
  /** Afterwards the classes that a small function and our own code need have been loaded. */
  private static final int CALLS_WITH_HEADROOM = 256;

  /** What was cancelled, has exited, used all fuel or failed further in, is passed on as it is. */
  private static final Set<Failure> PASSED_ON =
      Set.of(Failure.CANCELLED, Failure.EXIT, Failure.OUT_OF_FUEL, Failure.HOST_FUNCTION);

  private final Guest guest;
  private final Optional<Wasi> wasi;
  private final HostCall calls;
  private final Map<Key, ImportSpec> functions = new LinkedHashMap<>();
  private final Map<String, Part> links = new LinkedHashMap<>();

  Linker(Guest guest, List<ImportSpec> imports, Optional<Wasi> wasi, HostCall calls) {
    this.guest = guest;
    this.wasi = wasi;
    this.calls = calls;
    for (ImportSpec spec : imports) {
      Key key = new Key(spec.module(), spec.name());
      if (functions.put(key, spec) != null) {
        throw definedTwice(key);
      }
    }
  }

  /** Where a module looks for something it imports. */
  private record Key(String module, String name) {
    static Key of(ModuleInfo.Import wanted) {
      return new Key(wanted.module(), wanted.name());
    }

    @Override
    public String toString() {
      return Names.shown(module) + "::" + Names.shown(name);
    }
  }

  private static WasmException definedTwice(Key key) {
    return Failure.LINK.because("import of `%s` defined twice", key);
  }

  /** From now on the exports of a linked module can be imported under this name. */
  void offer(String name, Part part) {
    for (ModuleInfo.Export export : part.info().exports()) {
      Key key = new Key(name, export.name());
      if (functions.containsKey(key)) {
        throw definedTwice(key);
      }
    }
    links.put(name, part);
  }

  /** Fails with {@code LINK}: first for what is missing, then for what has another type. */
  ImportValues link(Part importer) {
    List<ModuleInfo.Import> imports = importer.info().imports();
    for (ModuleInfo.Import wanted : imports) {
      if (!isDefined(wanted)) {
        throw Failure.LINK.because("unknown import: `%s` has not been defined", Key.of(wanted));
      }
    }
    ImportValues.Builder values = ImportValues.builder();
    for (ModuleInfo.Import wanted : imports) {
      ImportSpec spec = functions.get(Key.of(wanted));
      if (spec != null) {
        values.addFunction(function(wanted, spec));
      } else if (exported(wanted) != null) {
        add(values, wanted, importer);
      } else {
        values.addFunction(function(wanted, ofWasi(wanted).orElseThrow()));
      }
    }
    return values.build();
  }

  private boolean isDefined(ModuleInfo.Import wanted) {
    return functions.containsKey(Key.of(wanted))
        || exported(wanted) != null
        || ofWasi(wanted).isPresent();
  }

  private Optional<WasiFunction> ofWasi(ModuleInfo.Import wanted) {
    return wasi.flatMap(world -> world.function(wanted.module(), wanted.name()));
  }

  /** The type of a linked module's export; null if there is none. */
  private ExternType exported(ModuleInfo.Import wanted) {
    Part part = links.get(wanted.module());
    return part == null ? null : part.module().export(wanted.name());
  }

  private static WasmException incompatible(ModuleInfo.Import wanted) {
    return Failure.LINK.because("incompatible import type for `%s`", Key.of(wanted));
  }

  private void add(ImportValues.Builder values, ModuleInfo.Import wanted, Part importer) {
    Part part = links.get(wanted.module());
    String name = wanted.name();
    if (!Matching.satisfies(part.currentType(name), wanted.type())) {
      throw incompatible(wanted);
    }
    if (wanted.type() instanceof ExternType.Function) {
      values.addFunction(function(wanted, part, importer));
    } else if (wanted.type() instanceof ExternType.Global) {
      values.addGlobal(new ImportGlobal(wanted.module(), name, global(name, part, importer)));
    } else if (wanted.type() instanceof ExternType.Memory) {
      values.addMemory(new ImportMemory(wanted.module(), name, part.memory(name)));
      part.shareMemory();
      importer.shareMemory();
    } else if (wanted.type() instanceof ExternType.Table) {
      values.addTable(new ImportTable(wanted.module(), name, part.table(name).seenBy(importer)));
    } else {
      values.addTag(new ImportTag(wanted.module(), name, part.tag(name)));
    }
  }

  private static GlobalInstance global(String name, Part owner, Part importer) {
    GlobalInstance global = owner.global(name);
    return FuncRefs.is(global.getType(), owner.types())
        ? new GlobalView(global, owner, importer)
        : global;
  }

  private static ImportFunction function(ModuleInfo.Import wanted, Part owner, Part importer) {
    String name = wanted.name();
    Instance home = owner.instance();
    ImportFunction plain = ImportFunction.exportAsImport(wanted.module(), name, home, name);
    List<ValType> params = plain.paramTypes();
    List<ValType> results = plain.returnTypes();
    TypeSection types = owner.types();
    if (!FuncRefs.isAny(params, types) && !FuncRefs.isAny(results, types)) {
      return plain;
    }
    FuncRefs refs = importer.refs();
    WasmFunctionHandle passing =
        (caller, args) -> {
          long[] passed = refs.pass(params, types, args, caller, home);
          return refs.pass(results, types, plain.handle().apply(caller, passed), home, caller);
        };
    return new ImportFunction(wanted.module(), name, plain.functionType(), passing, home);
  }

  private ImportFunction function(ModuleInfo.Import wanted, ImportSpec spec) {
    return function(wanted, spec.signature(), handle(spec));
  }

  private static ImportFunction function(ModuleInfo.Import wanted, WasiFunction function) {
    return function(wanted, function.signature(), function.handle());
  }

  private static ImportFunction function(
      ModuleInfo.Import wanted, Signature signature, WasmFunctionHandle handle) {
    boolean same =
        wanted.type() instanceof ExternType.Function function
            && function.signature().equals(signature);
    if (!same) {
      throw incompatible(wanted);
    }
    return new ImportFunction(
        wanted.module(), wanted.name(), Types.functionType(signature), handle);
  }

  private WasmFunctionHandle handle(ImportSpec spec) {
    Signature signature = spec.signature();
    int[] made = {0};
    return (instance, slots) -> {
      Fuel.checkInterrupt(); // metered code looks only now and then
      int headroom = calls.headroom(spec);
      if (headroom > 0 || made[0]++ < CALLS_WITH_HEADROOM) {
        Headroom.check(Math.max(headroom, Headroom.FUNCTION));
      }
      Callback caller = new Callback(guest, instance);
      try {
        List<Object> args = Values.liftResults(signature.params(), slots);
        return check(spec, calls.answer(spec, caller, args));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ChicoryInterruptedException("Thread interrupted");
      } catch (StackOverflowError | ChicoryException e) {
        throw e; // no stack is left here: the outermost call sees to it
      } catch (Throwable e) {
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

  private static WasmException failed(ImportSpec spec, Throwable e) {
    if (e instanceof WasmException ours
        && PASSED_ON.contains(ours.failure())
        && !ours.details().containsKey(HostCall.FOREIGN_CODE)) {
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
        .because("import `%s` failed: %s", Names.shown(spec.path()), said)
        .with("cause", cause);
  }
}
