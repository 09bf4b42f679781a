package io.busbar.engine;

import static io.busbar.engine.admission.WasmWriter.empty;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.engine.admission.WasmWriter;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No module can name a function that it has only once it is metered. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class MarksTest {
  private static final int MARK = 1; // the first function behind that of the module itself

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

  /** One function, and a table of one element that it fills from the segment and calls. */
  private static byte[] calling(WasmWriter segment) {
    return WasmWriter.module()
        .section(1, 2, 0x60, 0, 0, 0x60, 1, 0x7F, 0)
        .section(3, 1, 0)
        .section(4, 1, 0x70, 0, 1)
        .section(7, 1, 1, 'f', 0, 0)
        .section(9, segment)
        .code(
            empty().bytes(0),
            empty()
                .bytes(0x41, 0, 0x41, 0, 0x41, 1, 0xFC, 12, 0, 0) // table.init
                .bytes(0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 0, 0x11, 1, 0, 0x0B))
        .toBytes();
  }

  private void isRefused(byte[] wasm, String why) {
    for (boolean metered : new boolean[] {false, true}) {
      WasmException refused = assertThrows(WasmException.class, () -> compiler.load(wasm, metered));
      assertSame(Failure.INVALID_MODULE, refused.failure());
      assertTrue(refused.getMessage().endsWith(why), refused::getMessage);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {MARK, MARK + 2, 1000})
  void passiveSegment_ofUnknownFunction_isRefused(int function) {
    isRefused(calling(empty().bytes(1, 1, 0, 1).u(function)), "unknown function " + function);
    WasmWriter expression = empty().bytes(1, 5, 0x70, 1, 0xD2).u(function).bytes(0x0B);
    isRefused(calling(expression), "unknown function " + function);
  }

  @Test
  void passiveSegment_ofNumbers_isRefused() {
    isRefused(calling(empty().bytes(1, 5, 0x70, 1, 0x41, MARK, 0x0B)), "type mismatch");
  }

  @Test
  void export_ofUnknownFunction_isRefused() {
    byte[] wasm =
        WasmWriter.module()
            .section(1, 1, 0x60, 0, 0)
            .section(3, 1, 0)
            .section(7, 1, 1, 'f', 0, MARK)
            .code(empty().bytes(0), empty().bytes(0x0B))
            .toBytes();
    isRefused(wasm, "");
  }
}
