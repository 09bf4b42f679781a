package io.busbar.engine;

import java.util.ArrayList;
import java.util.List;

/** The frames of the last exception in a guest: from the interpreter, or from compiled classes. */
final class Trace {
  private static final int MOST = 64;
  private static final String COMPILED_FUNCTION = "func_";

  private final List<Part> parts;
  private final List<String> interpreted = new ArrayList<>();
  private Throwable last;

  Trace(List<Part> parts) {
    this.parts = parts;
  }

  /** An exception leaves an interpreted function; the innermost function comes first. */
  void passed(Throwable exception, Part part, int function) {
    if (exception != last) {
      last = exception;
      interpreted.clear();
    }
    add(interpreted, part, function);
  }

  /** The frames of this exception, innermost first, as {@code module!function}. */
  List<String> frames(Throwable exception) {
    if (exception == last) {
      return List.copyOf(interpreted);
    }
    List<String> frames = new ArrayList<>();
    Throwable origin = exception.getCause() == null ? exception : exception.getCause();
    for (StackTraceElement element : origin.getStackTrace()) {
      String method = element.getMethodName();
      if (method.startsWith(COMPILED_FUNCTION)) {
        addFrame(frames, element.getClassName(), method.substring(COMPILED_FUNCTION.length()));
      }
    }
    return frames;
  }

  private void addFrame(List<String> frames, String className, String function) {
    for (Part part : parts) {
      if (className.startsWith(part.module().className())) {
        add(frames, part, Integer.parseInt(function));
        return;
      }
    }
  }

  /** An import is only the way to a function elsewhere. */
  private static void add(List<String> frames, Part part, int function) {
    if (frames.size() < MOST && function >= part.module().importedFunctions()) {
      frames.add(part.frame(function));
    }
  }

  /** Lets go of the exception, and so of the classes it points to. */
  void clear() {
    last = null;
    interpreted.clear();
  }
}
