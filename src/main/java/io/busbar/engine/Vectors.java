package io.busbar.engine;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionBody;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import com.dylibso.chicory.wasm.types.ValType;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** What the engine can do with v128: carry values, but run no SIMD instruction. */
final class Vectors {
  private Vectors() {}

  /** The instructions that store a v128 into a local, by identity; see {@link InstructionWatch}. */
  static Set<Instruction> stores(WasmModule module) {
    Set<Instruction> stores = Collections.newSetFromMap(new IdentityHashMap<>());
    for (int i = 0; i < module.codeSection().functionBodyCount(); i++) {
      FunctionBody body = module.codeSection().getFunctionBody(i);
      int type = module.functionSection().getFunctionType(i);
      List<ValType> params = module.typeSection().getType(type).params();
      for (Instruction instruction : body.instructions()) {
        if (isStore(instruction) && isVector(instruction, params, body.localTypes())) {
          stores.add(instruction);
        }
      }
    }
    return stores;
  }

  private static boolean isStore(Instruction instruction) {
    return instruction.opcode() == OpCode.LOCAL_SET || instruction.opcode() == OpCode.LOCAL_TEE;
  }

  private static boolean isVector(Instruction store, List<ValType> params, List<ValType> locals) {
    int local = (int) store.operand(0);
    ValType type = local < params.size() ? params.get(local) : locals.get(local - params.size());
    return type.equals(ValType.V128);
  }
}
