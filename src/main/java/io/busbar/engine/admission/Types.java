package io.busbar.engine.admission;

import java.util.HashMap;
import java.util.Map;

/** The function types of a module, as far as its code needs them, and which of them are equal. */
final class Types {
  private static final int FUNCTION = 0x60;
  private static final int NULLABLE = 0x63;
  private static final int NOT_NULL = 0x64;

  private final Bytes in;
  private final Admission.Options options;
  private final Weight weight;
  private final Map<String, Integer> known = new HashMap<>(); // the first of all equal types
  private int[] params = {};
  private int[] results = {};
  private int[] first = {};
  private int[] equal = {}; // by the first of them
  private int read;

  Types(Bytes in, Admission.Options options, Weight weight) {
    this.in = in;
    this.options = options;
    this.weight = weight;
  }

  void section() {
    int count = in.count("types", ModuleLimit.TYPES, options);
    params = new int[count];
    results = new int[count];
    first = new int[count];
    equal = new int[count];
    weight.types(count);
    for (; read < count; read++) {
      define();
    }
  }

  private void define() {
    int offset = in.at();
    int form = in.u8();
    if (form != FUNCTION) {
      throw Unsupported.definition(form, offset);
    }
    StringBuilder key = new StringBuilder();
    params[read] = list("params", ModuleLimit.PARAMS, key);
    results[read] = list("results", ModuleLimit.RESULTS, key.append('>'));
    first[read] = known.computeIfAbsent(key.toString(), k -> read);
    equal[first[read]]++;
  }

  private int list(String what, ModuleLimit limit, StringBuilder key) {
    int count = in.count(what, limit, options);
    weight.values(count);
    for (int i = 0; i < count; i++) {
      key.append(value()).append(' ');
    }
    return count;
  }

  /** Reads a value type; equal types have the same number. */
  int value() {
    int offset = in.at();
    int code = in.u8();
    return switch (code) {
      case 0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F, 0x69 -> code;
      case NULLABLE -> 0x1000 + 2 * heapType();
      case NOT_NULL -> 0x1001 + 2 * heapType();
      default -> throw Unsupported.type(code, offset);
    };
  }

  /** Reads a type of references. */
  void reference() {
    int offset = in.at();
    int code = value();
    if (code >= 0x7B && code <= 0x7F) {
      throw Bytes.broken(offset, "malformed reference type 0x%02X", code);
    }
  }

  /** Reads what a reference points to: a number, equal for equal types. */
  int heapType() {
    int offset = in.at();
    long type = in.s33();
    if (type >= 0) {
      int index = known(type, offset);
      return 0x100 + (index < read ? first[index] : index);
    }
    int code = (int) type & 0x7F;
    if (in.at() - offset > 1) {
      throw Bytes.broken(offset, "malformed type");
    }
    return switch (code) {
      case 0x70, 0x6F, 0x69 -> code;
      default -> throw Unsupported.type(code, offset);
    };
  }

  /** An index that was read at this offset, if there is such a type. */
  int known(long index, int offset) {
    if (index >= params.length) {
      throw Bytes.broken(offset, "unknown type %d", index);
    }
    return (int) index;
  }

  /** Reads the index of a type. */
  int index() {
    int offset = in.at();
    return known(in.u32(), offset);
  }

  int params(int type) {
    return params[type];
  }

  int results(int type) {
    return results[type];
  }

  /** How many types equal this one, itself included. */
  int equal(int type) {
    return equal[first[type]];
  }
}
