package io.busbar.engine;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import com.dylibso.chicory.wasm.types.Table;
import com.dylibso.chicory.wasm.types.TagImport;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import java.util.HashSet;
import java.util.Set;

/** What the specification asks of a valid module and the engine's own validator does not. */
final class Validity {
  private final WasmModule module;

  private Validity(WasmModule module) {
    this.module = module;
  }

  /** Fails with {@code INVALID_MODULE}. */
  static void check(WasmModule module) {
    Validity validity = new Validity(module);
    validity.checkExports();
    validity.checkTags();
    validity.checkTables();
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

  private static RuntimeException invalid(String why, Object... args) {
    return Failure.INVALID_MODULE.because(
        "Error while parsing bytes: %s", String.format(why, args));
  }
}
