package io.busbar.engine;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasm.ChicoryException;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.util.List;
import java.util.Optional;

/**
 * The way into a guest: calls from outside, and those that come out of its callbacks while one is
 * on the stack.
 */
final class Entry {
  /** The results of a call that ended with {@code proc_exit(0)}. */
  static final long[] EXITED = {};

  private final List<Part> parts;
  private final Trace trace;
  private final Frames frames;
  private final Optional<Meter> meter;
  private long most = Long.MAX_VALUE; // fuel that calls from outside may still use
  private int depth; // calls from outside that are on the stack: callbacks call in again
  private WasmException cutBy; // null: every call from outside so far came to its end

  Entry(List<Part> parts, Trace trace, Frames frames, Optional<Meter> meter) {
    this.parts = parts;
    this.trace = trace;
    this.frames = frames;
    this.meter = meter;
  }

  /** From now on calls from outside may use at most so much fuel together. */
  void allow(long fuel) {
    most = fuel;
  }

  /** Runs start sections: they are calls, and their callbacks call in again. */
  void start(Runnable building) {
    depth++;
    meter.ifPresent(fuel -> fuel.begin(Long.MAX_VALUE));
    try {
      building.run();
      shrink();
    } finally {
      meter.ifPresent(Meter::end);
      depth--;
    }
  }

  /** Calls a function; fails like any call does, or with {@link #EXITED} as its results. */
  long[] run(ExportFunction function, long[] slots) {
    return depth == 0 ? runOutermost(function, slots) : runInside(function, slots);
  }

  private long[] runOutermost(ExportFunction function, long[] slots) {
    for (Part part : parts) {
      part.machine().refresh();
    }
    Meter fuel = meter.orElse(null);
    if (fuel != null) {
      fuel.begin(most);
    }
    try {
      depth = 1;
      return function.apply(slots);
    } catch (Throwable e) {
      depth = 0;
      WasmException failure = Traps.running(e, trace);
      parts.forEach(Part::reset);
      trace.clear();
      Thread.interrupted(); // it was for this call, and would stop the next one
      if (isSuccess(failure)) {
        return EXITED;
      }
      cutBy = failure.failure() == Failure.EXIT ? cutBy : failure;
      throw failure;
    } finally {
      depth = 0;
      shrink();
      if (fuel != null) {
        long used = fuel.end();
        most -= most == Long.MAX_VALUE ? 0 : used;
      }
    }
  }

  /** What left a call from outside in its middle; empty while each came to its end. */
  Optional<WasmException> cutBy() {
    return Optional.ofNullable(cutBy);
  }

  /** Nothing is on the stack any more: what deep recursion needed is given back. */
  private void shrink() {
    if (frames.isLarge()) {
      parts.forEach(Part::reset); // a machine's own stack never shrinks
    }
    frames.clear();
  }

  private static boolean isSuccess(WasmException why) {
    return why.failure() == Failure.EXIT && Integer.valueOf(0).equals(why.details().get("exit"));
  }

  /**
   * A call out of a callback: on other machines, so that a trap leaves nothing on the stack of the
   * call that waits. Where the thread's stack is exhausted, nothing is done here but pass it on.
   */
  private long[] runInside(ExportFunction function, long[] slots) {
    Machine[] waiting = new Machine[parts.size()];
    int replaced = 0;
    try {
      depth++;
      for (; replaced < waiting.length; replaced++) {
        waiting[replaced] = parts.get(replaced).machine().replace();
      }
      return function.apply(slots);
    } catch (ChicoryException e) {
      if (Traps.isStackExhausted(e)) {
        throw e;
      }
      throw Traps.running(e, trace);
    } finally {
      depth--;
      for (int i = 0; i < replaced; i++) {
        parts.get(i).machine().restore(waiting[i]);
      }
    }
  }
}
