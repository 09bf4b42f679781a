package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.ExecutionListener;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import java.util.Set;

/**
 * Sees each interpreted instruction before it runs, to mend two things the interpreter gets wrong.
 *
 * <p>It looks for an interrupt only at {@code br} and calls, so loops that go back by {@code br_if}
 * or {@code br_table} would never end; this looks every 1,024 instructions. And it stores a v128
 * into a local with its halves swapped; this swaps them on the stack first.
 */
final class InstructionWatch implements ExecutionListener {
  private static final int MASK = 1023;

  private final Set<Instruction> vectorStores; // by identity
  private int count;
  private boolean swapBack;

  InstructionWatch(Set<Instruction> vectorStores) {
    this.vectorStores = vectorStores;
  }

  @Override
  public void onExecution(Instruction instruction, MStack stack) {
    if (!vectorStores.isEmpty()) {
      mendVectors(instruction, stack);
    }
    if ((++count & MASK) == 0 && Thread.currentThread().isInterrupted()) {
      throw new ChicoryInterruptedException("Thread interrupted");
    }
  }

  /** The stack it has seen is gone. */
  void reset() {
    swapBack = false;
  }

  private void mendVectors(Instruction instruction, MStack stack) {
    if (swapBack) {
      swap(stack);
      swapBack = false;
    }
    if (vectorStores.contains(instruction)) {
      swap(stack);
      swapBack = instruction.opcode() == OpCode.LOCAL_TEE; // which leaves its value there
    }
  }

  private static void swap(MStack stack) {
    long upper = stack.pop();
    long lower = stack.pop();
    stack.push(upper);
    stack.push(lower);
  }
}
