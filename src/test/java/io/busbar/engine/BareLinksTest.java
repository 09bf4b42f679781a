package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Store;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the bare engine gets wrong between modules, each time with what a guest and its links do
 * instead.
 */
@Timeout(60)
class BareLinksTest {
  private static final String OUT_OF_TABLE = "undefined element: out of bounds table access";

  /** A bare module whose imports are the exports of another, called b. */
  private static Instance linked(Compiler.Mode mode, String wat, String b) {
    Store store = new Store();
    store.instantiate(
        "b", imports -> Bare.builder(mode, Bare.module(b)).withImportValues(imports).build());
    return store.instantiate(
        "a", imports -> Bare.builder(mode, Bare.module(wat)).withImportValues(imports).build());
  }

  private static final String TYPES_FIRST =
      """
      (module
        (type $two (func (param i64 i64) (result i64)))
        (type $one (func (param i32) (result i32)))
        (func $b0 (type $two) (i64.add (local.get 0) (local.get 1)))
        (func $b1 (type $one) (i32.add (local.get 0) (i32.const 1)))
        (table (export "t") 2 10 funcref)
        (elem (i32.const 0) $b0 $b1))
      """;

  private static final String TYPES_AFTER =
      """
      (module
        (type $one (func (param i32) (result i32)))
        (type $two (func (param i64 i64) (result i64)))
        (import "b" "t" (table 2 10 funcref))
        (func (export "one") (param i32 i32) (result i32)
          (call_indirect (type $one) (local.get 0) (local.get 1)))
        (func (export "two") (param i32) (result i64)
          (call_indirect (type $two) (i64.const 20) (i64.const 3) (local.get 0))))
      """;

  /** ENGINE 5: the type a caller wants is looked up in the module of the function it finds. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void callIndirect_betweenModules_comparesTypesNotTheirNumbers(Compiler.Mode mode) {
    Instance bare = linked(mode, TYPES_AFTER, TYPES_FIRST);
    assertTrue(Bare.said(bare, "one", 41, 1).contains("mismatch"), Bare.said(bare, "one", 41, 1));
    assertTrue(!Bare.said(bare, "one", 41, 0).contains("mismatch"), Bare.said(bare, "one", 41, 0));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.link(TYPES_AFTER, "b", TYPES_FIRST);
      assertEquals("[42]", Ours.said(guest, "one", 41, 1));
      assertEquals("[23]", Ours.said(guest, "two", 0));
      assertEquals("indirect call type mismatch", Ours.said(guest, "one", 41, 0));
      assertEquals("indirect call type mismatch", Ours.said(guest, "two", 1));
      assertEquals(OUT_OF_TABLE, Ours.said(guest, "two", 2));
    }
  }

  private static final String REFS =
      """
      (module
        (type $f (func (result i32)))
        (func $b (type $f) (i32.const 22))
        (table $t (export "t") 8 funcref)
        (global (export "g") (mut funcref) (ref.func $b))
        (global (export "c") funcref (ref.func $b))
        (elem (table $t) (i32.const 0) func $b)
        (func (export "mine") (result funcref) (ref.func $b))
        (func (export "keep") (param funcref) (table.set $t (i32.const 5) (local.get 0)))
        (func (export "echo") (param i64 funcref i32) (result i32 funcref)
          (local.get 2) (local.get 1))
        (func (export "at") (param i32) (result i32)
          (call_indirect $t (type $f) (local.get 0))))
      """;

  private static final String USER =
      """
      (module
        (type $f (func (result i32)))
        (import "b" "mine" (func $theirs (result funcref)))
        (import "b" "keep" (func $keep (param funcref)))
        (import "b" "echo" (func $echo (param i64 funcref i32) (result i32 funcref)))
        (import "b" "at" (func $at (param i32) (result i32)))
        (import "b" "t" (table $t 8 funcref))
        (import "b" "g" (global $g (mut funcref)))
        (import "b" "c" (global $c funcref))
        (global $mine (mut funcref) (global.get $c))
        (table $own 8 16 funcref)
        (elem (table $own) (i32.const 7) funcref (global.get 1))
        (elem $passive funcref (item global.get 1) (item ref.func $a))
        (func $a0 (type $f) (i32.const 10))
        (func $a (type $f) (i32.const 11))
        (elem declare func $a)
        (func $call (param funcref) (result i32)
          (table.set $own (i32.const 0) (local.get 0))
          (call_indirect $own (type $f) (i32.const 0)))
        (func (export "get") (result i32) (call $call (table.get $t (i32.const 0))))
        (func (export "global") (result i32) (call $call (global.get $g)))
        (func (export "constant") (result i32) (call $call (global.get $c)))
        (func (export "initial") (result i32) (call $call (global.get $mine)))
        (func (export "element") (result i32) (call_indirect $own (type $f) (i32.const 7)))
        (func (export "result") (result i32) (call $call (call $theirs)))
        (func (export "copy") (result i32)
          (table.copy $own $t (i32.const 3) (i32.const 0) (i32.const 1))
          (call_indirect $own (type $f) (i32.const 3)))
        (func (export "fill") (result i32)
          (table.fill $own (i32.const 4) (table.get $t (i32.const 0)) (i32.const 2))
          (call_indirect $own (type $f) (i32.const 5)))
        (func (export "grow") (result i32)
          (call_indirect $own (type $f) (table.grow $own (table.get $t (i32.const 0)) (i32.const 1))))
        (func (export "tail") (result i32)
          (return_call_indirect $t (type $f) (i32.const 0)))
        (func (export "there_param") (result i32)
          (call $keep (ref.func $a)) (call $at (i32.const 5)))
        (func (export "there_table") (result i32)
          (table.set $t (i32.const 6) (ref.func $a)) (call $at (i32.const 6)))
        (func (export "there_init") (result i32)
          (table.init $t $passive (i32.const 3) (i32.const 1) (i32.const 1)) (call $at (i32.const 3)))
        (func (export "there_copy") (result i32)
          (table.set $own (i32.const 1) (ref.func $a))
          (table.copy $t $own (i32.const 2) (i32.const 1) (i32.const 1)) (call $at (i32.const 2)))
        (func (export "and_back") (result i32) (local $r funcref)
          (call $echo (i64.const 1) (ref.func $a) (i32.const 2))
          (local.set $r) (drop)
          (call $call (local.get $r)))
        (func (export "global_and_back") (result i32)
          (global.set $g (ref.func $a)) (call $call (global.get $g)))
        (func (export "null") (result i32)
          (global.set $g (ref.null func)) (ref.is_null (global.get $g))))
      """;

  /** README: references between modules called the wrong function. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void references_betweenModules_staySameFunctions(Compiler.Mode mode) {
    Instance bare = linked(mode, USER, REFS);
    for (String function : new String[] {"get", "global", "initial", "result"}) {
      assertTrue(!Bare.said(bare, function).equals("[22]"), function);
    }
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.link(USER, "b", REFS);
      for (String function :
          new String[] {
            "get", "global", "constant", "initial", "element", "result", "copy", "fill", "grow"
          }) {
        assertEquals("[22]", Ours.said(guest, function), function);
      }
      for (String function :
          new String[] {
            "there_param", "there_table", "there_init", "there_copy", "and_back", "global_and_back"
          }) {
        assertEquals("[11]", Ours.said(guest, function), function);
      }
      assertEquals("[1]", Ours.said(guest, "null"));
    }
  }

  /** The interpreter would run the caller's own function of that number. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void tailCall_throughATableOfALink_neverRunsAnotherFunction(Compiler.Mode mode) {
    if (mode == Compiler.Mode.INTERPRETED) {
      assertTrue(!Bare.said(linked(mode, USER, REFS), "tail").equals("[22]"));
    }
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.link(USER, "b", REFS);
      assertEquals("tail call to a function of another module", Ours.said(guest, "tail"));
      assertEquals("[22]", Ours.said(guest, "get"));
    }
  }

  /** ENGINE 5, audit 002: the owner of an entry was read at the index it is copied to. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void tableCopy_keepsTheOwnersOfItsEntries(Compiler.Mode mode) {
    String b =
        """
        (module (type $f (func (result i32)))
          (func $b (type $f) (i32.const 22))
          (table (export "t") 4 funcref)
          (elem (i32.const 1) func $b))
        """;
    String a =
        """
        (module (type $f (func (result i32)))
          (import "b" "t" (table $t 4 funcref))
          (func $a (type $f) (i32.const 11))
          (elem (table $t) (i32.const 0) func $a)
          (func (export "up") (result i32)
            (table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 2))
            (i32.add
              (i32.mul (i32.const 100) (call_indirect $t (type $f) (i32.const 2)))
              (call_indirect $t (type $f) (i32.const 3))))
          (func (export "down") (result i32)
            (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))
            (call_indirect $t (type $f) (i32.const 0))))
        """;
    assertTrue(!Bare.said(linked(mode, a, b), "up").equals("[1122]"));
    assertTrue(!Bare.said(linked(mode, a, b), "down").equals("[22]"));
    try (Ours ours = new Ours(mode)) {
      assertEquals("[1122]", Ours.said(ours.link(a, "b", b), "up"));
      assertEquals("[22]", Ours.said(ours.link(a, "b", b), "down"));
    }
  }
}
