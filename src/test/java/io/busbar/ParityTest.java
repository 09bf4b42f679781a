package io.busbar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What callers of Wasmex rely on, through every door and on both machines. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("doors")
class ParityTest {
  private static final BigInteger TWO_TO_128 = BigInteger.ONE.shiftLeft(128);

  enum Way {
    ENGINE,
    CLIENT,
    FROM
  }

  static Stream<Arguments> doors() {
    return Stream.of(Way.values())
        .flatMap(
            way ->
                Stream.of(Compiler.Mode.COMPILED, Compiler.Mode.INTERPRETED)
                    .map(mode -> Arguments.of(way, mode)));
  }

  @Parameter(0)
  Way way;

  @Parameter(1)
  Compiler.Mode mode;

  private Door door;

  private Door open(String guest) {
    byte[] wat = Guests.text(guest);
    door =
        switch (way) {
          case ENGINE -> new Door.Direct(wat, mode);
          case CLIENT -> new Door.Client(wat, mode);
          case FROM -> new Door.From(wat, mode);
        };
    return door;
  }

  @AfterEach
  void close() {
    if (door != null) {
      door.close();
    }
  }

  private void assertResults(List<Object> expected, String function, Object... params) {
    assertEquals(expected, door.call(function, params));
  }

  private void assertNear(double expected, String function, Object... params) {
    assertEquals(expected, (Double) door.call(function, params).get(0), 0.001);
  }

  private void assertBadParam(String text, String function, Object... params) {
    Failing.with(Failure.BAD_PARAMS, text, () -> door.call(function, params));
  }

  private static String cannot(String type) {
    return "Cannot convert argument #1 to a WebAssembly " + type + " value.";
  }

  @Test
  void exists_functionsOnly() {
    open("wasm_test");
    assertTrue(door.exists("arity_0"));
    assertFalse(door.exists("unknown_function"));
    assertFalse(door.exists("memory"));
    assertFalse(door.exists("__heap_base"));
  }

  @Test
  void call_unknownFunction_isFoundBeforeItsParams() {
    open("wasm_test");
    Failing.with(
        Failure.NO_SUCH_EXPORT,
        "exported function `unknown_function` not found",
        () -> door.call("unknown_function", 1, "x"));
    Failing.with(
        Failure.NO_SUCH_EXPORT, "exported function `memory` not found", () -> door.call("memory"));
  }

  @Test
  void call_wrongCount_isFoundBeforeTheValues() {
    open("wasm_test");
    assertBadParam("number of params does not match. expected 0, got 1", "arity_0", 1);
    assertBadParam("number of params does not match. expected 2, got 1", "sum", "x");
    assertBadParam("number of params does not match. expected 2, got 3", "sum", 1, 2, 3);
  }

  @Test
  void call_results_areAlwaysAList() {
    open("wasm_test");
    assertResults(List.of(42L), "arity_0");
    assertResults(List.of(42L), "sum", 50, -8);
    assertResults(List.of(1L), "bool_casted_to_i32");
    assertResults(List.of(), "void");
  }

  @Test
  void i32_takesItsSignedRangeAndNoFloat() {
    open("wasm_test");
    assertResults(List.of(-3L), "i32_i32", -3);
    assertResults(List.of((long) Integer.MIN_VALUE), "i32_i32", Integer.MIN_VALUE);
    assertResults(List.of((long) Integer.MAX_VALUE), "i32_i32", Integer.MAX_VALUE);
    for (Object bad :
        new Object[] {3_000_000_000L, 0xFFFFFFFFL, -2147483649L, 3.0, 0.5, TWO_TO_128}) {
      assertBadParam(cannot("i32"), "i32_i32", bad);
    }
    assertBadParam(cannot("i32") + " Given `String`.", "i32_i32", "3");
    assertBadParam(cannot("i32") + " Given `Boolean`.", "i32_i32", true);
    assertBadParam(cannot("i32") + " Given `Null`.", "i32_i32", (Object) null);
    assertBadParam(cannot("i32") + " Given `Array`.", "i32_i32", List.of(1));
    assertBadParam(cannot("i32") + " Given `Object`.", "i32_i32", Map.of("a", 1));
  }

  @Test
  void call_badParam_namesTheFirstFromTheLeft() {
    open("wasm_test");
    assertBadParam("Cannot convert argument #2 to a WebAssembly i32 value.", "sum", 1, 1.5);
    assertBadParam(cannot("i32") + " Given `String`.", "sum", "1", 1.5);
  }

  @Test
  void i64_takesIntegersAndDecimalStrings() {
    open("wasm_test");
    assertResults(List.of(-3L), "i64_i64", -3);
    assertResults(List.of(3_000_000_000L), "i64_i64", 3_000_000_000L);
    assertResults(List.of(7L), "i64_i64", "7");
    for (Object bad : new Object[] {1.0, BigInteger.ONE.shiftLeft(63)}) {
      assertBadParam(cannot("i64"), "i64_i64", bad);
    }
    for (Object bad : new Object[] {"x", "", "1.0", "9223372036854775808", " 1"}) {
      assertBadParam(cannot("i64") + " Given `String`.", "i64_i64", bad);
    }
  }

  @Test
  void i64_extremes_comeBackWhole() {
    open("wasm_test");
    for (long extreme : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 1L << 53}) {
      String text = Long.toString(extreme);
      assertEquals(text, door.call("i64_i64", text).get(0).toString());
      assertEquals(text, door.call("i64_i64", extreme).get(0).toString());
    }
  }

  @Test
  void f32_takesAnyNumberThatStaysFinite() {
    open("wasm_test");
    assertNear(3.14, "f32_f32", 3.14);
    assertResults(List.of(2.0), "f32_f32", 2);
    assertBadParam(cannot("f32"), "f32_f32", 3.5e38);
    assertBadParam(cannot("f32"), "f32_f32", TWO_TO_128);
    assertBadParam(cannot("f32") + " Given `String`.", "f32_f32", "3.14");
  }

  @Test
  void f64_takesAnyNumberThatFits() {
    open("wasm_test");
    assertResults(List.of(3.14), "f64_f64", 3.14);
    assertResults(List.of(3.5e38), "f64_f64", 3.5e38);
    assertResults(List.of(-2.0), "f64_f64", -2);
    assertBadParam(cannot("f64"), "f64_f64", BigInteger.ONE.shiftLeft(63));
    assertBadParam(cannot("f64") + " Given `Boolean`.", "f64_f64", false);
  }

  @Test
  void floats_takeAndGiveWhatIsNotANumber() {
    open("wasm_test");
    for (String special : List.of("NaN", "Infinity", "-Infinity")) {
      for (String function : List.of("f32_f32", "f64_f64")) {
        assertEquals(special, door.call(function, special).get(0).toString());
      }
    }
    assertBadParam(cannot("f64") + " Given `String`.", "f64_f64", "nan");
  }

  @Test
  void mixedParams_keepTheirPlaces() {
    open("wasm_test");
    assertNear(20.4, "i32_i64_f32_f64_f64", 3, 4, 5.6, 7.8);
  }

  @Test
  void v128_isAnUnsignedNumber() {
    open("vectors");
    String all = "0x" + "f".repeat(32);
    BigInteger most = TWO_TO_128.subtract(BigInteger.ONE);
    assertResults(List.of("0x" + "0".repeat(30) + "2a"), "v128_v128", 42);
    assertResults(List.of(all), "v128_v128", most);
    assertResults(List.of(all), "v128_v128", most.toString());
    assertResults(List.of(all), "v128_v128", all);
    for (Object bad : new Object[] {TWO_TO_128, -1, 1.0}) {
      assertBadParam(cannot("v128"), "v128_v128", bad);
    }
    for (Object bad : new Object[] {"0x12", TWO_TO_128.toString(), "-1"}) {
      assertBadParam(cannot("v128") + " Given `String`.", "v128_v128", bad);
    }
  }

  @Test
  void v128_travelsThroughEverythingButInstructions() {
    open("vectors");
    String value = "0x0123456789abcdef0011223344556677";
    String other = "0x" + "1".repeat(32);
    assertResults(List.of(value), "through_local", value);
    assertResults(List.of(value, value), "through_tee", value);
    assertResults(List.of(value), "through_call", value);
    assertResults(List.of(value), "through_select", value, other, 1);
    assertResults(List.of(other), "through_select", value, other, 0);
    assertResults(List.of(9L, value, 7L), "mixed", 7, value, 9);
    assertEquals("0x00000000000000020000000000000001", door.global("vector"));
    assertEquals("0x00000000000000040000000000000003", door.global("constant"));
    door.call("set_global", value);
    assertEquals(value, door.global("vector"));
    assertEquals(other, door.setGlobal("vector", other));
  }

  @Test
  void string_isReadThroughItsPointer() {
    open("wasm_test");
    long pointer = (Long) door.call("string").get(0);
    assertEquals("Hello, World!", text(door.read(pointer, 13)));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void memory_writtenFromOutside_isSeenInside() {
    open("wasm_test");
    door.write(42, bytes("hello, world"));
    assertResults(List.of(104L), "string_first_byte", 42, 12);
    assertResults(List.of(0L), "string_first_byte", 42, 0);
  }

  @Test
  void manyResults_keepTheirOrder() {
    open("multi");
    assertResults(List.of(2L, 1L), "swap", 1, 2);
    assertResults(
        List.of(9L, 8L, 7L, 6L, 5L, 4L, 3L, 2L, 1L, 0L), "reverse", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertResults(List.of(0L, 12L), "hello");
    assertEquals("Hello World!", text(door.read(0, 12)));
  }

  private WasmException assertTrap(String word, String function, Object... params) {
    WasmException trap =
        Failing.with(Failure.TRAP, "wasm trap: " + word, () -> door.call(function, params));
    assertEquals(word, trap.trap());
    return trap;
  }

  @Test
  void traps_sayTheFieldsWords() {
    open("multi");
    assertTrap("integer divide by zero", "divide", 1, 0);
    assertTrap("integer overflow", "divide", Integer.MIN_VALUE, -1);
    assertTrap("integer overflow", "truncate", 1e20);
    assertTrap("invalid conversion to integer", "truncate", "NaN");
    assertTrap("out of bounds memory access", "load", 65_533);
    assertTrap("out of bounds memory access", "load", -1);
    assertTrap("undefined element: out of bounds table access", "indirect", 5);
    assertTrap("uninitialized element", "indirect", 1);
    assertTrap("indirect call type mismatch", "indirect", 0);
    assertTrap("wasm `unreachable` instruction executed", "outer");
  }

  @Test
  void trap_namesItsFrames_innermostFirst() {
    open("multi");
    WasmException trap = assertTrap("wasm `unreachable` instruction executed", "outer");
    String module = trap.frames().get(0).substring(0, trap.frames().get(0).indexOf('!'));
    assertEquals(List.of(module + "!inner", module + "!middle", module + "!outer"), trap.frames());
  }

  @Test
  void trap_inANamedModule_namesIt() {
    open("wasm_test");
    WasmException trap = assertTrap("wasm `unreachable` instruction executed", "divide", 1, 0);
    assertEquals(List.of("wasmex_test!divide"), trap.frames());
  }

  @Test
  void stateSurvives_callsAndTraps() {
    open("multi");
    assertResults(List.of(1L), "next");
    assertResults(List.of(2L), "next");
    assertTrap("wasm `unreachable` instruction executed", "next_then_trap");
    assertResults(List.of(4L), "next");
    assertEquals(4L, door.global("n"));
  }

  @Test
  void endlessRecursion_isATrap_andTheNextCallWorks() {
    open("multi");
    assertTrap("call stack exhausted", "forever");
    assertResults(List.of(6765L), "fib", 20);
    assertResults(List.of(5000L), "deep", 5000);
  }

  @Test
  void references_areNullOrStayInside() {
    open("multi");
    assertResults(java.util.Collections.singletonList(null), "null_funcref");
    Failing.with(Failure.BAD_RESULT, () -> door.call("a_funcref"));
    assertResults(List.of(1L), "takes_externref", (Object) null);
    assertBadParam(cannot("externref"), "takes_externref", 1);
    assertBadParam(cannot("externref") + " Given `String`.", "takes_externref", "x");
  }

  @Test
  void globals_areReadByName() {
    open("globals");
    assertEquals(42L, door.global("meaning_of_life"));
    assertEquals(-32L, door.global("count_32"));
    assertEquals(-64L, door.global("count_64"));
    assertEquals(0.0, door.global("bad_pi_32"));
    assertEquals(0.0, door.global("bad_pi_64"));
    assertNull(door.global("externref"));
    assertNull(door.global("funcref"));
    Failing.with(Failure.BAD_RESULT, () -> door.global("a_function"));
    Failing.with(
        Failure.NO_SUCH_GLOBAL,
        "exported global `unknown` not found",
        () -> door.global("unknown"));
    Failing.with(
        Failure.NO_SUCH_GLOBAL,
        "exported global `not_a_global` not found",
        () -> door.global("not_a_global"));
  }

  @Test
  void globals_areSetInTheOrderOfTheChecks() {
    open("globals");
    assertEquals(99L, door.setGlobal("count_32", 99));
    assertEquals(99L, door.global("count_32"));
    assertEquals(17L, door.setGlobal("count_64", 17));
    assertEquals(3.14, (Double) door.setGlobal("bad_pi_32", 3.14), 0.01);
    assertEquals(3.14, door.setGlobal("bad_pi_64", 3.14));
    Failing.with(
        Failure.NO_SUCH_GLOBAL,
        "exported global `unknown` not found",
        () -> door.setGlobal("unknown", "x"));
    Failing.with(
        Failure.BAD_PARAMS,
        "Cannot convert to a WebAssembly i32 value. Given `String`.",
        () -> door.setGlobal("meaning_of_life", "x"));
    Failing.with(
        Failure.BAD_PARAMS,
        "Cannot convert to a WebAssembly i32 value. Given `Float`.",
        () -> door.setGlobal("count_32", 1.5));
    Failing.with(
        Failure.IMMUTABLE_GLOBAL,
        "Could not set global: immutable global cannot be set",
        () -> door.setGlobal("meaning_of_life", 1));
    assertEquals(42L, door.global("meaning_of_life"));
  }

  @Test
  void memory_growsAndSaysWhatItWas() {
    open("wasm_test");
    assertEquals(17, door.pages());
    assertEquals(17, door.grow(3));
    assertEquals(20, door.pages());
    assertEquals(20, door.grow(1));
    assertEquals(21, door.grow(0));
    for (long tooMany : new long[] {999_999_999L, 999_999_999_999L}) {
      Failing.with(
          Failure.LIMIT,
          "Failed to grow the memory: failed to grow memory by `" + tooMany + "`.",
          () -> door.grow(tooMany));
    }
    assertEquals(21, door.pages());
  }

  @Test
  void memory_isWrittenWholeOrNotAtAll() {
    open("wasm_test");
    door.write(0, bytes("hello"));
    assertEquals("hello", text(door.read(0, 5)));
    assertEquals("lo", text(door.read(3, 2)));
    assertEquals("", text(door.read(8, 0)));
    door.write(1, bytes("abc"));
    assertEquals("habco\0", text(door.read(0, 6)));
    byte[] random = new byte[24];
    new Random(7).nextBytes(random);
    door.write(100, random);
    assertArrayEquals(random, door.read(100, 24));
    long end = 17 * 65_536L;
    outOfBounds(() -> door.write(end - 2, bytes("abc")));
    assertArrayEquals(new byte[2], door.read(end - 2, 2));
    door.write(end, new byte[0]);
  }

  private static void outOfBounds(org.junit.jupiter.api.function.Executable code) {
    Failing.with(Failure.OUT_OF_BOUNDS, "out of bounds memory access", code);
  }

  @Test
  void memory_outOfBounds_isSaidSo() {
    open("wasm_test");
    long end = 17 * 65_536L;
    outOfBounds(() -> door.read(end - 1, 2));
    outOfBounds(() -> door.read(999_999_999_999L, 1));
    outOfBounds(() -> door.read(0, Long.MAX_VALUE));
    outOfBounds(() -> door.read(end + 1, 0));
  }

  @Test
  void memory_isTheFirstExported_whateverItsName() {
    open("multi");
    assertEquals(1, door.pages());
    assertEquals("Hello", text(door.read(0, 5)));
    assertEquals(1, door.grow(1));
    assertResults(List.of(2L), "grow", 1);
    assertResults(List.of(-1L), "grow", 1);
  }

  @Test
  void memory_whereThereIsNone_isSaidSo() {
    open("globals");
    Failing.with(
        Failure.NO_SUCH_MEMORY,
        "The WebAssembly module has no exported memory.",
        () -> door.pages());
  }
}
