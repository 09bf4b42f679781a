package io.busbar.engine;

import com.dylibso.chicory.runtime.OpcodeImpl;

/**
 * Instructions that the engine gets wrong, under the names it calls its own by: what a NaN becomes.
 * Public because the classes of modules call it.
 */
public final class Corrected {
  private static final int QUIET_F32 = 0x0040_0000;
  private static final long QUIET_F64 = 0x0008_0000_0000_0000L;

  private Corrected() {}

  public static float F32_ABS(float x) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(x) & Integer.MAX_VALUE);
  }

  public static double F64_ABS(double x) {
    return Double.longBitsToDouble(Double.doubleToRawLongBits(x) & Long.MAX_VALUE);
  }

  public static float F32_MIN(float a, float b) {
    return quiet(Math.min(a, b));
  }

  public static double F64_MIN(double a, double b) {
    return quiet(Math.min(a, b));
  }

  public static float F32_MAX(float a, float b) {
    return quiet(Math.max(a, b));
  }

  public static double F64_MAX(double a, double b) {
    return quiet(Math.max(a, b));
  }

  public static float F32_CEIL(float x) {
    return quiet(OpcodeImpl.F32_CEIL(x));
  }

  public static double F64_CEIL(double x) {
    return quiet(OpcodeImpl.F64_CEIL(x));
  }

  public static float F32_FLOOR(float x) {
    return quiet(OpcodeImpl.F32_FLOOR(x));
  }

  public static double F64_FLOOR(double x) {
    return quiet(OpcodeImpl.F64_FLOOR(x));
  }

  public static float F32_TRUNC(float x) {
    return quiet(OpcodeImpl.F32_TRUNC(x));
  }

  public static double F64_TRUNC(double x) {
    return quiet(OpcodeImpl.F64_TRUNC(x));
  }

  public static float F32_NEAREST(float x) {
    return quiet(OpcodeImpl.F32_NEAREST(x));
  }

  public static double F64_NEAREST(double x) {
    return quiet(OpcodeImpl.F64_NEAREST(x));
  }

  /** The number itself; of a NaN, the quiet one (Core Specification 4.3.3, NaN propagation). */
  static float quiet(float x) {
    return x == x ? x : Float.intBitsToFloat(Float.floatToRawIntBits(x) | QUIET_F32);
  }

  static double quiet(double x) {
    return x == x ? x : Double.longBitsToDouble(Double.doubleToRawLongBits(x) | QUIET_F64);
  }
}
