package io.busbar.engine;

import com.dylibso.chicory.runtime.ExecutionListener;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.runtime.WasmRuntimeException;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.types.AnnotatedInstruction;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import com.dylibso.chicory.wasm.types.Value;
import java.util.Set;

/**
 * Sees each interpreted instruction before it runs, to mend what the interpreter gets wrong.
 *
 * <p>It looks for an interrupt only at {@code br} and calls, so loops that go back by {@code br_if}
 * or {@code br_table} would never end; this looks every 1,024 instructions. It stores a v128 into a
 * local with its halves swapped; this swaps them on the stack first. It keeps too much of a
 * product, misses the bounds of some stores and of the bulk instructions of {@link Tables}, and
 * makes other NaNs than it may: see {@link Corrections}.
 */
final class InstructionWatch implements ExecutionListener {
  private static final int MASK = 1023;

  private final Part part;
  private final Set<Instruction> vectorStores; // by identity
  private final boolean corrected;
  private int count;
  private boolean swapBack;
  private Instruction last; // null: none yet

  InstructionWatch(Part part) {
    this.part = part;
    this.vectorStores = part.module().vectorStores();
    this.corrected = part.module().isCorrected();
  }

  @Override
  public void onExecution(Instruction instruction, MStack stack) {
    last = instruction;
    if (!vectorStores.isEmpty()) {
      mendVectors(instruction, stack);
    }
    if (corrected) {
      Corrections.onStack(instruction, stack);
    }
    switch (instruction.opcode()) {
      case I32_MUL -> multiply(stack);
      case I32_STORE8, I64_STORE8, I64_STORE32 -> checkAddress(instruction, stack);
      case TABLE_FILL, TABLE_COPY, TABLE_INIT -> Tables.check(instruction, stack, part.instance());
      case CALL_REF, RETURN_CALL_REF -> checkReference((int) instruction.operand(0), stack);
      default -> {}
    }
    if ((++count & MASK) == 0) {
      Fuel.checkInterrupt();
    }
  }

  /** The interpreter keeps all 64 bits of a product of i32, and `if` looks at them all. */
  private static void multiply(MStack stack) {
    int product = (int) (stack.pop() * stack.pop());
    stack.push(product);
    stack.push(1);
  }

  /** The interpreter adds up these addresses in 32 bits, and then some lie inside again. */
  private static void checkAddress(Instruction store, MStack stack) {
    long value = stack.pop();
    int address = (int) stack.peek();
    stack.push(value);
    long offset = store.operand(1);
    if (address < 0 || offset < 0 || offset + address > Integer.MAX_VALUE) {
      throw new WasmRuntimeException("out of bounds memory access");
    }
  }

  /** The validator does not compare the type of the reference with that of the call. */
  private void checkReference(int type, MStack stack) {
    int function = (int) stack.peek();
    if (function != Value.REF_NULL_VALUE && !part.isOfType(function, type)) {
      throw new ChicoryException("indirect call type mismatch");
    }
  }

  /** The blocks that were open at the last instruction. */
  int openBlocks() {
    return last instanceof AnnotatedInstruction known ? known.depth() : 0;
  }

  /** The stack it has seen is gone. */
  void reset() {
    swapBack = false;
    last = null;
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
