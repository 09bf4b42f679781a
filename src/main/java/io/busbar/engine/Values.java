package io.busbar.engine;

import com.dylibso.chicory.wasm.types.Value;
import io.busbar.model.Failure;
import io.busbar.model.V128;
import io.busbar.model.ValueType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Java values to and from the machine's 64-bit slots, range-checked by type; a v128 takes two.
 *
 * <p>i32 and i64 take integers in their signed range, f32 and f64 any number that stays finite or
 * one of {@code NaN}, {@code Infinity}, {@code -Infinity}; i64 also takes a decimal string, v128 an
 * integer, a decimal string or {@code 0x} and 32 digits; references take null.
 */
final class Values {
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,40}");
  private static final Pattern HEX_V128 = Pattern.compile("0x[0-9a-fA-F]{32}");

  private Values() {}

  /** Slots that values of these types take. */
  static int slots(List<ValueType> types) {
    int slots = 0;
    for (ValueType type : types) {
      slots += type == ValueType.V128 ? 2 : 1;
    }
    return slots;
  }

  /** Arguments for a function; fails with {@code BAD_PARAMS} at the first that does not fit. */
  static long[] lowerParams(List<ValueType> types, List<?> params) {
    if (types.size() != params.size()) {
      throw Failure.BAD_PARAMS.because(
          "number of params does not match. expected %d, got %d", types.size(), params.size());
    }
    if (types.size() == 1 && types.get(0) != ValueType.V128) {
      long[] slot = new long[1]; // of a known size, so that the JIT can do without it
      lowerParam(0, types.get(0), params.get(0), slot, 0);
      return slot;
    }
    long[] slots = new long[slots(types)];
    int at = 0;
    for (int i = 0; i < types.size(); i++) {
      lowerParam(i, types.get(i), params.get(i), slots, at);
      at += types.get(i) == ValueType.V128 ? 2 : 1;
    }
    return slots;
  }

  private static void lowerParam(int index, ValueType type, Object value, long[] slots, int at) {
    if (!lower(type, value, slots, at)) {
      throw Failure.BAD_PARAMS.because("%s", cannotConvertArgument(index + 1, type, value));
    }
  }

  private static String cannotConvertArgument(int number, ValueType type, Object value) {
    String text =
        "Cannot convert argument #" + number + " to a WebAssembly " + type.text() + " value.";
    return value instanceof Number ? text : text + " Given `" + kind(value) + "`.";
  }

  /** One value for a global; fails with {@code BAD_PARAMS} where it does not fit. */
  static long[] lowerGlobal(ValueType type, Object value) {
    long[] slots = new long[2];
    if (!lower(type, value, slots, 0)) {
      throw Failure.BAD_PARAMS.because(
          "Cannot convert to a WebAssembly %s value. Given `%s`.", type.text(), kind(value));
    }
    return slots;
  }

  /** Puts the value into its slots; false where it does not fit the type. */
  private static boolean lower(ValueType type, Object value, long[] slots, int at) {
    return switch (type) {
      case I32 -> lowerInteger(value, Integer.MIN_VALUE, Integer.MAX_VALUE, slots, at);
      case I64 -> lowerI64(value, slots, at);
      case F32 -> lowerF32(value, slots, at);
      case F64 -> lowerF64(value, slots, at);
      case V128 -> lowerV128(value, slots, at);
      default -> {
        slots[at] = Value.REF_NULL_VALUE;
        yield value == null;
      }
    };
  }

  private static boolean lowerInteger(Object value, long min, long max, long[] slots, int at) {
    if (value instanceof Integer exact) { // by far the most common, and it fits
      slots[at] = exact;
      return true;
    }
    if (!isInteger(value)) {
      return false;
    }
    if (value instanceof BigInteger big && big.bitLength() > 63) {
      return false;
    }
    long number = ((Number) value).longValue();
    slots[at] = number;
    return number >= min && number <= max;
  }

  private static boolean lowerI64(Object value, long[] slots, int at) {
    Object number =
        value instanceof String text && DECIMAL.matcher(text).matches()
            ? new BigInteger(text)
            : value;
    return lowerInteger(number, Long.MIN_VALUE, Long.MAX_VALUE, slots, at);
  }

  private static boolean lowerF32(Object value, long[] slots, int at) {
    if (value instanceof Float exact) {
      slots[at] = Value.floatToLong(exact);
      return true;
    }
    Double number = toDouble(value);
    if (number == null) {
      return false;
    }
    float narrow = number.floatValue();
    slots[at] = Value.floatToLong(narrow);
    return !Float.isInfinite(narrow) || Double.isInfinite(number);
  }

  private static boolean lowerF64(Object value, long[] slots, int at) {
    Double number = toDouble(value);
    if (number == null) {
      return false;
    }
    slots[at] = Value.doubleToLong(number);
    return true;
  }

  /** The value as a double; null where it is not a number, or too large a one. */
  private static Double toDouble(Object value) {
    if (value instanceof Double || value instanceof Float) {
      return ((Number) value).doubleValue();
    }
    if (value instanceof BigDecimal decimal) {
      double number = decimal.doubleValue();
      return Double.isInfinite(number) ? null : number;
    }
    if (isInteger(value)) {
      boolean fits = !(value instanceof BigInteger big) || big.bitLength() <= 63;
      return fits ? (double) ((Number) value).longValue() : null;
    }
    if (value instanceof String text) {
      return switch (text) {
        case "NaN" -> Double.NaN;
        case "Infinity" -> Double.POSITIVE_INFINITY;
        case "-Infinity" -> Double.NEGATIVE_INFINITY;
        default -> null;
      };
    }
    return null;
  }

  private static boolean lowerV128(Object value, long[] slots, int at) {
    V128 vector = toV128(value);
    if (vector == null) {
      return false;
    }
    slots[at] = vector.low();
    slots[at + 1] = vector.high();
    return true;
  }

  private static V128 toV128(Object value) {
    if (value instanceof V128 vector) {
      return vector;
    }
    BigInteger number = null;
    if (value instanceof BigInteger big) {
      number = big;
    } else if (isInteger(value)) {
      number = BigInteger.valueOf(((Number) value).longValue());
    } else if (value instanceof String text && HEX_V128.matcher(text).matches()) {
      number = new BigInteger(text.substring(2), 16);
    } else if (value instanceof String text && DECIMAL.matcher(text).matches()) {
      number = new BigInteger(text);
    }
    boolean fits = number != null && number.signum() >= 0 && number.bitLength() <= 128;
    return fits ? V128.of(number) : null;
  }

  private static boolean isInteger(Object value) {
    return value instanceof Integer
        || value instanceof Long
        || value instanceof Short
        || value instanceof Byte
        || value instanceof BigInteger;
  }

  /** What kind of thing a caller gave, in the words of JSON. */
  private static String kind(Object value) {
    if (value == null) {
      return "Null";
    } else if (value instanceof CharSequence) {
      return "String";
    } else if (value instanceof Boolean) {
      return "Boolean";
    } else if (isInteger(value)) {
      return "Integer";
    } else if (value instanceof Number) {
      return "Float";
    } else if (value instanceof List || value.getClass().isArray()) {
      return "Array";
    }
    return value instanceof Map ? "Object" : value.getClass().getSimpleName();
  }

  /** Results as Java values: Integer, Long, Float, Double, {@link V128}, or null. */
  static List<Object> liftResults(List<ValueType> types, long[] slots) {
    if (types.isEmpty()) {
      return List.of();
    }
    if (types.size() == 1) {
      return Collections.singletonList(lift(types.get(0), slots, 0));
    }
    List<Object> values = new ArrayList<>(types.size());
    int at = 0;
    for (ValueType type : types) {
      values.add(lift(type, slots, at));
      at += type == ValueType.V128 ? 2 : 1;
    }
    return Collections.unmodifiableList(values);
  }

  /** One value; fails with {@code BAD_RESULT} for a reference that is not null. */
  static Object lift(ValueType type, long[] slots, int at) {
    return switch (type) {
      case I32 -> (int) slots[at];
      case I64 -> slots[at];
      case F32 -> Value.longToFloat(slots[at]);
      case F64 -> Value.longToDouble(slots[at]);
      case V128 -> new V128(slots[at + 1], slots[at]);
      default -> liftReference(type, slots[at]);
    };
  }

  private static Object liftReference(ValueType type, long slot) {
    if (slot == Value.REF_NULL_VALUE) {
      return null;
    }
    throw Failure.BAD_RESULT.because(
        "a non-null %s came out: a reference cannot leave its instance", type.text());
  }
}
