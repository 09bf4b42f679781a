package io.busbar.engine;

import com.dylibso.chicory.runtime.ImportFunction;
import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionImport;
import com.dylibso.chicory.wasm.types.FunctionType;
import com.dylibso.chicory.wasm.types.ImportSection;
import com.dylibso.chicory.wasm.types.TypeSection;
import io.busbar.engine.FuncRefs.Function;

/**
 * Stands for the functions of other parts, of one type, that a part finds in its tables.
 *
 * <p>The engine looks up the type a caller wants, a number in the caller's module, in the module of
 * the function; so a part calls an instance of the caller's types, and that goes on from there.
 */
final class Bridge implements Machine {
  private final Part caller;
  private final FunctionType type;
  private final Instance instance;
  private Function target; // of the call that comes next

  /** For functions of a type of the caller's module. */
  Bridge(Part caller, int type) {
    TypeSection types = caller.types();
    this.caller = caller;
    this.type = types.getType(type);
    this.instance =
        Instance.builder(module(types, type))
            .withImportValues(ImportValues.builder().addFunction(unused()).build())
            .withMachineFactory(made -> this)
            .build();
  }

  private static WasmModule module(TypeSection types, int type) {
    ImportSection imports =
        ImportSection.builder().addImport(new FunctionImport("", "", type)).build();
    return WasmModule.builder().setTypeSection(types).setImportSection(imports).build();
  }

  private ImportFunction unused() {
    return new ImportFunction("", "", type, (instance, args) -> null);
  }

  Instance instance() {
    return instance;
  }

  /** Makes the next call go to this function; the number to call here. */
  int towards(Function function) {
    target = function;
    return 0;
  }

  @Override
  public long[] call(int function, long[] args) {
    Function called = target;
    Instance from = caller.instance();
    Instance to = called.home();
    long[] passed = caller.refs().pass(type.params(), caller.types(), args, from, to);
    long[] results = to.getMachine().call(called.number(), passed);
    return caller.refs().pass(type.returns(), caller.types(), results, to, from);
  }
}
