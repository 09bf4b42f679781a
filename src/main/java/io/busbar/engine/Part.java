package io.busbar.engine;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.TagInstance;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.types.Export;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.TypeSection;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.engine.FuncRefs.Function;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Names;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** One module brought to life inside a {@link Guest}: its own, or one of those it links to. */
final class Part {
  private final CompiledModule module;
  private final String label;
  private final InstructionWatch watch;
  private final FuncRefs refs;
  private final Map<Integer, Bridge> bridges = new HashMap<>(); // by type
  private final Map<Function, Bridge> bridged = new HashMap<>();
  private Instance instance;
  private Segments segments; // null until it is initialized
  private boolean sharesMemory;

  /**
   * A module that frames call {@code label} where it does not name itself.
   *
   * @param refs the same for all parts of a guest
   */
  Part(CompiledModule module, String label, FuncRefs refs) {
    this.module = module;
    this.refs = refs;
    this.label = module.info().name().orElse(label);
    this.watch = new InstructionWatch(this);
  }

  /** Builds the instance, and then runs its start section. */
  void build(ImportValues imports, Quotas quotas, Tags tags, Trace trace, Frames frames) {
    tags.showTypes();
    instance =
        Instance.builder(module.wasm())
            .withImportValues(imports)
            .withMachineFactory(made -> new GuestMachine(made, this, trace, frames))
            .withMemoryFactory(quotas::memory)
            .withTableFactory((table, value) -> new TableView(quotas.table(table, value), this))
            .withUnsafeExecutionListener(watch)
            .withInitialize(false)
            .build();
    tags.add(instance);
    tags.tellApart();
    instance.initialize(false);
    segments = Segments.of(instance);
  }

  /** Another part uses a memory of this one, or this one that of another. */
  void shareMemory() {
    sharesMemory = true;
  }

  /** What it brings to its memories when it begins to run; null if it need not. */
  Segments segments() {
    return sharesMemory ? segments : null;
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

  /** Null until it is built. */
  Instance instance() {
    return instance;
  }

  FuncRefs refs() {
    return refs;
  }

  TypeSection types() {
    return module.wasm().typeSection();
  }

  /**
   * The way to a function of another part that this one finds in a table; traps where no type of
   * this module is the function's, so that no call can mean it.
   */
  Bridge bridge(Function function) {
    Bridge known = bridged.get(function);
    if (known == null) {
      known = bridges.computeIfAbsent(typeOf(function), type -> new Bridge(this, type));
      bridged.put(function, known);
    }
    return known;
  }

  private int typeOf(Function function) {
    Instance home = function.home();
    int type = home.functionType(function.number());
    TypeSection theirs = home.module().typeSection();
    TypeSection ours = types();
    for (int i = 0; i < ours.subTypeCount(); i++) {
      if (TypeSection.crossModuleCanonicallyEquivalent(theirs, type, ours, i)) {
        return i;
      }
    }
    throw new ChicoryException("indirect call type mismatch");
  }

  /** Whether a function of this module can be called as one of a type of it. */
  boolean isOfType(int function, int type) {
    return function >= 0
        && function < module.functions()
        && ValType.heapTypeSubtype(instance.functionType(function), type, types());
  }

  GuestMachine machine() {
    return (GuestMachine) instance.getMachine();
  }

  /** What the frame of a function takes that is interpreted and called now, in bytes, about. */
  long frame(int function, int params) {
    return Frames.bytes(params + module.locals(function), watch.openBlocks());
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

  TableView table(String name) {
    return (TableView) instance.exports().table(name);
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
