package io.busbar.engine;

import com.dylibso.chicory.compiler.MachineFactoryCompiler;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

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

  /** What a call gives as numbers, or the class and text of what it throws. */
  static String said(Instance instance, String function, long... params) {
    try {
      long[] results = instance.export(function).apply(params);
      return results == null ? "[]" : Arrays.toString(results);
    } catch (RuntimeException e) {
      return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
  }

  /** A private field, where the engine has no other way to show what it keeps. */
  static Object field(Object object, Class<?> declaring, String name) {
    try {
      Field field = declaring.getDeclaredField(name);
      field.setAccessible(true);
      return field.get(object);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  static Instance instance(Compiler.Mode mode, String wat, ImportValues imports) {
    return builder(mode, module(wat)).withImportValues(imports).build();
  }
}
