package io.busbar.spec.text;

import java.util.HashMap;
import java.util.Map;

/** The instructions by name: their bytes, and what stands after them. */
final class Opcodes {
  /** What an instruction is followed by in the text. */
  enum Immediate {
    NONE,
    LABEL,
    LABELS,
    FUNCTION,
    LOCAL,
    GLOBAL,
    TABLE,
    TWO_TABLES,
    MEMORY,
    TWO_MEMORIES,
    ACCESS,
    TYPE,
    TABLE_AND_TYPE,
    HEAP,
    TAG,
    ELEMENTS,
    ELEMENTS_AND_TABLE,
    DATA,
    DATA_AND_MEMORY,
    I32,
    I64,
    F32,
    F64,
    SELECT
  }

  /** The bytes of an instruction and what follows. */
  record Op(int[] bytes, Immediate immediate) {}

  /** Each line: what follows, the first opcode, and the names of it and the next ones. */
  private static final String TABLE =
      """
      NONE 00 unreachable nop
      TAG 08 throw
      NONE 0a throw_ref
      LABEL 0c br br_if
      LABELS 0e br_table
      NONE 0f return
      FUNCTION 10 call
      TABLE_AND_TYPE 11 call_indirect
      FUNCTION 12 return_call
      TABLE_AND_TYPE 13 return_call_indirect
      TYPE 14 call_ref return_call_ref
      NONE 1a drop
      SELECT 1b select
      LOCAL 20 local.get local.set local.tee
      GLOBAL 23 global.get global.set
      TABLE 25 table.get table.set
      ACCESS 28 i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s \
      i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u \
      i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 i64.store16 \
      i64.store32
      MEMORY 3f memory.size memory.grow
      I32 41 i32.const
      I64 42 i64.const
      F32 43 f32.const
      F64 44 f64.const
      NONE 45 i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s \
      i32.ge_u i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u \
      i64.ge_s i64.ge_u f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt \
      f64.le f64.ge i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u \
      i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr \
      i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u \
      i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr f32.abs f32.neg \
      f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min \
      f32.max f32.copysign f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt \
      f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign i32.wrap_i64 i32.trunc_f32_s \
      i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u \
      i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s \
      f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s \
      f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 \
      i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 i32.extend8_s i32.extend16_s \
      i64.extend8_s i64.extend16_s i64.extend32_s
      HEAP d0 ref.null
      NONE d1 ref.is_null
      FUNCTION d2 ref.func
      NONE d3 ref.eq ref.as_non_null
      LABEL d5 br_on_null br_on_non_null
      DATA_AND_MEMORY fc08 memory.init
      DATA fc09 data.drop
      TWO_MEMORIES fc0a memory.copy
      MEMORY fc0b memory.fill
      ELEMENTS_AND_TABLE fc0c table.init
      ELEMENTS fc0d elem.drop
      TWO_TABLES fc0e table.copy
      TABLE fc0f table.grow table.size table.fill
      """;

  private static final Map<String, Op> OPS = ops();

  private Opcodes() {}

  private static Map<String, Op> ops() {
    Map<String, Op> ops = new HashMap<>();
    for (String line : TABLE.split("\n")) {
      String[] words = line.split(" +");
      int code = Integer.parseInt(words[1], 16);
      for (int i = 2; i < words.length; i++, code++) {
        int[] bytes = code < 256 ? new int[] {code} : new int[] {code >> 8, code & 0xff};
        ops.put(words[i], new Op(bytes, Immediate.valueOf(words[0])));
      }
    }
    return ops;
  }

  /** The instruction of this name; fails if there is none. */
  static Op of(String name) {
    Op op = OPS.get(name);
    if (op == null) {
      throw new IllegalArgumentException("unknown instruction " + name);
    }
    return op;
  }
}
