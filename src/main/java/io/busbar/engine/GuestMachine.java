package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasm.types.DataSegment;

/**
 * What runs the functions of a part: the interpreter until the compiled classes are ready, then
 * those.
 *
 * <p>All of a guest's state lives in its instances, so a machine can be replaced. It is between two
 * calls from outside, when the classes have become ready; after a trap, because a machine keeps
 * what was on its stack; and for the time of a call that comes out of a callback, so that a trap in
 * there leaves nothing on the stack of the call that waits.
 */
final class GuestMachine implements Machine {
  private final Instance instance;
  private final Part part;
  private final Trace trace;
  private final Frames frames;
  private Machine current;
  private int entered; // calls of the interpreter that are on the stack

  GuestMachine(Instance instance, Part part, Trace trace, Frames frames) {
    this.instance = instance;
    this.part = part;
    this.trace = trace;
    this.frames = frames;
    replace();
  }

  /**
   * Enters the part from outside: from a message, a callback, or another part. The interpreter has
   * one stack for all its calls, and an exception that passes through several parts would unwind
   * that of a call further out; so each entry has its own, and one that fails leaves it behind.
   */
  @Override
  public long[] call(int function, long[] args) {
    Segments segments = part.segments();
    if (segments == null) {
      return enter(function, args);
    }
    DataSegment[][] before = segments.bring();
    try {
      return enter(function, args);
    } finally {
      segments.putBack(before);
    }
  }

  private long[] enter(int function, long[] args) {
    return current instanceof Interpreter
        ? interpret(function, args)
        : current.call(function, args);
  }

  private long[] interpret(int function, long[] args) {
    Machine outer = current;
    if (entered > 0) {
      replace();
    }
    entered++;
    boolean returned = false;
    try {
      long[] results = current.call(function, args);
      returned = true;
      return results;
    } finally {
      entered--;
      if (entered > 0) {
        current = outer;
      } else if (!returned) {
        replace();
      }
    }
  }

  Part part() {
    return part;
  }

  Frames frames() {
    return frames;
  }

  /** Takes the compiled classes if they have become ready. */
  void refresh() {
    if (current instanceof Interpreter && part.module().isCompiled()) {
      replace();
    }
  }

  /** Goes on with a machine that has nothing on its stack; the one before. */
  Machine replace() {
    Machine before = current;
    CompiledModule module = part.module();
    current =
        module.isCompiled()
            ? module.machine(instance)
            : new Interpreter(instance, part, trace, frames);
    return before;
  }

  /** Goes on with the machine of a call that was waiting. */
  void restore(Machine waiting) {
    current = waiting;
  }

  /** The class that runs the functions now: one of the module's own once it is compiled. */
  Class<?> currentClass() {
    return current.getClass();
  }
}
