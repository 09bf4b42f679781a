package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.Instruction;
import io.busbar.model.ExternType;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleInfo;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** A validated module, shared by all its guests, with its classes as soon as they are compiled. */
public final class CompiledModule {
  private static final long INSTANCE = 4 << 10; // bytes, as measured with ten thousand of them
  private static final long PER_FUNCTION = 16; // or segment: entries of arrays
  private static final long PER_GLOBAL = 64; // or export: objects

  private final ModuleInfo info;
  private final WasmModule module;
  private final Set<Instruction> vectorStores;
  private final boolean metered;
  private final boolean corrected;
  private final Map<Integer, String> exportedNames;
  private final Map<String, ExternType> exports = new HashMap<>();
  private final int importedFunctions;
  private final long instanceBytes;
  private volatile Function<Instance, Machine> classes;

  /** Of a module as it was, or metered. */
  CompiledModule(ModuleInfo info, WasmModule module, boolean metered) {
    this.info = info;
    this.module = module;
    this.vectorStores = Vectors.stores(module);
    this.metered = metered;
    this.corrected = Corrections.concern(module);
    this.exportedNames = exportedNames(module);
    info.exports().forEach(export -> exports.put(export.name(), export.type()));
    this.importedFunctions = module.importSection().count(ExternalType.FUNCTION);
    this.instanceBytes = instanceBytes(module);
  }

  private static long instanceBytes(WasmModule module) {
    long functions =
        module.importSection().importCount() + module.codeSection().functionBodyCount();
    long segments =
        module.dataSection().dataSegmentCount() + module.elementSection().elementCount();
    long named = module.globalSection().globalCount() + module.exportSection().exportCount();
    return INSTANCE + PER_FUNCTION * (functions + segments) + PER_GLOBAL * named;
  }

  private static Map<Integer, String> exportedNames(WasmModule module) {
    Map<Integer, String> names = new HashMap<>();
    for (int i = 0; i < module.exportSection().exportCount(); i++) {
      var export = module.exportSection().getExport(i);
      if (export.exportType() == ExternalType.FUNCTION) {
        names.putIfAbsent(export.index(), export.name());
      }
    }
    return names;
  }

  public ModuleId id() {
    return info.id();
  }

  public ModuleInfo info() {
    return info;
  }

  /** Whether guests run compiled from their next call on. */
  public boolean isCompiled() {
    return classes != null;
  }

  /** The type of an export; null if there is none of this name. */
  public ExternType export(String name) {
    return exports.get(name);
  }

  /** Whether its guests pay with fuel. */
  public boolean isMetered() {
    return metered;
  }

  /** The first function that {@link Metering} added; beyond all functions if it added none. */
  int firstMark() {
    return metered ? Metering.firstMark(module) : Integer.MAX_VALUE;
  }

  /** What each instance takes of the heap besides its memories and tables, in bytes, about. */
  long instanceBytes() {
    return instanceBytes;
  }

  WasmModule wasm() {
    return module;
  }

  Set<Instruction> vectorStores() {
    return vectorStores;
  }

  /** Whether it has instructions that the engine gets wrong; see {@link Corrections}. */
  boolean isCorrected() {
    return corrected;
  }

  void compiled(Function<Instance, Machine> classes) {
    this.classes = classes;
  }

  Machine machine(Instance instance) {
    return classes.apply(instance);
  }

  /** What the generated classes of this module are called; it tells frames of modules apart. */
  String className() {
    return "busbar.guest." + (metered ? "F" : "M") + id().hex().substring(0, 16);
  }

  /** How many functions there are, imports included. */
  int functions() {
    return importedFunctions + module.functionSection().functionCount();
  }

  /** How many of the functions are imports; they come first. */
  int importedFunctions() {
    return importedFunctions;
  }

  /** The locals of a function, its parameters not counted; 0 for an import. */
  int locals(int function) {
    int own = function - importedFunctions;
    return own < 0 ? 0 : module.codeSection().getFunctionBody(own).localTypes().size();
  }

  /** From the name section, or the name it is exported under, or its number. */
  String functionName(int index) {
    String name = module.nameSection() == null ? null : module.nameSection().nameOfFunction(index);
    if (name == null) {
      name = exportedNames.get(index);
    }
    return name == null ? "<wasm function " + index + ">" : name;
  }
}
