package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.runtime.OpcodeImpl;
import com.dylibso.chicory.runtime.WasmRuntimeException;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.PassiveElement;

/**
 * The bulk instructions of tables, whose bounds the engine adds up in 32 bits: past 2 GiB it does
 * nothing where it should trap, or traps half way.
 *
 * <p>Public for the classes of guests: {@link HelperClass} lets them call it.
 */
public final class Tables {
  private Tables() {}

  /** Traps where the interpreter, with this stack, would not, or too late. */
  static void check(Instruction bulk, MStack stack, Instance instance) {
    int third = (int) stack.pop();
    int second = (int) stack.pop();
    int first = (int) stack.peek();
    stack.push(second);
    stack.push(third);
    int operand = (int) bulk.operand(0);
    switch (bulk.opcode()) {
      case TABLE_FILL -> checkFill(first, third, operand, instance);
      case TABLE_COPY -> checkCopy(first, second, third, operand, (int) bulk.operand(1), instance);
      default -> checkInit(first, second, third, operand, (int) bulk.operand(1), instance);
    }
  }

  /** {@code table.fill}, as compiled functions call it. */
  public static void tableFill(int offset, int value, int size, int table, Instance instance) {
    checkFill(offset, size, table, instance);
    OpcodeImpl.TABLE_FILL(instance, table, size, value, offset);
  }

  private static void checkFill(int offset, int size, int table, Instance instance) {
    check(offset, size, instance.table(table).size());
  }

  /** {@code table.copy}, as compiled functions call it. */
  public static void tableCopy(
      int to, int from, int size, int toTable, int fromTable, Instance instance) {
    checkCopy(to, from, size, toTable, fromTable, instance);
    OpcodeImpl.TABLE_COPY(instance, fromTable, toTable, size, from, to);
  }

  private static void checkCopy(
      int to, int from, int size, int toTable, int fromTable, Instance instance) {
    check(from, size, instance.table(fromTable).size());
    check(to, size, instance.table(toTable).size());
  }

  /** {@code table.init}, as compiled functions call it. */
  public static void tableInit(
      int offset, int from, int size, int segment, int table, Instance instance) {
    checkInit(offset, from, size, segment, table, instance);
    OpcodeImpl.TABLE_INIT(instance, table, segment, size, from, offset);
  }

  private static void checkInit(
      int offset, int from, int size, int segment, int table, Instance instance) {
    boolean passive = instance.element(segment) instanceof PassiveElement;
    check(from, size, passive ? instance.element(segment).elementCount() : 0);
    check(offset, size, instance.table(table).size());
  }

  private static void check(int offset, int size, int available) {
    if (Integer.toUnsignedLong(offset) + Integer.toUnsignedLong(size) > available) {
      throw new WasmRuntimeException("out of bounds table access");
    }
  }
}
