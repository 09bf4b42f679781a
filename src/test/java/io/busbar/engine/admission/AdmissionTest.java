package io.busbar.engine.admission;

import static io.busbar.engine.admission.WasmWriter.empty;
import static io.busbar.engine.admission.WasmWriter.module;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.types.OpCode;
import io.busbar.Failing;
import io.busbar.model.Failure;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What reaches the engine's parser, and what does not. */
class AdmissionTest {
  private static final Admission STANDARD = new Admission(Admission.Options.STANDARD);
  private static final WasmWriter NO_LOCALS = empty().u(0);
  private static final Set<ModuleLimit> TRIED = EnumSet.noneOf(ModuleLimit.class);

  @ParameterizedTest
  @EnumSource
  void bomb_isRefusedSayingWhatIsTooMuch(Bombs bomb) {
    byte[] wasm = bomb.bytes();
    Failing.with(bomb.failure, bomb.text, () -> STANDARD.admit(wasm));
  }

  private static Arguments limit(ModuleLimit limit, int value, IntFunction<WasmWriter> module) {
    TRIED.add(limit);
    return Arguments.of(limit, value, module);
  }

  private static WasmWriter body(WasmWriter instructions) {
    return Bombs.oneFunction().code(NO_LOCALS, instructions.bytes(0x0B));
  }

  private static WasmWriter typed(WasmWriter type) {
    return module().section(1, empty().u(1).bytes(0x60).bytes(type));
  }

  private static WasmWriter section(int id, int count, int... item) {
    return module().section(1, 1, 0x60, 0, 0).section(id, empty().u(count).times(count, item));
  }

  /** For each limit modules that have as much of it as is asked for. */
  static Stream<Arguments> limits() {
    WasmWriter noLocals = empty().u(0).bytes(0x0B);
    return Stream.of(
        limit(ModuleLimit.TYPES, 3, n -> module().section(1, empty().u(n).times(n, 0x60, 0, 0))),
        limit(ModuleLimit.PARAMS, 3, n -> typed(empty().u(n).times(n, 0x7F).u(0))),
        limit(ModuleLimit.RESULTS, 3, n -> typed(empty().u(0).u(n).times(n, 0x7F))),
        limit(ModuleLimit.IMPORTS, 3, n -> section(2, n, 1, 'e', 1, 'f', 0, 0)),
        limit(ModuleLimit.FUNCTIONS, 3, Bombs::functions),
        limit(ModuleLimit.TABLES, 3, n -> section(4, n, 0x70, 0, 0)),
        limit(ModuleLimit.TABLE_ELEMENTS, 6, n -> section(4, 1, 0x70, 0, n)),
        limit(ModuleLimit.MEMORIES, 3, n -> section(5, n, 0, 0)),
        limit(ModuleLimit.MEMORY_PAGES, 6, n -> section(5, 1, 0, n)),
        limit(ModuleLimit.TAGS, 3, n -> section(13, n, 0, 0)),
        limit(ModuleLimit.GLOBALS, 3, n -> section(6, n, 0x7F, 0, 0x41, 0, 0x0B)),
        limit(
            ModuleLimit.EXPORTS,
            3,
            n -> module().section(5, 1, 0, 0).section(7, empty().u(n).times(n, 1, 'm', 2, 0))),
        limit(ModuleLimit.ELEMENT_SEGMENTS, 3, n -> section(9, n, 1, 0, 0)),
        limit(
            ModuleLimit.ELEMENTS,
            3,
            n -> module().section(9, empty().bytes(1, 5, 0x70).u(n).times(n, 0xD0, 0x70, 0x0B))),
        limit(ModuleLimit.DATA_SEGMENTS, 3, n -> section(11, n, 1, 0)),
        limit(
            ModuleLimit.LOCALS,
            3,
            n -> Bombs.oneFunction().code(empty().u(n).times(n, 1, 0x7F), empty().bytes(0x0B))),
        limit(
            ModuleLimit.ALL_LOCALS,
            6,
            n -> Bombs.many(n / 2, empty().u(1).u(2).bytes(0x7F, 0x0B)).bytes()),
        limit(ModuleLimit.INSTRUCTIONS, 5, n -> body(empty().times(n - 1, 0x01))),
        limit(ModuleLimit.NESTING, 3, n -> body(empty().times(n, 0x02, 0x40).times(n, 0x0B))),
        limit(ModuleLimit.OPERANDS, 3, n -> body(empty().times(n, 0x41, 0).times(n, 0x1A))),
        limit(
            ModuleLimit.BRANCH_TARGETS,
            3,
            n -> body(empty().bytes(0x41, 0, 0x0E).u(n).times(n + 1, 0))),
        limit(ModuleLimit.BRANCH_STEPS, 3, n -> body(empty().times(n, 0x41, 0, 0x0D, 0))),
        limit(
            ModuleLimit.ALL_BRANCH_STEPS,
            6,
            n -> Bombs.many(n, empty().u(0).bytes(0x41, 0, 0x0D, 0, 0x0B))),
        limit(
            ModuleLimit.FRAME_SLOTS,
            8,
            n -> Bombs.many(1, empty().u(1).u((n + 1) / 2).bytes(0x7F, 0x0B))),
        limit(ModuleLimit.EQUAL_TYPES, 4, n -> Bombs.many(n, noLocals)),
        limit(ModuleLimit.BODY_BYTES, 8, n -> body(empty().times(n - 2, 0x01))),
        limit(
            ModuleLimit.NAME_BYTES,
            5,
            n ->
                module()
                    .section(5, 1, 0, 0)
                    .section(7, empty().u(1).name("x".repeat(n)).bytes(2, 0))));
  }

  @ParameterizedTest
  @MethodSource("limits")
  void limit_isTheMostThatIsTaken(ModuleLimit limit, int most, IntFunction<WasmWriter> module) {
    Admission admission = new Admission(Admission.Options.STANDARD.with(limit, most));
    admission.admit(module.apply(most).toBytes());
    String said =
        Failing.with(
                limit == ModuleLimit.BODY_BYTES || limit == ModuleLimit.NAME_BYTES
                    ? Failure.TOO_LARGE
                    : Failure.INVALID_MODULE,
                () -> admission.admit(module.apply(most + 2).toBytes()))
            .getMessage();
    assertTrue(said.startsWith("module limit `" + limit.key() + "`: "), said);
    assertTrue(said.endsWith(", at most " + most), said);
  }

  @Test
  void limits_areAllTried() {
    limits().count();
    assertEquals(EnumSet.allOf(ModuleLimit.class), TRIED);
  }

  @Test
  void tenThousandFunctions_areTaken() {
    byte[] wasm = Bombs.functions(10_000).toBytes();
    assertSame(wasm, STANDARD.admit(wasm).wasm());
  }

  @Test
  void standard_leavesRoomForTheLargestPrograms() {
    for (Object[] seen :
        new Object[][] {
          {ModuleLimit.FUNCTIONS, 54_322},
          {ModuleLimit.PARAMS, 24},
          {ModuleLimit.LOCALS, 1_220},
          {ModuleLimit.NESTING, 3_289},
          {ModuleLimit.BRANCH_TARGETS, 5_491},
          {ModuleLimit.BRANCH_STEPS, 5_491 * 3_289},
          {ModuleLimit.INSTRUCTIONS, 121_255},
          {ModuleLimit.BODY_BYTES, 251_044},
          {ModuleLimit.ALL_LOCALS, 229_965},
          {ModuleLimit.ALL_BRANCH_STEPS, 15_800_410},
          {ModuleLimit.FRAME_SLOTS, 47_575_891},
          {ModuleLimit.EQUAL_TYPES, 54_349},
          {ModuleLimit.OPERANDS, 75},
          {ModuleLimit.TYPES, 221},
          {ModuleLimit.TABLE_ELEMENTS, 17_142},
          {ModuleLimit.MEMORY_PAGES, 1_040},
          {ModuleLimit.DATA_SEGMENTS, 98_450},
          {ModuleLimit.GLOBALS, 646},
          {ModuleLimit.EXPORTS, 1_861},
          {ModuleLimit.IMPORTS, 60},
        }) {
      ModuleLimit limit = (ModuleLimit) seen[0];
      assertEquals((int) seen[1], Admission.Options.STANDARD.check(limit, (int) seen[1]));
    }
  }

  private static Arguments unsupported(String text, WasmWriter module) {
    return Arguments.of(text, module);
  }

  private static WasmWriter instruction(int... bytes) {
    return Bombs.oneFunction().code(NO_LOCALS, empty().bytes(bytes).bytes(0x0B));
  }

  static Stream<Arguments> proposals() {
    return Stream.of(
        unsupported(
            "SIMD instructions are not supported: `i8x16.splat` at offset 23",
            instruction(0xFD, 0x0F)),
        unsupported(
            "SIMD instructions are not supported: `v128.const` at offset 23",
            instruction(0xFD, 0x0C)),
        unsupported(
            "relaxed SIMD instructions are not supported: `i32x4.relaxed_dot_i8x16_i7x16_add_s`"
                + " at offset 23",
            instruction(0xFD, 0x93, 0x02)),
        unsupported("illegal opcode 0xFD 0x9A at offset 23", instruction(0xFD, 0x9A, 0x01)),
        unsupported("illegal opcode 0xFD 0x1000 at offset 23", instruction(0xFD, 0x80, 0x20)),
        unsupported("GC is not supported: `struct.new` at offset 23", instruction(0xFB, 0)),
        unsupported("GC is not supported: `i31.get_u` at offset 23", instruction(0xFB, 30)),
        unsupported("illegal opcode 0xFB 0x20 at offset 23", instruction(0xFB, 32)),
        unsupported("GC is not supported: `ref.eq` at offset 23", instruction(0xD3)),
        unsupported("GC is not supported: `any` at offset 24", instruction(0xD0, 0x6E)),
        unsupported("GC is not supported: `array` at offset 11", module().section(1, 1, 0x5E)),
        unsupported("GC is not supported: `struct` at offset 11", module().section(1, 1, 0x5F)),
        unsupported("GC is not supported: `i31` at offset 13", typed(empty().bytes(1, 0x6C, 0))),
        unsupported(
            "GC is not supported: `eq` at offset 14", typed(empty().bytes(1, 0x63, 0x6D, 0))),
        unsupported(
            "legacy exception handling is not supported: `try` at offset 23",
            instruction(0x06, 0x40)),
        unsupported(
            "legacy exception handling is not supported: `rethrow` at offset 23",
            instruction(0x09, 0)),
        unsupported("stack switching is not supported: `suspend` at offset 23", instruction(0xE2)),
        unsupported(
            "stack switching is not supported: `cont` at offset 11", module().section(1, 1, 0x5D)),
        unsupported(
            "wide arithmetic is not supported: `i64.mul_wide_u` at offset 23",
            instruction(0xFC, 0x16)),
        unsupported(
            "memory control is not supported: `memory.discard` at offset 23",
            instruction(0xFC, 0x12)),
        unsupported("illegal opcode 0xFC 0x17 at offset 23", instruction(0xFC, 0x17)),
        unsupported("illegal opcode 0xFC 0x100 at offset 23", instruction(0xFC, 0x80, 0x02)),
        unsupported("illegal opcode 0xFE 0x04 at offset 23", instruction(0xFE, 4)),
        unsupported("illegal opcode 0x27 at offset 23", instruction(0x27)),
        unsupported("illegal opcode 0xFF at offset 23", instruction(0xFF)),
        unsupported("memory64 is not supported: `memory` at offset 17", section(5, 1, 4, 0)),
        unsupported("table64 is not supported: `table` at offset 18", section(4, 1, 0x70, 5, 0)),
        unsupported(
            "custom page sizes are not supported: `memory` at offset 17", section(5, 1, 8, 0)),
        unsupported("a shared memory must have a maximum at offset 17", section(5, 1, 2, 0)),
        unsupported(
            "sharing everything with threads is not supported: `shared table` at offset 18",
            section(4, 1, 0x70, 3, 0, 0)),
        unsupported(
            "components are not supported: version 13, layer 1 at offset 4",
            empty().bytes(0, 'a', 's', 'm', 0x0D, 0, 1, 0)),
        unsupported(
            "unknown binary version 2, layer 0 at offset 4",
            empty().bytes(0, 'a', 's', 'm', 2, 0, 0, 0)),
        unsupported("malformed section id 14 at offset 14", section(14, 0)),
        unsupported(
            "constant expression required, not opcode 0x10 at offset 19",
            section(6, 1, 0x7F, 0, 0x10, 0, 0x0B)),
        unsupported("magic header not detected at offset 0", empty().bytes(0, 'a', 's')));
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void whatNoMachineHas_isRefusedByName(String text, WasmWriter module) {
    Failing.with(
        Failure.INVALID_MODULE,
        "Error while parsing bytes: " + text,
        () -> STANDARD.admit(module.toBytes()));
  }

  /** The engine reads the index as a type, and what follows as something else. */
  @Test
  void blockOfATypeTheEngineMistakes_isRefused() {
    WasmWriter types = empty().u(100).times(100, 0x60, 0, 0);
    byte[] wasm =
        module()
            .section(1, types)
            .section(3, 1, 0)
            .code(NO_LOCALS, empty().bytes(0x02, 0xE3, 0, 0x01, 0x0B, 0x0B))
            .toBytes();
    Failing.with(
        Failure.INVALID_MODULE,
        "Error while parsing bytes: a block of type 99 is not supported: the engine mistakes it"
            + " for another at offset 322",
        () -> STANDARD.admit(wasm));
  }

  /** Name for name as the engine calls them: no instruction it has is unknown here. */
  @Test
  void instructionsOfTheEngine_areAllKnown() {
    for (OpCode code : OpCode.values()) {
      int prefix = code.opcode() >> 8;
      int number = code.opcode() & 0xFF;
      if (prefix == 0xFD) {
        String name = code.name().toLowerCase(Locale.ROOT).replaceFirst("_", ".");
        String said = Unsupported.vector(number, 0).getMessage();
        assertTrue(said.contains("SIMD instructions are not supported: `" + name + "`"), said);
      } else if (prefix == 0xFC || prefix == 0xFE) {
        assertNotEquals(
            Instructions.Immediate.NONE_SUCH,
            Instructions.prefixed(prefix, number).immediate(),
            code.name());
      } else if (prefix == 0xFB) {
        String said = Unsupported.object(number, 0).getMessage();
        assertTrue(said.contains("GC is not supported"), said);
      }
    }
  }

  @Test
  void deadCode_mayTakeWhatIsNotThere() {
    STANDARD.admit(body(empty().bytes(0x00, 0x6A, 0x1A, 0x02, 0x40, 0x0B, 0x1A)).toBytes());
    Failing.with(
        Failure.INVALID_MODULE,
        "Error while parsing bytes: type mismatch: 1 operands are needed where there are 0 at"
            + " offset 23",
        () -> STANDARD.admit(body(empty().bytes(0x1A)).toBytes()));
  }

  private static WasmWriter small() {
    return Bombs.exported().code(NO_LOCALS, empty().bytes(0x0B));
  }

  private static byte[] named(WasmWriter names) {
    return small().section(0, empty().name("name").bytes(names)).toBytes();
  }

  private static String name(byte[] admitted) {
    var names = Parser.parse(admitted).nameSection();
    return names == null ? null : names.moduleName().orElse("") + "/" + names.nameOfFunction(0);
  }

  @Test
  void customSections_areLeftOut_andTheRestIsAsItWas() {
    WasmWriter custom = empty().name("producers").times(1000, 7);
    byte[] with =
        module()
            .section(0, custom)
            .section(1, 1, 0x60, 0, 0)
            .section(0, custom)
            .section(3, 1, 0)
            .section(7, empty().u(1).name("run").bytes(0, 0))
            .code(NO_LOCALS, empty().bytes(0x0B))
            .section(0, custom)
            .toBytes();
    byte[] before = with.clone();
    assertArrayEquals(small().toBytes(), STANDARD.admit(with).wasm());
    assertArrayEquals(before, with);
  }

  @Test
  void names_areKeptWhereTheyFollowTheRules() {
    WasmWriter good = empty().bytes(0, 2, 1, 'm', 1, 4, 1, 0, 1, 'f', 2, 2, 0, 0);
    assertEquals("m/f", name(STANDARD.admit(named(good)).wasm()));
    for (WasmWriter bad :
        new WasmWriter[] {
          empty().bytes(1, 4, 1, 0, 1, 'f', 0, 2, 1, 'm'), // parts out of order
          empty().bytes(1, 7, 2, 0, 1, 'f', 0, 1, 'g'), // one function twice
          empty().bytes(1, 4, 1, 1, 1, 'f'), // no such function
          empty().bytes(1, 9, 1, 0, 1, 'f'), // a part that ends later than the section
          empty().bytes(1, 4, 9, 0, 1, 'f'), // more names than bytes
          empty().bytes(1, 4, 1, 0, 1, 0xFF), // no UTF-8
        }) {
      byte[] wasm = named(bad);
      assertArrayEquals(small().toBytes(), STANDARD.admit(wasm).wasm());
    }
  }

  @Test
  void name_withLettersTheEngineRefuses_isLeftOutAlone() {
    WasmWriter arrow = empty().bytes(0, 2, 1, 'm', 1, 6, 1, 0, 3, 0xE2, 0x86, 0x92);
    assertEquals("m/null", name(STANDARD.admit(named(arrow)).wasm()));
  }

  @Test
  void customSectionWithABrokenName_isBroken() {
    Failing.with(
        Failure.INVALID_MODULE,
        "Error while parsing bytes: malformed UTF-8 encoding of a custom section's name at offset"
            + " 11",
        () -> STANDARD.admit(module().section(0, 1, 0xFF).toBytes()));
  }
}
