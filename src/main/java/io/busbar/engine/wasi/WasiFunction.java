package io.busbar.engine.wasi;

import com.dylibso.chicory.runtime.WasmFunctionHandle;
import io.busbar.model.Signature;

/** A function of WASI, as a guest imports it. */
public record WasiFunction(Signature signature, WasmFunctionHandle handle) {}
