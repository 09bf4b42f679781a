package io.busbar.engine;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.AnnotatedInstruction;
import com.dylibso.chicory.wasm.types.CodeSection;
import com.dylibso.chicory.wasm.types.FunctionBody;
import com.dylibso.chicory.wasm.types.OpCode;
import java.util.ArrayList;
import java.util.List;

/**
 * The last instruction of a function, which the parser takes for the end of a block that ends right
 * before it.
 *
 * <p>The compiler then reads a branch out of the function as one out of that block: it keeps the
 * wrong values, or gives up.
 */
final class FunctionEnds {
  private FunctionEnds() {}

  /** The module itself, or one that differs in the ends of its functions alone. */
  static WasmModule mend(WasmModule module) {
    CodeSection code = module.codeSection();
    boolean wrong = false;
    for (int i = 0; i < code.functionBodyCount() && !wrong; i++) {
      wrong = isWrong(code.getFunctionBody(i));
    }
    return wrong ? withCode(module, mend(code)) : module;
  }

  private static boolean isWrong(FunctionBody body) {
    int last = body.instructions().size() - 1;
    return last > 0
        && body.instructions().get(last - 1).opcode() == OpCode.END
        && body.instructions().stream().anyMatch(instruction -> goesTo(instruction, last));
  }

  private static boolean goesTo(AnnotatedInstruction instruction, int target) {
    return instruction.labelTrue() == target || instruction.labelTable().contains(target);
  }

  private static CodeSection mend(CodeSection code) {
    CodeSection.Builder mended =
        CodeSection.builder().setRequiresDataCount(code.isRequiresDataCount());
    for (FunctionBody body : code.functionBodies()) {
      mended.addFunctionBody(isWrong(body) ? mend(body) : body);
    }
    return mended.build();
  }

  private static FunctionBody mend(FunctionBody body) {
    List<AnnotatedInstruction> instructions = new ArrayList<>(body.instructions());
    AnnotatedInstruction end = instructions.remove(instructions.size() - 1);
    instructions.add(
        AnnotatedInstruction.builder().from(end).withDepth(end.depth()).withScope(end).build());
    return new FunctionBody(body.localTypes(), instructions);
  }

  private static WasmModule withCode(WasmModule module, CodeSection code) {
    WasmModule.Builder mended =
        WasmModule.builder()
            .setTypeSection(module.typeSection())
            .setImportSection(module.importSection())
            .setFunctionSection(module.functionSection())
            .setTableSection(module.tableSection())
            .setGlobalSection(module.globalSection())
            .setExportSection(module.exportSection())
            .setElementSection(module.elementSection())
            .setCodeSection(code)
            .setDataSection(module.dataSection())
            .withDigest(module.digest())
            .withValidation(false); // it has been
    module.memorySection().ifPresent(mended::setMemorySection);
    module.startSection().ifPresent(mended::setStartSection);
    module.dataCountSection().ifPresent(mended::setDataCountSection);
    module.tagSection().ifPresent(mended::setTagSection);
    module.customSections().forEach(section -> mended.addCustomSection(section.name(), section));
    return mended.build();
  }
}
