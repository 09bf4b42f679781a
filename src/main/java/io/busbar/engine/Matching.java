package io.busbar.engine;

import io.busbar.model.ExternType;
import java.util.OptionalLong;

/** Whether an export can stand for an import (Core Specification 3.5, matching). */
final class Matching {
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
    return given.equals(wanted);
  }

  private static boolean isWithin(
      long size, OptionalLong most, long wantedSize, OptionalLong wantedMost) {
    boolean bounded =
        wantedMost.isEmpty() || most.isPresent() && most.getAsLong() <= wantedMost.getAsLong();
    return size >= wantedSize && bounded;
  }
}
