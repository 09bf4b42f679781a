package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.busbar.engine.admission.WasmWriter;
import io.busbar.model.WasmException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A reference is called as what it is, whatever the call says. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class CallRefTest {
  private static final int CALL_REF = 0x14;
  private static final int RETURN_CALL_REF = 0x15;

  @Parameter Compiler.Mode mode;

  /** Function 0 takes two i32; `run` calls it, in this way, as one of type 1: () -> (i32). */
  private static byte[] mistaking(int call) {
    return WasmWriter.module()
        .section(1, 2, 0x60, 2, 0x7F, 0x7F, 0, 0x60, 0, 1, 0x7F)
        .section(3, 2, 0, 1)
        .section(7, 1, 3, 'r', 'u', 'n', 0, 1)
        .section(9, 1, 3, 0, 1, 0)
        .section(10, 2, 2, 0, 0x0B, 6, 0, 0xD2, 0, call, 1, 0x0B)
        .toBytes();
  }

  @Test
  void reference_ofAnotherType_isNotCalled() {
    for (int call : new int[] {CALL_REF, RETURN_CALL_REF}) {
      try (Compiler compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode))) {
        Guest guest =
            Guest.start(Guest.Plan.of(compiler.load(mistaking(call)), "guest"), (s, c, a) -> null);
        WasmException trap = assertThrows(WasmException.class, () -> guest.call("run", List.of()));
        assertEquals("indirect call type mismatch", trap.trap(), trap::toString);
      }
    }
  }
}
