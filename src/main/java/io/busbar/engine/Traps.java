package io.busbar.engine;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.InvalidException;
import com.dylibso.chicory.wasm.MalformedException;
import com.dylibso.chicory.wasm.UnlinkableException;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What went wrong in the engine, as a {@link Failure}: the one place that knows its exceptions. */
final class Traps {

  private static final String TABLE_BOUNDS = "undefined element: out of bounds table access";

  /** What the engine's message starts with, and the trap word of the protocol. */
  private static final Map<String, String> WORDS = words();

  private Traps() {}

  private static Map<String, String> words() {
    Map<String, String> words = new LinkedHashMap<>();
    words.put("Trapped on unreachable", "wasm `unreachable` instruction executed");
    for (String word :
        List.of(
            "call stack exhausted",
            "out of bounds memory access",
            "uninitialized element",
            "indirect call type mismatch",
            "integer overflow",
            "integer divide by zero",
            "invalid conversion to integer")) {
      words.put(word, word);
    }
    words.put("undefined element", TABLE_BOUNDS);
    words.put("out of bounds table access", TABLE_BOUNDS);
    words.put("Indirect tail-call", "tail call to a function of another module");
    words.put("null ", "null reference");
    words.put("Trapped on call_ref", "null reference");
    words.put("Trapped on ref_as_non_null", "null reference");
    return words;
  }

  /** An exception out of a running guest. */
  static WasmException running(Throwable thrown, Trace trace) {
    if (thrown instanceof WasmException ours) {
      return ours;
    }
    if (isInterrupt(thrown)) {
      return Failure.CANCELLED.because("interrupted");
    }
    if (thrown instanceof com.dylibso.chicory.runtime.WasmException) {
      return trap("uncaught exception", trace.frames(thrown));
    }
    if (thrown instanceof OutOfFuelException) {
      return Failure.OUT_OF_FUEL
          .because("wasm trap: %s", thrown.getMessage())
          .with("trap", thrown.getMessage())
          .with("frames", trace.frames(thrown));
    }
    if (thrown instanceof StackOverflowError) {
      return trap("call stack exhausted", trace.frames(thrown));
    }
    if (thrown instanceof OutOfMemoryError) {
      return Failure.LIMIT.because("the node has no memory left for this call");
    }
    if (thrown instanceof ChicoryException) {
      return trap(word(thrown.getMessage()), trace.frames(thrown));
    }
    if (thrown instanceof IndexOutOfBoundsException && isFromTableInstruction(thrown)) {
      return trap(TABLE_BOUNDS, trace.frames(thrown));
    }
    return internal(thrown);
  }

  /** Whether the thread's stack ran out: handled only where there is stack again. */
  static boolean isStackExhausted(Throwable thrown) {
    return thrown instanceof StackOverflowError
        || thrown instanceof ChicoryException && thrown.getCause() instanceof StackOverflowError;
  }

  private static boolean isInterrupt(Throwable thrown) {
    return thrown instanceof ChicoryInterruptedException
        || thrown instanceof ChicoryException && "Thread interrupted".equals(thrown.getMessage());
  }

  /** The engine leaves some bounds of tables to Java's lists and arrays. */
  private static boolean isFromTableInstruction(Throwable thrown) {
    return Arrays.stream(thrown.getStackTrace())
        .limit(8)
        .anyMatch(
            frame ->
                frame.getClassName().startsWith("com.dylibso.chicory.")
                    && frame.getMethodName().startsWith("TABLE_"));
  }

  private static WasmException trap(String word, List<String> frames) {
    return Failure.TRAP.because("wasm trap: %s", word).with("trap", word).with("frames", frames);
  }

  private static String word(String message) {
    String text = String.valueOf(message);
    for (Map.Entry<String, String> known : WORDS.entrySet()) {
      if (text.startsWith(known.getKey())) {
        return known.getValue();
      }
    }
    return Names.shown(text);
  }

  /** An exception out of parsing or validating. */
  static WasmException parsing(Throwable thrown) {
    if (thrown instanceof WasmException ours) {
      return ours;
    }
    if (Thread.currentThread().isInterrupted() || isInterrupt(thrown)) {
      return Failure.UNAVAILABLE.because("the node is closing");
    }
    if (thrown instanceof OutOfMemoryError) {
      return Failure.OVERLOADED.because("the node has no memory left to parse this module");
    }
    String why = Names.shown(String.valueOf(thrown.getMessage()));
    if (!(thrown instanceof MalformedException) && !(thrown instanceof InvalidException)) {
      why = "malformed module (" + thrown.getClass().getSimpleName() + ")";
    }
    return Failure.INVALID_MODULE.because("Error while parsing bytes: %s", why);
  }

  /** An exception out of building an instance, its start section included. */
  static WasmException starting(Throwable thrown, Trace trace) {
    if (thrown instanceof UnlinkableException) {
      return Failure.LINK.because("%s", Names.shown(thrown.getMessage()));
    }
    return running(thrown, trace);
  }

  private static WasmException internal(Throwable thrown) {
    return WasmException.internal(thrown);
  }
}
