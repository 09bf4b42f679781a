package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import org.junit.jupiter.api.function.Executable;

/** Assertions on how things fail. */
public final class Failing {
  private Failing() {}

  /** It fails with one of our failures. */
  public static WasmException any(Executable code) {
    return assertThrows(WasmException.class, code);
  }

  /** It fails so; what it said can be looked at further. */
  public static WasmException with(Failure failure, Executable code) {
    WasmException thrown = any(code);
    assertEquals(failure, thrown.failure(), thrown::getMessage);
    return thrown;
  }

  /** It fails so, with exactly this text. */
  public static WasmException with(Failure failure, String text, Executable code) {
    WasmException thrown = with(failure, code);
    assertEquals(text, thrown.getMessage());
    return thrown;
  }
}
