package io.busbar.engine.admission;

import io.busbar.model.WasmException;

/** What no machine here can run, by the name of the proposal it comes from. */
final class Unsupported {
  /** The instructions of SIMD by their numbers after the prefix; {@code -} where there is none. */
  private static final String[] VECTORS =
      """
      v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s
      v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat
      v128.store v128.const i8x16.shuffle i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat
      i64x2.splat f32x4.splat f64x2.splat i8x16.extract_lane_s i8x16.extract_lane_u
      i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane
      i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane
      f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane
      i8x16.eq i8x16.ne i8x16.lt_s i8x16.lt_u i8x16.gt_s i8x16.gt_u i8x16.le_s i8x16.le_u
      i8x16.ge_s i8x16.ge_u
      i16x8.eq i16x8.ne i16x8.lt_s i16x8.lt_u i16x8.gt_s i16x8.gt_u i16x8.le_s i16x8.le_u
      i16x8.ge_s i16x8.ge_u
      i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u
      i32x4.ge_s i32x4.ge_u
      f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge
      f64x2.eq f64x2.ne f64x2.lt f64x2.gt f64x2.le f64x2.ge
      v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true
      v128.load8_lane v128.load16_lane v128.load32_lane v128.load64_lane
      v128.store8_lane v128.store16_lane v128.store32_lane v128.store64_lane
      v128.load32_zero v128.load64_zero f32x4.demote_low_f64x2_zero f64x2.promote_low_f32x4
      i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s
      i8x16.narrow_i16x8_u f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest
      i8x16.shl i8x16.shr_s i8x16.shr_u i8x16.add i8x16.add_sat_s i8x16.add_sat_u i8x16.sub
      i8x16.sub_sat_s i8x16.sub_sat_u f64x2.ceil f64x2.floor i8x16.min_s i8x16.min_u i8x16.max_s
      i8x16.max_u f64x2.trunc i8x16.avgr_u i16x8.extadd_pairwise_i8x16_s
      i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u
      i16x8.abs i16x8.neg i16x8.q15mulr_sat_s i16x8.all_true i16x8.bitmask i16x8.narrow_i32x4_s
      i16x8.narrow_i32x4_u i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s
      i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u
      i16x8.shl i16x8.shr_s i16x8.shr_u i16x8.add i16x8.add_sat_s i16x8.add_sat_u i16x8.sub
      i16x8.sub_sat_s i16x8.sub_sat_u f64x2.nearest i16x8.mul i16x8.min_s i16x8.min_u i16x8.max_s
      i16x8.max_u - i16x8.avgr_u i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s
      i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u
      i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask - - i32x4.extend_low_i16x8_s
      i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u
      i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add - - i32x4.sub - - - i32x4.mul i32x4.min_s
      i32x4.min_u i32x4.max_s i32x4.max_u i32x4.dot_i16x8_s - i32x4.extmul_low_i16x8_s
      i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u
      i64x2.abs i64x2.neg - i64x2.all_true i64x2.bitmask - - i64x2.extend_low_i32x4_s
      i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u
      i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add - - i64x2.sub - - - i64x2.mul
      i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s i64x2.extmul_low_i32x4_s
      i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u
      f32x4.abs f32x4.neg - f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max
      f32x4.pmin f32x4.pmax
      f64x2.abs f64x2.neg - f64x2.sqrt f64x2.add f64x2.sub f64x2.mul f64x2.div f64x2.min f64x2.max
      f64x2.pmin f64x2.pmax
      i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u
      i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s
      f64x2.convert_low_i32x4_u
      """
          .strip()
          .split("\\s+");

  /** Those of relaxed SIMD, from number {@code 0x100} on. */
  private static final String[] RELAXED =
      """
      i8x16.relaxed_swizzle i32x4.relaxed_trunc_f32x4_s i32x4.relaxed_trunc_f32x4_u
      i32x4.relaxed_trunc_f64x2_s_zero i32x4.relaxed_trunc_f64x2_u_zero f32x4.relaxed_madd
      f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd i8x16.relaxed_laneselect
      i16x8.relaxed_laneselect i32x4.relaxed_laneselect i64x2.relaxed_laneselect f32x4.relaxed_min
      f32x4.relaxed_max f64x2.relaxed_min f64x2.relaxed_max i16x8.relaxed_q15mulr_s
      i16x8.relaxed_dot_i8x16_i7x16_s i32x4.relaxed_dot_i8x16_i7x16_add_s
      """
          .strip()
          .split("\\s+");

  /** Those of GC, after the prefix {@code 0xFB}. */
  private static final String[] OBJECTS =
      """
      struct.new struct.new_default struct.get struct.get_s struct.get_u struct.set array.new
      array.new_default array.new_fixed array.new_data array.new_elem array.get array.get_s
      array.get_u array.set array.len array.fill array.copy array.init_data array.init_elem ref.test
      ref.test ref.cast ref.cast br_on_cast br_on_cast_fail any.convert_extern extern.convert_any
      ref.i31 i31.get_s i31.get_u
      """
          .strip()
          .split("\\s+");

  private static final int FIRST_RELAXED = 0x100;

  private Unsupported() {}

  private static WasmException feature(String feature, String name, int offset) {
    return Bytes.broken(offset, "%s not supported: `%s`", feature, name);
  }

  private static WasmException unknown(int offset, int prefix, long number) {
    return Bytes.broken(offset, "illegal opcode 0x%02X 0x%02X", prefix, number);
  }

  private static String name(String[] names, long number) {
    return number < names.length && !names[(int) number].equals("-") ? names[(int) number] : null;
  }

  /** An instruction after the prefix {@code 0xFD}. */
  static WasmException vector(long number, int offset) {
    String name = name(VECTORS, number);
    if (name != null) {
      return feature("SIMD instructions are", name, offset);
    }
    String relaxed = number < FIRST_RELAXED ? null : name(RELAXED, number - FIRST_RELAXED);
    return relaxed == null
        ? unknown(offset, 0xFD, number)
        : feature("relaxed SIMD instructions are", relaxed, offset);
  }

  /** An instruction after the prefix {@code 0xFB}. */
  static WasmException object(long number, int offset) {
    String name = name(OBJECTS, number);
    return name == null ? unknown(offset, 0xFB, number) : feature("GC is", name, offset);
  }

  /** An instruction after {@code 0xFC} or {@code 0xFE} that the engine has not. */
  static WasmException prefixed(int prefix, long number, int offset) {
    if (prefix == 0xFC && number >= 0x13 && number <= 0x16) {
      String[] names = {"i64.add128", "i64.sub128", "i64.mul_wide_s", "i64.mul_wide_u"};
      return feature("wide arithmetic is", names[(int) number - 0x13], offset);
    }
    if (prefix == 0xFC && number == 0x12) {
      return feature("memory control is", "memory.discard", offset);
    }
    return unknown(offset, prefix, number);
  }

  /** An instruction of one byte that the engine has not. */
  static WasmException instruction(int opcode, int offset) {
    String legacy =
        switch (opcode) {
          case 0x06 -> "try";
          case 0x07 -> "catch";
          case 0x09 -> "rethrow";
          case 0x18 -> "delegate";
          case 0x19 -> "catch_all";
          default -> null;
        };
    if (legacy != null) {
      return feature("legacy exception handling is", legacy, offset);
    }
    if (opcode == 0xD3) {
      return feature("GC is", "ref.eq", offset);
    }
    if (opcode >= 0xE0 && opcode <= 0xE6) {
      String[] names =
          "cont.new cont.bind suspend resume resume_throw resume_throw_ref switch".split(" ");
      return feature("stack switching is", names[opcode - 0xE0], offset);
    }
    return Bytes.broken(offset, "illegal opcode 0x%02X", opcode);
  }

  /** A value or heap type that the engine has not, by its one byte. */
  static WasmException type(int code, int offset) {
    String object =
        switch (code) {
          case 0x6E -> "any";
          case 0x6D -> "eq";
          case 0x6C -> "i31";
          case 0x6B -> "struct";
          case 0x6A -> "array";
          case 0x71 -> "none";
          case 0x72 -> "noextern";
          case 0x73 -> "nofunc";
          case 0x74 -> "noexn";
          default -> null;
        };
    if (object != null) {
      return feature("GC is", object, offset);
    }
    return switch (code) {
      case 0x68 -> feature("stack switching is", "cont", offset);
      case 0x75 -> feature("stack switching is", "nocont", offset);
      case 0x65 -> feature("sharing everything with threads is", "shared", offset);
      default -> Bytes.broken(offset, "malformed type 0x%02X", code);
    };
  }

  /** A type definition that is no function type. */
  static WasmException definition(int form, int offset) {
    return switch (form) {
      case 0x5E -> feature("GC is", "array", offset);
      case 0x5F -> feature("GC is", "struct", offset);
      case 0x50, 0x4F -> feature("GC is", "sub", offset);
      case 0x4E -> feature("GC is", "rec", offset);
      case 0x5D -> feature("stack switching is", "cont", offset);
      case 0x65 -> feature("sharing everything with threads is", "shared", offset);
      default -> Bytes.broken(offset, "malformed type definition 0x%02X", form);
    };
  }

  /** Limits of a table or memory with flags that the engine does not know. */
  static WasmException limits(String what, int flags, int offset) {
    if (flags > 0x0F) {
      return Bytes.broken(offset, "malformed limits 0x%02X of a %s", flags, what);
    }
    if ((flags & 0x08) != 0) {
      return Bytes.broken(offset, "custom page sizes are not supported: `%s`", what);
    }
    if ((flags & 0x04) != 0) {
      return Bytes.broken(offset, "%s64 is not supported: `%s`", what, what);
    }
    return what.equals("memory")
        ? Bytes.broken(offset, "a shared memory must have a maximum")
        : feature("sharing everything with threads is", "shared " + what, offset);
  }

  /** The field after the magic: a core module has version 1 in layer 0. */
  static WasmException version(int version, int layer) {
    return layer == 1
        ? Bytes.broken(4, "components are not supported: version %d, layer 1", version)
        : Bytes.broken(4, "unknown binary version %d, layer %d", version, layer);
  }
}
