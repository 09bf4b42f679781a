package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;

/**
 * What runs a guest's functions: the interpreter until the compiled classes are ready, then those.
 *
 * <p>All of a guest's state lives in its instance, so the machine can be replaced. It is between
 * two calls from outside, when the classes have become ready; after a trap, because a machine keeps
 * what was on its stack; and for the time of a call that comes out of a callback, so that a trap in
 * there leaves nothing on the stack of the call that waits.
 */
final class GuestMachine implements Machine {
  private final Instance instance;
  private final CompiledModule module;
  private final Trace trace;
  private Machine current;

  GuestMachine(Instance instance, CompiledModule module, Trace trace) {
    this.instance = instance;
    this.module = module;
    this.trace = trace;
    renew();
  }

  private void renew() {
    current = module.isCompiled() ? module.machine(instance) : new Interpreter(instance, trace);
  }

  @Override
  public long[] call(int function, long[] args) {
    return current.call(function, args);
  }

  /** Before a call from outside; what it returns goes back to {@link #leave}. */
  Machine enter(boolean outermost) {
    Machine outer = outermost ? null : current;
    if (!outermost || current instanceof Interpreter && module.isCompiled()) {
      renew();
    }
    return outer;
  }

  /** After a call from outside. */
  void leave(Machine outer, boolean failed) {
    if (outer != null) {
      current = outer;
    } else if (failed) {
      renew();
    }
  }

  /** The class that runs the functions now: one of the module's own once it is compiled. */
  Class<?> currentClass() {
    return current.getClass();
  }
}
