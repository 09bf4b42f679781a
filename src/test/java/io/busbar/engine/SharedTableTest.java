package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.Failing;
import io.busbar.model.Failure;
import io.busbar.spec.text.Assembler;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Functions in a table that several modules use: whose they are, and of which type. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class SharedTableTest {
  private static final String OWNER =
      """
      (module
        (type $n (func (result i32)))
        (table (export "t") 4 funcref)
        (elem (i32.const 0) $one $two)
        (func $one (result i32) (i32.const 1))
        (func $two (result i32) (i32.const 2))
        (func (export "call") (param i32) (result i32)
          (call_indirect (type $n) (local.get 0))))
      """;

  /** The same type has another number here, and the number of the owner's another type. */
  private static final String USER =
      """
      (module
        (type $none (func))
        (type $long (func (result i64)))
        (type $n (func (result i32)))
        (import "owner" "t" (table 4 funcref))
        (import "owner" "call" (func $owner (param i32) (result i32)))
        (elem (i32.const 2) $mine)
        (func $mine (type $n) (i32.const 33))
        (func (export "call") (param i32) (result i32)
          (call_indirect (type $n) (local.get 0)))
        (func (export "call_none") (param i32) (call_indirect (type $none) (local.get 0)))
        (func (export "call_long") (param i32) (result i64)
          (call_indirect (type $long) (local.get 0)))
        (func (export "owner") (param i32) (result i32) (call $owner (local.get 0)))
        (func (export "copy") (param i32 i32 i32)
          (table.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "fill") (param i32 i32)
          (table.fill 0 (local.get 0) (ref.null func) (local.get 1)))
        (elem $e func $mine $mine)
        (func (export "init") (param i32 i32 i32)
          (table.init $e (local.get 0) (local.get 1) (local.get 2))))
      """;

  @Parameter Compiler.Mode mode;

  private Compiler compiler;

  @BeforeEach
  void open() {
    compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
  }

  @AfterEach
  void close() {
    compiler.close();
  }

  private CompiledModule load(String text) {
    return compiler.load(Assembler.assemble(text.getBytes(StandardCharsets.UTF_8)));
  }

  private Guest start(String owner, String user) {
    List<Link> links = List.of(new Link("owner", load(owner), List.of()));
    return Guest.start(Guest.Plan.of(load(user), "user").withLinks(links), null);
  }

  @Test
  void functionOfAnotherModule_isCalledByItsType() {
    Guest user = start(OWNER, USER);
    assertEquals(List.of(1), user.call("call", List.of(0)));
    assertEquals(List.of(2), user.call("call", List.of(1)));
    assertEquals(List.of(33), user.call("call", List.of(2)));
    assertEquals(List.of(33), user.call("owner", List.of(2)));
    assertEquals(List.of(1), user.call("owner", List.of(0)));
  }

  @Test
  void functionOfAnotherModule_ofAnotherType_isAMismatch() {
    Guest user = start(OWNER, USER);
    for (String call : List.of("call_none", "call_long")) {
      for (int element = 0; element < 3; element++) {
        List<Integer> params = List.of(element);
        trap("indirect call type mismatch", () -> user.call(call, params));
      }
      trap("uninitialized element", () -> user.call(call, List.of(3)));
      trap("undefined element: out of bounds table access", () -> user.call(call, List.of(4)));
    }
  }

  private static void trap(String word, org.junit.jupiter.api.function.Executable code) {
    Failing.with(Failure.TRAP, "wasm trap: " + word, code);
  }

  @Test
  void copiedFunctions_stayThoseOfTheirModule() {
    Guest user = start(OWNER, USER);
    user.call("copy", List.of(1, 2, 1));
    assertEquals(List.of(33), user.call("call", List.of(1)));
    assertEquals(List.of(33), user.call("owner", List.of(1)));
    user.call("copy", List.of(3, 0, 1));
    assertEquals(List.of(1), user.call("call", List.of(3)));
    user.call("copy", List.of(0, 1, 3));
    assertEquals(List.of(33), user.call("owner", List.of(0)));
    assertEquals(List.of(33), user.call("owner", List.of(1)));
    assertEquals(List.of(1), user.call("owner", List.of(2)));
  }

  @Test
  void functionsATableStartsWith_areThoseOfItsModule() {
    String owner =
        """
        (module
          (type $n (func (result i32)))
          (table (export "t") 4 funcref (ref.func $one))
          (func $one (result i32) (i32.const 1))
          (func (export "call") (param i32) (result i32)
            (call_indirect (type $n) (local.get 0))))
        """;
    Guest user = start(owner, USER);
    assertEquals(List.of(1), user.call("call", List.of(3)));
    assertEquals(List.of(1), user.call("owner", List.of(3)));
  }

  @Test
  void functionsATableStartsWith_byAnImportedGlobal_areThoseOfItsModule() {
    String owner =
        "(module (func $f (result i32) (i32.const 5)) (global (export \"g\") funcref (ref.func $f)))";
    String user =
        """
        (module
          (type $none (func))
          (type $n (func (result i32)))
          (import "owner" "g" (global $g funcref))
          (table 2 funcref (global.get $g))
          (func $mine (result i32) (i32.const 6))
          (func (export "call") (param i32) (result i32)
            (call_indirect (type $n) (local.get 0))))
        """;
    assertEquals(List.of(5), start(owner, user).call("call", List.of(1)));
  }

  @Test
  void rangesBeyondTheNumbers_areOutOfBounds() {
    Guest user = start(OWNER, USER);
    int most = Integer.MAX_VALUE;
    for (List<Integer> range : List.of(List.of(most, 1), List.of(1, most), List.of(most, most))) {
      int at = range.get(0);
      int size = range.get(1);
      outOfBounds(() -> user.call("fill", range));
      outOfBounds(() -> user.call("init", List.of(at, 0, size)));
      outOfBounds(() -> user.call("init", List.of(0, at, size)));
      outOfBounds(() -> user.call("copy", List.of(at, 0, size)));
      outOfBounds(() -> user.call("copy", List.of(0, at, size)));
    }
    outOfBounds(() -> user.call("fill", List.of(3, 2)));
    outOfBounds(() -> user.call("init", List.of(-1, 0, 0)));
    outOfBounds(() -> user.call("fill", List.of(-1, 0)));
    outOfBounds(() -> user.call("copy", List.of(0, -1, 0)));
    assertEquals(List.of(1), user.call("call", List.of(0)), "nothing has been written");
    assertEquals(List.of(33), user.call("call", List.of(2)));
  }

  private static void outOfBounds(org.junit.jupiter.api.function.Executable code) {
    trap("undefined element: out of bounds table access", code);
  }
}
