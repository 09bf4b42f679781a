package io.busbar.engine;

import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.types.Value;

/** A global with a function reference, as another part than its own sees it. */
final class GlobalView extends GlobalInstance {
  private final GlobalInstance global;
  private final Part owner;
  private final Part viewer;

  GlobalView(GlobalInstance global, Part owner, Part viewer) {
    super(Value.REF_NULL_VALUE, 0, global.getType(), global.getMutabilityType());
    this.global = global;
    this.owner = owner;
    this.viewer = viewer;
  }

  @Override
  public long getValue() {
    return viewer.refs().pass(global.getValue(), owner.instance(), viewer.instance());
  }

  @Override
  public long getValueLow() {
    return getValue();
  }

  @Override
  public void setValue(long value) {
    global.setValue(viewer.refs().pass(value, viewer.instance(), owner.instance()));
  }

  @Override
  public void setValueLow(long value) {
    setValue(value);
  }

  @Override
  public void setValue(Value value) {
    setValue(value.raw());
  }

  @Override
  public Instance getInstance() {
    return viewer.instance();
  }
}
