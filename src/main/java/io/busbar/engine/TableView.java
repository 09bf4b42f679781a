package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.TableInstance;
import com.dylibso.chicory.wasm.types.Table;
import com.dylibso.chicory.wasm.types.TableLimits;
import com.dylibso.chicory.wasm.types.Value;
import io.busbar.engine.FuncRefs.Function;

/**
 * A table as one part of a guest sees it.
 *
 * <p>The table itself keeps each function as its number and the part it belongs to; the engine, who
 * loses the second where it copies, sees one reference for both.
 */
final class TableView extends TableInstance {
  private static final int NULL = Value.REF_NULL_VALUE;

  private final TableInstance table;
  private final boolean functions;
  private final Part owner;
  private final Part viewer;

  /** The table of a part as that part sees it. */
  TableView(TableInstance table, Part owner) {
    this(table, owner, owner);
  }

  private TableView(TableInstance table, Part owner, Part viewer) {
    super(new Table(table.elementType(), new TableLimits(0)), NULL);
    this.table = table;
    this.functions = FuncRefs.is(table.elementType(), owner.types());
    this.owner = owner;
    this.viewer = viewer;
  }

  /** The same table as another part sees it. */
  TableView seenBy(Part other) {
    return new TableView(table, owner, other);
  }

  @Override
  public int size() {
    return table.size();
  }

  @Override
  public TableLimits limits() {
    return table.limits();
  }

  @Override
  public int grow(int elements, int value, Instance instance) {
    if (isPlain(value)) {
      return table.grow(elements, value, null);
    }
    Function function = viewer.refs().of(value, viewer.instance());
    return table.grow(elements, function.number(), function.home());
  }

  @Override
  public void setRef(int index, int value, Instance instance) {
    if (isPlain(value)) {
      table.setRef(index, value, null);
      return;
    }
    Function function = viewer.refs().of(value, viewer.instance());
    table.setRef(index, function.number(), function.home());
  }

  private boolean isPlain(int value) {
    return !functions || value == NULL;
  }

  @Override
  public int ref(int index) {
    int value = table.ref(index);
    return isPlain(value) || table.instance(index) == viewer.instance()
        ? value
        : viewer.refs().seenBy(viewer.instance(), function(index));
  }

  private Function function(int index) {
    int value = table.ref(index);
    Instance home = table.instance(index);
    return home == null // it was there when the table was made
        ? owner.refs().of(value, owner.instance())
        : new Function(home, value);
  }

  /** The function to call in {@link #instance}. */
  @Override
  public int requiredRef(int index) {
    int value = table.requiredRef(index);
    return isOwn(index) ? value : viewer.bridge(function(index)).towards(function(index));
  }

  private boolean isOwn(int index) {
    Instance home = table.instance(index);
    return home == viewer.instance() || function(index).home() == viewer.instance();
  }

  /** Where the function is to be called; asked for beyond the end too, where it does not matter. */
  @Override
  public Instance instance(int index) {
    boolean plain = index < 0 || index >= size() || isPlain(table.ref(index));
    return plain || isOwn(index) ? viewer.instance() : viewer.bridge(function(index)).instance();
  }

  @Override
  public void reset() {
    table.reset();
  }
}
