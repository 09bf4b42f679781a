package io.busbar.engine;

import java.util.ArrayList;
import java.util.List;

/** The frames of the last exception in a guest: from the interpreter, or from compiled classes. */
final class Trace {
  private static final int MOST = 64;
  private static final String COMPILED_FUNCTION = "func_";

  private final CompiledModule module;
  private final String label;
  private final List<String> interpreted = new ArrayList<>();
  private Throwable last;

  /** For a module that is called {@code label} where its own name section names nothing. */
  Trace(CompiledModule module, String label) {
    this.module = module;
    this.label = module.info().name().orElse(label);
  }

  /** An exception leaves an interpreted function; the innermost function comes first. */
  void passed(Throwable exception, int function) {
    if (exception != last) {
      last = exception;
      interpreted.clear();
    }
    if (interpreted.size() < MOST) {
      interpreted.add(frame(function));
    }
  }

  /** The frames of this exception, innermost first, as {@code module!function}. */
  List<String> frames(Throwable exception) {
    if (exception == last) {
      return List.copyOf(interpreted);
    }
    List<String> frames = new ArrayList<>();
    Throwable origin = exception.getCause() == null ? exception : exception.getCause();
    for (StackTraceElement element : origin.getStackTrace()) {
      if (frames.size() < MOST && isGuest(element)) {
        String number = element.getMethodName().substring(COMPILED_FUNCTION.length());
        frames.add(frame(Integer.parseInt(number)));
      }
    }
    return frames;
  }

  private boolean isGuest(StackTraceElement element) {
    return element.getClassName().startsWith(module.className())
        && element.getMethodName().startsWith(COMPILED_FUNCTION);
  }

  private String frame(int function) {
    return label + "!" + module.functionName(function);
  }

  /** Lets go of the exception, and so of the classes it points to. */
  void clear() {
    last = null;
    interpreted.clear();
  }
}
