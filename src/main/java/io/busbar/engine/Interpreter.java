package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.InterpreterMachine;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.runtime.StackFrame;
import com.dylibso.chicory.wasm.types.FunctionType;
import java.util.Deque;

/**
 * The interpreter, which also remembers the functions an exception passes through, bounds what its
 * frames hold, and pays where a metered module would call a mark.
 */
final class Interpreter extends InterpreterMachine {
  private final Part part;
  private final Trace trace;
  private final int firstMark;
  private final Frames frames;

  Interpreter(Instance instance, Part part, Trace trace, Frames frames) {
    super(instance);
    this.part = part;
    this.trace = trace;
    this.frames = frames;
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
    long frame = part.frame(funcId, args.length);
    frames.enter(frame, Frames.operands(stack.size()));
    try {
      return super.call(stack, instance, callStack, funcId, args, callType, popResults);
    } catch (RuntimeException e) {
      trace.passed(e, part, funcId);
      throw e;
    } finally {
      frames.leave(frame);
    }
  }
}
