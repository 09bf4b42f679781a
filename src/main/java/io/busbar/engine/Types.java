package io.busbar.engine;

import static java.util.stream.Collectors.groupingBy;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.Export;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.FunctionImport;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.GlobalImport;
import com.dylibso.chicory.wasm.types.Import;
import com.dylibso.chicory.wasm.types.MemoryImport;
import com.dylibso.chicory.wasm.types.MemoryLimits;
import com.dylibso.chicory.wasm.types.MutabilityType;
import com.dylibso.chicory.wasm.types.TableImport;
import com.dylibso.chicory.wasm.types.TableLimits;
import com.dylibso.chicory.wasm.types.TagImport;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.model.ExternType;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** What a parsed module imports and exports, in the words of the model. */
final class Types {
  private final WasmModule module;
  private final List<Import> imports;
  private final Map<ExternalType, List<Import>> importsByKind;

  private Types(WasmModule module) {
    this.module = module;
    this.imports = module.importSection().stream().toList();
    this.importsByKind = imports.stream().collect(groupingBy(Import::importType));
  }

  static ModuleInfo describe(ModuleId id, int size, WasmModule module) {
    Types types = new Types(module);
    return new ModuleInfo(id, name(module), size, types.imports(), types.exports());
  }

  private static Optional<String> name(WasmModule module) {
    return Optional.ofNullable(module.nameSection()).flatMap(names -> names.moduleName());
  }

  private List<ModuleInfo.Import> imports() {
    List<ModuleInfo.Import> described = new ArrayList<>();
    for (Import wanted : imports) {
      described.add(new ModuleInfo.Import(wanted.module(), wanted.name(), type(wanted)));
    }
    return described;
  }

  private ExternType type(Import wanted) {
    if (wanted instanceof FunctionImport function) {
      return new ExternType.Function(signature(function.typeIndex()));
    } else if (wanted instanceof GlobalImport global) {
      return global(global.type(), global.mutabilityType());
    } else if (wanted instanceof MemoryImport memory) {
      return memory(memory.limits());
    } else if (wanted instanceof TableImport table) {
      return table(table.entryType(), table.limits());
    }
    return new ExternType.Tag(signature(((TagImport) wanted).tagType().typeIdx()));
  }

  private List<ModuleInfo.Export> exports() {
    List<ModuleInfo.Export> described = new ArrayList<>();
    for (int i = 0; i < module.exportSection().exportCount(); i++) {
      Export export = module.exportSection().getExport(i);
      described.add(new ModuleInfo.Export(export.name(), type(export)));
    }
    return described;
  }

  /** Index spaces count imports first (Core Specification 2.5.1). */
  private ExternType type(Export export) {
    List<Import> imported = importsByKind.getOrDefault(export.exportType(), List.of());
    if (export.index() < imported.size()) {
      return type(imported.get(export.index()));
    }
    int own = export.index() - imported.size();
    return switch (export.exportType()) {
      case FUNCTION ->
          new ExternType.Function(signature(module.functionSection().getFunctionType(own)));
      case GLOBAL -> {
        var global = module.globalSection().getGlobal(own);
        yield global(global.valueType(), global.mutabilityType());
      }
      case MEMORY -> memory(module.memorySection().orElseThrow().getMemory(own).limits());
      case TABLE -> {
        var table = module.tableSection().getTable(own);
        yield table(table.elementType(), table.limits());
      }
      case TAG ->
          new ExternType.Tag(signature(module.tagSection().orElseThrow().getTag(own).typeIdx()));
    };
  }

  private Signature signature(int typeIndex) {
    return signature(module.typeSection().getType(typeIndex));
  }

  static Signature signature(FunctionType type) {
    return Signature.of(values(type.params()), values(type.returns()));
  }

  private static List<ValueType> values(List<ValType> types) {
    return types.stream().map(Types::value).toList();
  }

  static ValueType value(ValType type) {
    if (type.equals(ValType.I32)) {
      return ValueType.I32;
    } else if (type.equals(ValType.I64)) {
      return ValueType.I64;
    } else if (type.equals(ValType.F32)) {
      return ValueType.F32;
    } else if (type.equals(ValType.F64)) {
      return ValueType.F64;
    } else if (type.equals(ValType.V128)) {
      return ValueType.V128;
    } else if (type.equals(ValType.FuncRef)) {
      return ValueType.FUNCREF;
    } else if (type.equals(ValType.ExternRef)) {
      return ValueType.EXTERNREF;
    }
    return type.equals(ValType.ExnRef) ? ValueType.EXNREF : ValueType.REF;
  }

  /** The signature as the machine knows it; only for types a function of ours can have. */
  static FunctionType functionType(Signature signature) {
    return FunctionType.of(valTypes(signature.params()), valTypes(signature.results()));
  }

  private static List<ValType> valTypes(List<ValueType> types) {
    List<ValType> valTypes = new ArrayList<>();
    for (ValueType type : types) {
      valTypes.add(
          switch (type) {
            case I32 -> ValType.I32;
            case I64 -> ValType.I64;
            case F32 -> ValType.F32;
            case F64 -> ValType.F64;
            case V128 -> ValType.V128;
            case FUNCREF -> ValType.FuncRef;
            case EXTERNREF, REF -> ValType.ExternRef;
            case EXNREF -> ValType.ExnRef;
          });
    }
    return valTypes;
  }

  private static ExternType global(ValType type, MutabilityType mutability) {
    return new ExternType.Global(value(type), mutability == MutabilityType.Var);
  }

  private static ExternType memory(MemoryLimits limits) {
    int maximum = limits.maximumPages();
    return new ExternType.Memory(
        limits.initialPages(),
        maximum >= MemoryLimits.MAX_PAGES ? OptionalLong.empty() : OptionalLong.of(maximum),
        limits.shared());
  }

  private static ExternType table(ValType type, TableLimits limits) {
    long maximum = limits.max();
    return new ExternType.Table(
        value(type),
        limits.min(),
        maximum >= TableLimits.LIMIT_MAX ? OptionalLong.empty() : OptionalLong.of(maximum));
  }
}
