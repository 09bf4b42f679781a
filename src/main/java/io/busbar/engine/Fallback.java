package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.runtime.StackFrame;
import com.dylibso.chicory.runtime.internal.CompilerInterpreterMachine;
import com.dylibso.chicory.wasm.types.FunctionType;
import java.util.Deque;

/**
 * Interprets the functions of a compiled module that are too large for a method of the JVM, and
 * bounds what their frames hold. Public for the generated classes, which make it.
 */
public final class Fallback extends CompilerInterpreterMachine {
  public Fallback(Instance instance, int[] functions) {
    super(instance, functions);
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
    GuestMachine machine = (GuestMachine) instance.getMachine();
    Frames frames = machine.frames();
    long frame = machine.part().frame(funcId, args.length);
    frames.enter(frame, Frames.operands(stack.size()));
    try {
      return super.call(stack, instance, callStack, funcId, args, callType, popResults);
    } finally {
      frames.leave(frame);
    }
  }
}
