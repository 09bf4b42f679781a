package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.InterpreterMachine;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.runtime.StackFrame;
import com.dylibso.chicory.wasm.types.FunctionType;
import java.util.Deque;

/**
 * The interpreter, which also remembers the functions an exception passes through, and pays where a
 * metered module would call a mark.
 */
final class Interpreter extends InterpreterMachine {
  private final Part part;
  private final Trace trace;
  private final int firstMark;

  Interpreter(Instance instance, Part part, Trace trace) {
    super(instance);
    this.part = part;
    this.trace = trace;
    this.firstMark = part.module().firstMark();
  }

  @Override
  protected void CALL(Operands operands) {
    Metering.Mark mark = Metering.Mark.of((int) operands.get(0), firstMark);
    if (mark == null) {
      super.CALL(operands);
    } else {
      mark.pay((int) stack().pop());
    }
  }

  @Override
  protected long[] call(
      MStack stack,
      Instance instance,
      Deque<StackFrame> callStack,
      int funcId,
      long[] args,
      FunctionType callType,
      boolean popResults) {
    try {
      return super.call(stack, instance, callStack, funcId, args, callType, popResults);
    } catch (RuntimeException e) {
      trace.passed(e, part, funcId);
      throw e;
    }
  }
}
