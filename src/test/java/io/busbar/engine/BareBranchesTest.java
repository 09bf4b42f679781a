package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the bare engine makes of branches out of a function that ends with a block. */
@Timeout(60)
class BareBranchesTest {
  private static final String TWO_RESULTS =
      """
      (module (func (export "f") (result i32 i32)
        (i32.const 1)
        (block (result i32) (br 1 (i32.const 2) (i32.const 3)))))
      """;

  /** Compiled, the value below the block is kept, and one of the branch's own is lost. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void branchOutOfTheLastBlock_carriesItsValues(Compiler.Mode mode) {
    assertEquals(
        mode == Compiler.Mode.COMPILED ? "[1, 3]" : "[2, 3]",
        Bare.said(Bare.instance(mode, TWO_RESULTS), "f"));
    try (Ours ours = new Ours(mode)) {
      assertEquals("[2, 3]", Ours.said(ours.start(TWO_RESULTS), "f"));
    }
  }

  /** A branch before the last block breaks the compiler: the whole module stays interpreted. */
  @Test
  void branchBeforeTheLastBlock_isCompiled() {
    String wat =
        """
        (module $named (memory (export "m") 1) (data (i32.const 3) "x")
          (func (export "f") (param i32) (result i32)
            (drop (br_if 0 (i32.const 7) (local.get 0)))
            (block (result i32) (i32.load8_u (i32.const 3)))))
        """;
    assertThrows(
        NullPointerException.class, () -> MachineFactoryCompiler.compile(Bare.module(wat)));
    try (Ours ours = new Ours(Compiler.Mode.COMPILED)) {
      Guest guest = ours.start(wat);
      assertTrue(guest.isCompiled());
      assertEquals(List.of(7), guest.call("f", List.of(1)));
      assertEquals(List.of((int) 'x'), guest.call("f", List.of(0)));
      assertEquals("named", guest.info().name().orElseThrow());
    }
  }
}
