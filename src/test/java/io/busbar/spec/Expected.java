package io.busbar.spec;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.util.List;
import java.util.Map;

/** What a script says an action does. */
sealed interface Expected {
  /** Judges what came back. */
  Verdict results(List<Object> results);

  /** Judges a failure. */
  Verdict failure(WasmException failure);

  /** It succeeds. */
  record Anything() implements Expected {
    @Override
    public Verdict results(List<Object> results) {
      return Verdict.PASSED;
    }

    @Override
    public Verdict failure(WasmException failure) {
      return Verdict.failed("%s", failure);
    }
  }

  /** Results that match these; for a reference among them, a refusal to let it out. */
  record Results(List<Constant> patterns) implements Expected {
    @Override
    public Verdict results(List<Object> results) {
      boolean same = results.size() == patterns.size();
      for (int i = 0; same && i < results.size(); i++) {
        same = patterns.get(i).matches(results.get(i));
      }
      return same ? Verdict.PASSED : Verdict.failed("got %s, not %s", results, patterns);
    }

    @Override
    public Verdict failure(WasmException failure) {
      boolean foreign = patterns.stream().anyMatch(Constant::isForeign);
      return foreign && failure.failure() == Failure.BAD_RESULT
          ? Verdict.border("references across the border")
          : Verdict.failed("%s", failure);
    }
  }

  /** A trap, an uncaught exception, or a refusal to link, in the suite's words. */
  record Trap(String kind, String text) implements Expected {
    private static final Map<String, String> WORDS =
        Map.ofEntries(
            Map.entry("indirect call type mismatch", "indirect call type mismatch"),
            Map.entry("integer divide by zero", "integer divide by zero"),
            Map.entry("integer overflow", "integer overflow"),
            Map.entry("invalid conversion to integer", "invalid conversion to integer"),
            Map.entry("null function reference", "null reference"),
            Map.entry("null reference", "null reference"),
            Map.entry("out of bounds memory access", "out of bounds memory access"),
            Map.entry(
                "out of bounds table access", "undefined element: out of bounds table access"),
            Map.entry("undefined element", "undefined element: out of bounds table access"),
            Map.entry("uninitialized element", "uninitialized element"),
            Map.entry("uninitialized element 2", "uninitialized element"),
            Map.entry("unreachable", "wasm `unreachable` instruction executed"),
            Map.entry("call stack exhausted", "call stack exhausted"));

    @Override
    public Verdict results(List<Object> results) {
      return Verdict.failed("got %s, not %s", results, text);
    }

    @Override
    public Verdict failure(WasmException failure) {
      boolean right =
          switch (kind) {
            case "assert_exception" -> "uncaught exception".equals(failure.trap());
            case "assert_unlinkable" ->
                failure.failure() == Failure.LINK && failure.getMessage().startsWith(text);
            default -> failure.trap() != null && failure.trap().equals(WORDS.get(text));
          };
      return right ? Verdict.PASSED : Verdict.failed("%s, not %s", failure, text);
    }
  }
}
