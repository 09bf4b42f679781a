package io.busbar.engine;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.TableInstance;
import com.dylibso.chicory.runtime.TagInstance;
import com.dylibso.chicory.wasm.types.Export;
import com.dylibso.chicory.wasm.types.ExternalType;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Names;
import java.util.Optional;

/** One module brought to life inside a {@link Guest}: its own, or one of those it links to. */
final class Part {
  private final CompiledModule module;
  private final String label;
  private final InstructionWatch watch;
  private Instance instance;

  /** A module that frames call {@code label} where it does not name itself. */
  Part(CompiledModule module, String label) {
    this.module = module;
    this.label = module.info().name().orElse(label);
    this.watch = new InstructionWatch(module.vectorStores());
  }

  /** Builds the instance, and then runs its start section. */
  void build(ImportValues imports, Quotas quotas, Trace trace) {
    instance =
        Instance.builder(module.wasm())
            .withImportValues(imports)
            .withMachineFactory(made -> new GuestMachine(made, this, trace))
            .withMemoryFactory(quotas::memory)
            .withTableFactory(quotas::table)
            .withUnsafeExecutionListener(watch)
            .withInitialize(false)
            .build();
    instance.initialize(false);
  }

  /** After a call that failed: goes on with machines that have nothing on their stacks. */
  void reset() {
    machine().replace();
    watch.reset();
  }

  CompiledModule module() {
    return module;
  }

  ModuleInfo info() {
    return module.info();
  }

  Instance instance() {
    return instance;
  }

  GuestMachine machine() {
    return (GuestMachine) instance.getMachine();
  }

  /** A frame of a trap: {@code module!function}. */
  String frame(int function) {
    return Names.shown(label) + "!" + Names.shown(module.functionName(function));
  }

  ExternType.Function functionType(String name) {
    if (module.export(name) instanceof ExternType.Function type) {
      return type;
    }
    throw Failure.NO_SUCH_EXPORT.because("exported function `%s` not found", Names.shown(name));
  }

  ExportFunction function(String name) {
    return instance.export(name);
  }

  ExternType.Global globalType(String name) {
    if (module.export(name) instanceof ExternType.Global type) {
      return type;
    }
    throw Failure.NO_SUCH_GLOBAL.because("exported global `%s` not found", Names.shown(name));
  }

  GlobalInstance global(String name) {
    return instance.exports().global(name);
  }

  TableInstance table(String name) {
    return instance.exports().table(name);
  }

  TagInstance tag(String name) {
    for (int i = 0; i < module.wasm().exportSection().exportCount(); i++) {
      Export export = module.wasm().exportSection().getExport(i);
      if (export.exportType() == ExternalType.TAG && export.name().equals(name)) {
        return instance.tag(export.index());
      }
    }
    throw new IllegalArgumentException(name);
  }

  /** The type of an export, with the size a memory or table has grown to; null if there is none. */
  ExternType currentType(String name) {
    ExternType type = module.export(name);
    if (type instanceof ExternType.Memory memory) {
      return new ExternType.Memory(memory(name).pages(), memory.maximum(), memory.shared());
    } else if (type instanceof ExternType.Table table) {
      return new ExternType.Table(table.type(), table(name).size(), table.maximum());
    }
    return type;
  }

  /** The first exported memory's name; empty if there is none. */
  Optional<String> firstMemory() {
    for (ModuleInfo.Export export : info().exports()) {
      if (export.type() instanceof ExternType.Memory) {
        return Optional.of(export.name());
      }
    }
    return Optional.empty();
  }

  /** The name of a memory that is exported; null names the first one. */
  String memoryName(String name) {
    if (name == null) {
      return firstMemory()
          .orElseThrow(
              () ->
                  Failure.NO_SUCH_MEMORY.because("The WebAssembly module has no exported memory."));
    }
    if (module.export(name) instanceof ExternType.Memory) {
      return name;
    }
    throw Failure.NO_SUCH_MEMORY.because("exported memory `%s` not found", Names.shown(name));
  }

  GuestMemory memory(String name) {
    return (GuestMemory) instance.exports().memory(memoryName(name));
  }
}
