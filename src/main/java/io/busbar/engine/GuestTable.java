package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.TableInstance;
import com.dylibso.chicory.wasm.types.Table;
import com.dylibso.chicory.wasm.types.TableLimits;

/**
 * A table of one guest alone, never larger than its quota and the budget allow.
 *
 * <p>The engine's own table keeps its size in the parsed module, where every later instance of the
 * module finds it; this one keeps a copy.
 */
final class GuestTable extends TableInstance {
  private static final int MASK = (1 << 14) - 1;

  /** Bytes that one element takes at most: a number, and whose function it is. */
  private static final long ELEMENT = Integer.BYTES + Long.BYTES;

  private final Budget budget; // holds all elements
  private int stores;

  private GuestTable(Table table, int initialValue, Budget budget) {
    super(table, initialValue);
    this.budget = budget;
  }

  /** With its first elements; fails with {@code LIMIT} where the budget has no room for them. */
  static GuestTable of(Table table, int initialValue, long quota, Budget budget) {
    long bytes = ELEMENT * table.limits().min();
    budget.reserve(bytes);
    budget.pace(bytes);
    return new GuestTable(copy(table, quota), initialValue, budget);
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
    long before = ELEMENT * size();
    long after = before + ELEMENT * elements;
    if (!budget.tryReserve(after)) { // while it is copied there are both
      return -1;
    }
    try {
      budget.pace(after);
      int previous = super.grow(elements, value, instance);
      budget.release(before);
      return previous;
    } catch (OutOfMemoryError e) {
      budget.release(after);
      return -1;
    } catch (ChicoryInterruptedException e) {
      budget.release(after);
      throw e;
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
