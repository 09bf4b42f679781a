package io.busbar.spec;

import io.busbar.spec.text.Term;
import io.busbar.spec.text.TermReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Which of the proposals that Busbar refuses a module's text uses. */
final class Proposals {
  static final String SIMD = "SIMD instructions";
  static final String RELAXED_SIMD = "relaxed SIMD";
  static final String MEMORY64 = "memory64";
  static final String GC = "GC";

  private static final Pattern VECTOR =
      Pattern.compile("(v128|i8x16|i16x8|i32x4|i64x2|f32x4|f64x2)\\..*");
  private static final Pattern GC_WORD =
      Pattern.compile(
          "(struct|array|i31)\\..*|ref\\.(i31|test|cast|eq)|br_on_cast.*|any\\.convert_extern"
              + "|extern\\.convert_any"
              + "|(any|eq|i31|struct|array|null|nullfunc|nullextern|nullexn)ref");
  private static final Set<String> GC_FORMS = Set.of("struct", "array", "rec", "sub");
  private static final Set<String> GC_HEAPS =
      Set.of("any", "eq", "i31", "struct", "array", "none", "nofunc", "noextern", "noexn", "exn");

  private Proposals() {}

  /** The first refused proposal of the text; none also where the text cannot be read. */
  static Optional<String> refused(byte[] text) {
    try {
      List<Term> terms = TermReader.read(text);
      return List.of(MEMORY64, RELAXED_SIMD, SIMD, GC).stream()
          .filter(proposal -> uses(terms, proposal))
          .findFirst();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The same of a binary, as far as its sections tell. */
  static Optional<String> refusedBinary(byte[] wasm) {
    int memories = new String(wasm, StandardCharsets.ISO_8859_1).indexOf("\5\3\1\4");
    return memories < 0 ? Optional.empty() : Optional.of(MEMORY64);
  }

  /** The refused proposal that a failure names. */
  static Optional<String> named(String message) {
    return List.of(SIMD, MEMORY64, RELAXED_SIMD, GC).stream().filter(message::contains).findFirst();
  }

  private static boolean uses(List<Term> terms, String proposal) {
    for (Term term : terms) {
      if (uses(term, proposal)
          || term instanceof Term.Group group && uses(group.items(), proposal)) {
        return true;
      }
    }
    return false;
  }

  private static boolean uses(Term term, String proposal) {
    String word = term instanceof Term.Word w ? w.text() : "";
    return switch (proposal) {
      case MEMORY64 ->
          (term.starts("memory") || term.starts("table"))
              && ((Term.Group) term).items().stream().anyMatch(item -> item.is("i64"));
      case RELAXED_SIMD -> VECTOR.matcher(word).matches() && word.contains("relaxed");
      case SIMD -> VECTOR.matcher(word).matches();
      default -> GC_WORD.matcher(word).matches() || isGcType(term);
    };
  }

  private static boolean isGcType(Term term) {
    if (!(term instanceof Term.Group group)) {
      return false;
    }
    boolean reference = group.head().equals("ref") || group.head().equals("ref.null");
    return GC_FORMS.contains(group.head())
        || reference
            && group.items().stream()
                .anyMatch(item -> item instanceof Term.Word w && GC_HEAPS.contains(w.text()));
  }
}
