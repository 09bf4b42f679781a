package io.busbar.spec.text;

import io.busbar.model.V128;
import java.math.BigInteger;

/**
 * A number of the text format as its bits, or a kind of NaN.
 *
 * @param width in bits: 8, 16, 32 or 64
 * @param bits unsigned; zero where any NaN of a kind is meant
 */
public record Lane(int width, BigInteger bits, Nan nan) {
  public enum Nan {
    NONE,
    CANONICAL,
    ARITHMETIC
  }

  /** From a type such as {@code i8} or {@code f64}, and a number in the text format. */
  public static Lane of(String type, String text) {
    int width = Integer.parseInt(type.substring(1));
    String plain = text.replace("_", "");
    if (plain.equals("nan:canonical")) {
      return new Lane(width, BigInteger.ZERO, Nan.CANONICAL);
    } else if (plain.equals("nan:arithmetic")) {
      return new Lane(width, BigInteger.ZERO, Nan.ARITHMETIC);
    }
    BigInteger bits = type.startsWith("i") ? integer(plain) : floating(width, plain);
    return new Lane(width, bits.and(mask(width)), Nan.NONE);
  }

  private static BigInteger mask(int width) {
    return BigInteger.ONE.shiftLeft(width).subtract(BigInteger.ONE);
  }

  private static BigInteger integer(String text) {
    boolean negative = text.startsWith("-");
    String digits = text.replaceFirst("^[+-]", "");
    BigInteger number =
        digits.startsWith("0x") ? new BigInteger(digits.substring(2), 16) : new BigInteger(digits);
    return negative ? number.negate() : number;
  }

  private static BigInteger floating(int width, String text) {
    boolean negative = text.startsWith("-");
    String digits = text.replaceFirst("^[+-]", "");
    BigInteger bits = digits.startsWith("nan") ? nan(width, digits) : number(width, digits);
    return negative ? bits.setBit(width - 1) : bits;
  }

  private static BigInteger nan(int width, String text) {
    int mantissa = mantissa(width);
    BigInteger payload =
        text.equals("nan")
            ? BigInteger.ONE.shiftLeft(mantissa - 1)
            : new BigInteger(text.substring("nan:0x".length()), 16);
    return infinity(width).or(payload);
  }

  private static int mantissa(int width) {
    return width == 32 ? 23 : 52;
  }

  private static BigInteger infinity(int width) {
    return mask(width - 1).shiftRight(mantissa(width)).shiftLeft(mantissa(width));
  }

  private static BigInteger number(int width, String text) {
    if (text.equals("inf")) {
      return infinity(width);
    }
    boolean wantsExponent = text.startsWith("0x") && !text.toLowerCase().contains("p");
    String java = wantsExponent ? text + "p0" : text;
    return width == 32 ? bits(Float.parseFloat(java)) : bits(Double.parseDouble(java));
  }

  /** The bits of a value of the Java client, unsigned; null has none. */
  public static BigInteger bits(Object value) {
    if (value instanceof V128 vector) {
      return vector.toBigInteger();
    } else if (value instanceof Integer number) {
      return BigInteger.valueOf(Integer.toUnsignedLong(number));
    } else if (value instanceof Float number) {
      return BigInteger.valueOf(Integer.toUnsignedLong(Float.floatToRawIntBits(number)));
    } else if (value instanceof Long number) {
      return BigInteger.valueOf(number).and(mask(64));
    } else if (value instanceof Double number) {
      return BigInteger.valueOf(Double.doubleToRawLongBits(number)).and(mask(64));
    }
    return BigInteger.ONE.negate();
  }

  public boolean matches(BigInteger given) {
    if (nan == Nan.NONE) {
      return bits.equals(given);
    }
    BigInteger quiet = infinity(width).setBit(mantissa(width) - 1);
    BigInteger unsigned = given.clearBit(width - 1);
    return nan == Nan.CANONICAL ? unsigned.equals(quiet) : unsigned.and(quiet).equals(quiet);
  }
}
