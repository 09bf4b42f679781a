package io.busbar.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * The frames of the last exception in a guest: from the interpreter, or from compiled classes.
 *
 * <p>While an exception passes, hardly any stack may be left: then functions are only noted, and
 * named when the outermost call has ended.
 */
final class Trace {
  private static final int MOST = 64;
  static final String COMPILED_FUNCTION = "func_";

  private final List<Part> parts;
  private final Part[] passedParts = new Part[MOST];
  private final int[] passedFunctions = new int[MOST];
  private int passed;
  private Throwable last;

  Trace(List<Part> parts) {
    this.parts = parts;
  }

  /** An exception leaves an interpreted function; the innermost function comes first. */
  void passed(Throwable exception, Part part, int function) {
    if (exception != last) {
      last = exception;
      passed = 0;
    }
    if (passed < MOST) {
      passedParts[passed] = part;
      passedFunctions[passed++] = function;
    }
  }

  /** The frames of this exception, innermost first, as {@code module!function}. */
  List<String> frames(Throwable exception) {
    return exception == last ? interpreted() : compiled(exception);
  }

  private List<String> interpreted() {
    List<String> frames = new ArrayList<>();
    for (int i = 0; i < passed; i++) {
      add(frames, passedParts[i], passedFunctions[i]);
    }
    return frames;
  }

  private List<String> compiled(Throwable exception) {
    List<String> frames = new ArrayList<>();
    Throwable origin = exception.getCause() == null ? exception : exception.getCause();
    for (StackTraceElement element : origin.getStackTrace()) {
      String method = element.getMethodName();
      if (frames.size() < MOST && method.startsWith(COMPILED_FUNCTION)) {
        addCompiled(frames, element.getClassName(), method.substring(COMPILED_FUNCTION.length()));
      }
    }
    return frames;
  }

  private void addCompiled(List<String> frames, String className, String function) {
    for (Part part : parts) {
      if (className.startsWith(part.module().className())) {
        add(frames, part, Integer.parseInt(function));
        return;
      }
    }
  }

  /** An import is only the way to a function elsewhere. */
  private static void add(List<String> frames, Part part, int function) {
    if (function >= part.module().importedFunctions()) {
      frames.add(part.frame(function));
    }
  }

  /** Lets go of the exception, and so of the classes it points to. */
  void clear() {
    last = null;
    passed = 0;
  }
}
