package io.busbar.model;

import java.util.Locale;

/** The type of a WebAssembly value, named as in the specification's text format. */
public enum ValueType {
  I32,
  I64,
  F32,
  F64,
  V128,
  FUNCREF,
  EXTERNREF,
  EXNREF,
  /** Any other reference type: garbage-collected or typed function references. */
  REF;

  /** The name in the text format, such as {@code i32}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether values of this type are references, which cannot leave an instance. */
  public boolean isReference() {
    return compareTo(FUNCREF) >= 0;
  }

  /** The type with this text; fails with {@code BAD_REQUEST} for any other. */
  public static ValueType parse(String text) {
    for (ValueType type : values()) {
      if (type.text().equals(text)) {
        return type;
      }
    }
    throw Failure.BAD_REQUEST.because("unknown value type `%s`", Names.shown(text));
  }
}
