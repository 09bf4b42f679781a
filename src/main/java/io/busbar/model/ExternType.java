package io.busbar.model;

import java.util.OptionalLong;

/** The type of an import or export: a function, global, memory, table or tag. */
public sealed interface ExternType {
  /** The word for the kind, as in the text format without abbreviation. */
  String kind();

  /** A function and its signature. */
  record Function(Signature signature) implements ExternType {
    @Override
    public String kind() {
      return "function";
    }
  }

  /** A global: its value type, and whether it can be set. */
  record Global(ValueType type, boolean mutable) implements ExternType {
    @Override
    public String kind() {
      return "global";
    }
  }

  /** A linear memory: sizes in pages of 65,536 bytes; no maximum means unbounded. */
  record Memory(long minimum, OptionalLong maximum, boolean shared) implements ExternType {
    @Override
    public String kind() {
      return "memory";
    }
  }

  /** A table of references: sizes in elements; no maximum means unbounded. */
  record Table(ValueType type, long minimum, OptionalLong maximum) implements ExternType {
    @Override
    public String kind() {
      return "table";
    }
  }

  /** An exception tag and the values it carries. */
  record Tag(Signature signature) implements ExternType {
    @Override
    public String kind() {
      return "tag";
    }
  }
}
