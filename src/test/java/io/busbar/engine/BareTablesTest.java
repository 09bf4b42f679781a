package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.WasmModule;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the bare engine gets wrong with tables, each time with what a guest does instead. */
@Timeout(60)
class BareTablesTest {
  private static final String OUT_OF_TABLE = "undefined element: out of bounds table access";

  private static final String BULK =
      """
      (module
        (table $t 4 10 funcref)
        (func $f)
        (elem (table $t) (i32.const 0) func $f)
        (elem $e func $f $f $f)
        (func (export "fill") (param i32 i32 i32)
          (table.fill $t (local.get 0) (ref.func $f) (local.get 2)))
        (func (export "copy") (param i32 i32 i32)
          (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
        (func (export "init") (param i32 i32 i32)
          (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
        (func (export "used") (result i32)
          (i32.add
            (i32.add (ref.is_null (table.get $t (i32.const 0))) (ref.is_null (table.get $t (i32.const 1))))
            (i32.add (ref.is_null (table.get $t (i32.const 2))) (ref.is_null (table.get $t (i32.const 3))))))
        (func (export "grow") (param i32) (result i32)
          (table.grow $t (ref.null func) (local.get 0)))
        (func (export "size") (result i32) (table.size $t)))
      """;

  /** ENGINE 5, audit 003: past 2 GiB the sum is negative, and nothing happens. */
  @ParameterizedTest
  @CsvSource({
    "fill,2147483647,0,2",
    "fill,1,0,2147483647",
    "fill,-1,0,0",
    "init,2147483647,0,1",
    "init,-1,0,0",
    "init,0,-1,0",
  })
  void bulk_beyondTheSum_isATrapAndNotNothing(String function, int to, int from, int size) {
    for (Compiler.Mode mode : List.of(Compiler.Mode.COMPILED, Compiler.Mode.INTERPRETED)) {
      Instance bare = Bare.instance(mode, BULK);
      assertEquals("[]", Bare.said(bare, function, to, from, size));
      assertEquals("[3]", Bare.said(bare, "used"));
      try (Ours ours = new Ours(mode)) {
        Guest guest = ours.start(BULK);
        assertEquals(OUT_OF_TABLE, Ours.said(guest, function, to, from, size));
        assertEquals("[3]", Ours.said(guest, "used"));
        assertEquals("[]", Ours.said(guest, function, 1, 0, 3));
        assertEquals(function.equals("copy") ? "[2]" : "[0]", Ours.said(guest, "used"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void copy_thatTraps_hasWrittenNothing(Compiler.Mode mode) {
    Instance bare = Bare.instance(mode, BULK);
    Bare.said(bare, "copy", 1, 0, 1);
    assertFalse(Bare.said(bare, "copy", 1, 2, Integer.MAX_VALUE).equals("[]"));
    assertEquals("[3]", Bare.said(bare, "used"), "element 1 has been overwritten");
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(BULK);
      Ours.said(guest, "copy", 1, 0, 1);
      assertEquals(OUT_OF_TABLE, Ours.said(guest, "copy", 1, 2, Integer.MAX_VALUE));
      assertEquals("[2]", Ours.said(guest, "used"));
    }
  }

  /** The engine takes an element's number as it is, and Java's list throws. */
  @ParameterizedTest
  @CsvSource({"0,-1,1", "0,2147483647,2"})
  void init_beyondTheSegment_isATrapAndNoJavaException(int to, int from, int size) {
    for (Compiler.Mode mode : List.of(Compiler.Mode.COMPILED, Compiler.Mode.INTERPRETED)) {
      String bare = Bare.said(Bare.instance(mode, BULK), "init", to, from, size);
      assertTrue(bare.startsWith("ArrayIndexOutOfBoundsException"), bare);
      try (Ours ours = new Ours(mode)) {
        assertEquals(OUT_OF_TABLE, Ours.said(ours.start(BULK), "init", to, from, size));
      }
    }
  }

  /** ENGINE 3.4: growth stays in the parsed module, where the next instance finds it. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void growth_isTheInstancesOwn(Compiler.Mode mode) {
    String wat =
        """
        (module (table $t 1 funcref)
          (func (export "grow") (result i32)
            (drop (table.grow $t (ref.null func) (i32.const 5)))
            (table.size $t)))
        """;
    WasmModule bare = Bare.module(wat);
    for (int size : new int[] {6, 11, 16}) {
      assertEquals("[" + size + "]", Bare.said(Bare.builder(mode, bare).build(), "grow"));
    }
    try (Ours ours = new Ours(mode)) {
      for (int i = 0; i < 3; i++) {
        assertEquals("[6]", Ours.said(ours.start(wat), "grow"));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void growth_beyondReason_isMinusOne(Compiler.Mode mode) {
    String bare = Bare.said(Bare.instance(mode, BULK), "grow", Integer.MAX_VALUE);
    assertTrue(bare.startsWith("NegativeArraySizeException"), bare);
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(BULK);
      assertEquals("[-1]", Ours.said(guest, "grow", Integer.MAX_VALUE));
      assertEquals("[-1]", Ours.said(guest, "grow", -1));
      assertEquals("[-1]", Ours.said(guest, "grow", 7));
      assertEquals("[4]", Ours.said(guest, "grow", 6));
      assertEquals("[10]", Ours.said(guest, "size"));
    }
  }

  /**
   * ENGINE 5, TableLimits#grow: the shared limits pass their own maximum, and a start breaks it.
   */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void growth_ofInstancesSideBySide_staysWithinTheMaximum(Compiler.Mode mode) {
    WasmModule bare = Bare.module(BULK);
    Instance first = Bare.builder(mode, bare).build();
    Instance second = Bare.builder(mode, bare).build();
    assertEquals("[4]", Bare.said(first, "grow", 6));
    assertEquals("[4]", Bare.said(second, "grow", 6));
    Instance third = Bare.builder(mode, bare).build();
    assertEquals("[16]", Bare.said(third, "size"), "beyond the declared maximum of 10");
    try (Ours ours = new Ours(mode)) {
      Guest one = ours.start(BULK);
      Guest two = ours.start(BULK);
      assertEquals("[4]", Ours.said(one, "grow", 6));
      assertEquals("[4]", Ours.said(two, "grow", 6));
      assertEquals("[4]", Ours.said(ours.start(BULK), "size"));
    }
  }

  /** A million elements at most, whatever the module declares; the engine takes ten, four times. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void declaredTables_areBounded(Compiler.Mode mode) {
    String wat = "(module (table 10000000 funcref))";
    assertEquals(10_000_000, Bare.module(wat).tableSection().getTable(0).limits().min());
    try (Ours ours = new Ours(mode)) {
      String said = "";
      try {
        ours.start(wat);
      } catch (io.busbar.model.WasmException e) {
        said = e.toString();
      }
      assertTrue(said.contains("module limit `tableElements`: 10000000"), said);
    }
  }
}
