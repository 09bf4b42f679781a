package io.busbar.engine;

import io.busbar.model.ExternType;
import io.busbar.model.ValueType;
import java.util.OptionalLong;
import java.util.Set;

/** Whether an export can stand for an import (Core Specification 3.5, matching). */
final class Matching {
  private static final Set<ValueType> FUNCTIONS = Set.of(ValueType.FUNCREF, ValueType.REF);

  private Matching() {}

  /**
   * Whether a linked module's export, of the type it has now, can be imported as {@code wanted}.
   */
  static boolean satisfies(ExternType given, ExternType wanted) {
    if (given instanceof ExternType.Memory memory && wanted instanceof ExternType.Memory limits) {
      return memory.shared() == limits.shared()
          && isWithin(memory.minimum(), memory.maximum(), limits.minimum(), limits.maximum());
    }
    if (given instanceof ExternType.Table table && wanted instanceof ExternType.Table limits) {
      return table.type() == limits.type()
          && isWithin(table.minimum(), table.maximum(), limits.minimum(), limits.maximum());
    }
    if (given instanceof ExternType.Global global && wanted instanceof ExternType.Global cell) {
      return global.equals(cell) || isReferences(global, cell);
    }
    return given.equals(wanted);
  }

  /** Function references come in types that the model does not tell apart: the engine does. */
  private static boolean isReferences(ExternType.Global given, ExternType.Global wanted) {
    return given.mutable() == wanted.mutable()
        && FUNCTIONS.contains(given.type())
        && FUNCTIONS.contains(wanted.type());
  }

  private static boolean isWithin(
      long size, OptionalLong most, long wantedSize, OptionalLong wantedMost) {
    boolean bounded =
        wantedMost.isEmpty() || most.isPresent() && most.getAsLong() <= wantedMost.getAsLong();
    return size >= wantedSize && bounded;
  }
}
