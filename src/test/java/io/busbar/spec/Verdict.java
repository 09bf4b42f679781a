package io.busbar.spec;

/** How a command ended, and why it did not pass. */
record Verdict(Kind kind, String reason) {
  enum Kind {
    PASSED,
    /** It needs a proposal that is refused. */
    UNSUPPORTED,
    /** The tool cannot read the module's text. */
    NOT_CONVERTED,
    /** It needs what cannot cross the border of an instance. */
    BORDER,
    FAILED
  }

  static final Verdict PASSED = new Verdict(Kind.PASSED, "");

  static Verdict unsupported(String proposal) {
    return new Verdict(Kind.UNSUPPORTED, proposal);
  }

  static Verdict notConverted(String reason) {
    return new Verdict(Kind.NOT_CONVERTED, reason);
  }

  static Verdict border(String reason) {
    return new Verdict(Kind.BORDER, reason);
  }

  static Verdict failed(String reason, Object... args) {
    return new Verdict(Kind.FAILED, String.format(reason, args));
  }

  boolean passed() {
    return kind == Kind.PASSED;
  }
}
