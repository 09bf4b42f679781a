package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.TableInstance;
import com.dylibso.chicory.wasm.types.Table;
import com.dylibso.chicory.wasm.types.TableLimits;

/**
 * A table of one guest alone, never larger than its quota.
 *
 * <p>The engine's own table keeps its size in the parsed module, where every later instance of the
 * module finds it; this one keeps a copy.
 */
final class GuestTable extends TableInstance {
  private static final int MASK = (1 << 14) - 1;

  private int stores;

  GuestTable(Table table, int initialValue, long quota) {
    super(copy(table, quota), initialValue);
  }

  private static Table copy(Table table, long quota) {
    TableLimits limits = table.limits();
    long most = Math.min(limits.max(), quota);
    return new Table(table.elementType(), new TableLimits(limits.min(), most, limits.shared()));
  }

  @Override
  public int grow(int elements, int value, Instance instance) {
    if (elements < 0 || elements > limits().max() - size()) {
      return -1;
    }
    Fuel.checkInterrupt(); // it may copy much
    try {
      return super.grow(elements, value, instance);
    } catch (OutOfMemoryError e) {
      return -1;
    }
  }

  /** The engine fills, copies and initialises one element after the other: none of it for ever. */
  @Override
  public void setRef(int index, int value, Instance instance) {
    if ((++stores & MASK) == 0) {
      Fuel.checkInterrupt();
    }
    super.setRef(index, value, instance);
  }
}
