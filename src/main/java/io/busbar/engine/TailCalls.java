package io.busbar.engine;

import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionBody;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import java.util.Set;

/**
 * Calls that give their stack frame away: only the interpreter does so, while the compiler makes
 * calls of them that return, so a guest that counts on them would run out of stack.
 */
final class TailCalls {
  private static final Set<OpCode> CODES =
      Set.of(OpCode.RETURN_CALL, OpCode.RETURN_CALL_INDIRECT, OpCode.RETURN_CALL_REF);

  private TailCalls() {}

  static boolean areIn(WasmModule module) {
    for (FunctionBody body : module.codeSection().functionBodies()) {
      for (Instruction instruction : body.instructions()) {
        if (CODES.contains(instruction.opcode())) {
          return true;
        }
      }
    }
    return false;
  }
}
