package io.busbar.engine;

import com.dylibso.chicory.wasm.ChicoryException;

/** A guest has no fuel left; its stack trace tells where. */
final class OutOfFuelException extends ChicoryException {
  private static final long serialVersionUID = 1L;

  OutOfFuelException() {
    super("all fuel consumed by WebAssembly");
  }
}
