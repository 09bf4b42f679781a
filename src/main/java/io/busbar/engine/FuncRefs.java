package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.types.TypeSection;
import com.dylibso.chicory.wasm.types.ValType;
import com.dylibso.chicory.wasm.types.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What function references of one part mean in another part of the same guest.
 *
 * <p>To the engine a reference is the function's number in the module that runs, so it would stand
 * for another function once it is elsewhere. Here each part keeps the plain numbers for its own
 * functions, and those of others have numbers that no module reaches.
 */
final class FuncRefs {
  private static final int FIRST_FOREIGN = 1 << 30;

  private final List<Function> foreign = new ArrayList<>();
  private final Map<Function, Integer> numbers = new HashMap<>();

  /** A function by its number in the module of its home. */
  record Function(Instance home, int number) {}

  /** The function that a reference, not null, stands for in this part. */
  Function of(int reference, Instance viewer) {
    return reference >= FIRST_FOREIGN
        ? foreign.get(reference - FIRST_FOREIGN)
        : new Function(viewer, reference);
  }

  /** The reference that stands for the function in this part. */
  int seenBy(Instance viewer, Function function) {
    return function.home() == viewer
        ? function.number()
        : numbers.computeIfAbsent(function, this::number);
  }

  private int number(Function function) {
    foreign.add(function);
    return FIRST_FOREIGN + foreign.size() - 1;
  }

  /** A reference, or null, of one part as another sees it. */
  long pass(long reference, Instance from, Instance to) {
    return reference == Value.REF_NULL_VALUE ? reference : seenBy(to, of((int) reference, from));
  }

  /** Parameters or results of these types, of a module, on their way from one part to another. */
  long[] pass(List<ValType> types, TypeSection module, long[] slots, Instance from, Instance to) {
    if (slots == null || !isAny(types, module)) {
      return slots;
    }
    long[] passed = slots.clone();
    int at = 0;
    for (ValType type : types) {
      if (is(type, module)) {
        passed[at] = pass(slots[at], from, to);
      }
      at += type.equals(ValType.V128) ? 2 : 1;
    }
    return passed;
  }

  /** Whether one of the types, of a module, is a function reference. */
  static boolean isAny(List<ValType> types, TypeSection module) {
    for (ValType type : types) {
      if (is(type, module)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a type, of a module, is a function reference: any, or to functions of one type. */
  static boolean is(ValType type, TypeSection module) {
    return type.equals(ValType.FuncRef)
        || type.isReference()
            && (type.typeIdx() == ValType.TypeIdxCode.FUNC.code()
                || type.typeIdx() >= 0
                    && module.getSubType(type.typeIdx()).compType().funcType() != null);
  }
}
