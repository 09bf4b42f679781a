package io.busbar.engine;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import java.nio.charset.StandardCharsets;

/** The bare engine, as one would use it without this room. */
final class Bare {
  private Bare() {}

  static WasmModule module(String wat) {
    return Parser.parse(Compiler.toBinary(wat.getBytes(StandardCharsets.UTF_8)));
  }

  static Instance.Builder builder(Compiler.Mode mode, WasmModule module) {
    Instance.Builder builder = Instance.builder(module);
    return mode == Compiler.Mode.COMPILED
        ? builder.withMachineFactory(MachineFactoryCompiler.compile(module))
        : builder;
  }

  static Instance instance(Compiler.Mode mode, String wat) {
    return instance(mode, wat, ImportValues.empty());
  }

  static Instance instance(Compiler.Mode mode, String wat, ImportValues imports) {
    return builder(mode, module(wat)).withImportValues(imports).build();
  }
}
