package io.busbar.engine;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.ActiveElement;
import com.dylibso.chicory.wasm.types.Element;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.FunctionImport;
import com.dylibso.chicory.wasm.types.Global;
import com.dylibso.chicory.wasm.types.GlobalImport;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.MutabilityType;
import com.dylibso.chicory.wasm.types.OpCode;
import com.dylibso.chicory.wasm.types.Table;
import com.dylibso.chicory.wasm.types.TagImport;
import com.dylibso.chicory.wasm.types.ValType;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What the specification asks of a valid module and the engine's own validator does not. */
final class Validity {
  private final WasmModule module;
  private final List<FunctionImport> importedFunctions;
  private final List<GlobalImport> importedGlobals;

  private Validity(WasmModule module) {
    this.module = module;
    this.importedFunctions = imports(FunctionImport.class);
    this.importedGlobals = imports(GlobalImport.class);
  }

  /** Fails with {@code INVALID_MODULE}. */
  static void check(WasmModule module) {
    Validity validity = new Validity(module);
    validity.checkExports();
    validity.checkTags();
    validity.checkTables();
    validity.checkElements();
  }

  private void checkExports() {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < module.exportSection().exportCount(); i++) {
      String name = module.exportSection().getExport(i).name();
      if (!names.add(name)) {
        throw invalid("duplicate export name `%s`", Names.shown(name));
      }
    }
  }

  private void checkTags() {
    module.importSection().stream()
        .filter(TagImport.class::isInstance)
        .map(TagImport.class::cast)
        .filter(tag -> !isTagType(tag.tagType().typeIdx()))
        .findFirst()
        .ifPresent(
            tag -> {
              throw invalid("the tag `%s` has results", Names.shown(tag.name()));
            });
  }

  private boolean isTagType(int type) {
    return module.typeSection().getType(type).returns().isEmpty();
  }

  /** Tables come before globals: what their elements start as may name imported ones alone. */
  private void checkTables() {
    int imported = module.importSection().count(ExternalType.GLOBAL);
    for (int i = 0; i < module.tableSection().tableCount(); i++) {
      Table table = module.tableSection().getTable(i);
      for (Instruction instruction : table.initialize()) {
        if (instruction.opcode() == OpCode.GLOBAL_GET && instruction.operand(0) >= imported) {
          throw invalid("unknown global %d in table %d", instruction.operand(0), i);
        }
      }
    }
  }

  /** The engine looks at those alone that are placed at the start. */
  private void checkElements() {
    for (Element segment : module.elementSection().elements()) {
      if (!(segment instanceof ActiveElement)) {
        segment.initializers().forEach(element -> checkElement(element, segment.type()));
      }
    }
  }

  private void checkElement(List<Instruction> expression, ValType wanted) {
    boolean single = expression.stream().filter(each -> each.opcode() != OpCode.END).count() == 1;
    ValType type = single ? constant(expression.get(0)) : null;
    if (type == null || !ValType.matches(type, wanted, module.typeSection())) {
      throw invalid("an element of a segment has another type: type mismatch");
    }
  }

  /** The type of a reference; null where the instruction makes none. */
  private ValType constant(Instruction instruction) {
    return switch (instruction.opcode()) {
      case REF_NULL -> reference(ValType.ID.RefNull, (int) instruction.operand(0));
      case REF_FUNC -> reference(ValType.ID.Ref, functionType(instruction.operand(0)));
      case GLOBAL_GET -> globalType(instruction.operand(0));
      default -> null;
    };
  }

  private ValType reference(int opcode, int type) {
    return ValType.builder()
        .withOpcode(opcode)
        .withTypeIdx(type)
        .build()
        .resolve(module.typeSection());
  }

  private int functionType(long function) {
    long own = function - importedFunctions.size();
    if (function < 0 || own >= module.functionSection().functionCount()) {
      throw invalid("unknown function %d", function);
    }
    return own < 0
        ? importedFunctions.get((int) function).typeIndex()
        : module.functionSection().getFunctionType((int) own);
  }

  private ValType globalType(long global) {
    long own = global - importedGlobals.size();
    if (global < 0 || own >= module.globalSection().globalCount()) {
      throw invalid("unknown global %d", global);
    }
    if (own < 0) {
      GlobalImport imported = importedGlobals.get((int) global);
      return constant(imported.type(), imported.mutabilityType());
    }
    Global mine = module.globalSection().getGlobal((int) own);
    return constant(mine.valueType(), mine.mutabilityType());
  }

  private static ValType constant(ValType type, MutabilityType mutability) {
    if (mutability != MutabilityType.Const) {
      throw invalid("constant expression required, and a global is mutable");
    }
    return type;
  }

  private <T> List<T> imports(Class<T> kind) {
    return module.importSection().stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private static RuntimeException invalid(String why, Object... args) {
    return Failure.INVALID_MODULE.because(
        "Error while parsing bytes: %s", String.format(why, args));
  }
}
