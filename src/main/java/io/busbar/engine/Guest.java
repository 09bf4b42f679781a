package io.busbar.engine;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.runtime.TableInstance;
import com.dylibso.chicory.wasm.types.MemoryLimits;
import com.dylibso.chicory.wasm.types.Table;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import java.util.List;
import java.util.Optional;

/**
 * One instance: its functions, globals, tables and memories, and what it keeps between calls.
 *
 * <p>Touched by one thread at a time, which is interrupted to stop it: then the call fails with
 * {@code CANCELLED}, and the guest, like after any trap, answers the next one from the state it was
 * left in. Only {@link #exists}, {@link #info} and {@link #pages} may be asked from other threads.
 */
public final class Guest {
  private static final int PAGE = Memory.PAGE_SIZE;

  private final CompiledModule module;
  private final Limits limits;
  private final Trace trace;
  private Instance instance;
  private int tables;
  private int memories;
  private int depth; // calls from outside that are on the stack: callbacks call in again

  private Guest(CompiledModule module, String label, Limits limits) {
    this.module = module;
    this.limits = limits;
    this.trace = new Trace(module, label);
  }

  /**
   * Builds an instance and runs its start section, never {@code _start} or {@code _initialize}.
   *
   * @param label what frames call the module if it does not name itself
   * @param imports the functions it may call, answered by {@code calls}
   * @throws WasmException {@code LINK}, {@code LIMIT}, or what the start section fails with
   */
  public static Guest start(
      CompiledModule module,
      String label,
      List<ImportSpec> imports,
      HostCall calls,
      Limits limits) {
    Guest guest = new Guest(module, label, limits);
    try {
      guest.build(new Linker(guest, imports, calls));
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw Traps.starting(e, guest.trace);
    }
    return guest;
  }

  private void build(Linker linker) {
    instance =
        Instance.builder(module.wasm())
            .withImportValues(linker.link(module.info()))
            .withMachineFactory(made -> new GuestMachine(made, module, trace))
            .withMemoryFactory(this::memory)
            .withTableFactory(this::table)
            .withUnsafeExecutionListener(new InstructionWatch(module.vectorStores()))
            .withInitialize(false)
            .build();
    depth++; // the start section is a call, and its callbacks call in again
    instance.initialize(false);
    depth--;
  }

  private GuestMemory memory(MemoryLimits asked) {
    if (++memories > limits.get(Limit.MEMORIES)) {
      throw Failure.LIMIT.because("resource limit exceeded: memory count too high at %d", memories);
    }
    int quota = (int) Math.min(limits.get(Limit.MEMORY_BYTES) / PAGE, Memory.RUNTIME_MAX_PAGES);
    if (asked.initialPages() > quota) {
      throw Failure.LIMIT.because(
          "memory minimum size of %d pages exceeds memory limits", asked.initialPages());
    }
    int most = Math.min(asked.maximumPages(), quota);
    return new GuestMemory(new MemoryLimits(asked.initialPages(), most, asked.shared()));
  }

  private TableInstance table(Table asked, int initialValue) {
    if (++tables > limits.get(Limit.TABLES)) {
      throw Failure.LIMIT.because("resource limit exceeded: table count too high at %d", tables);
    }
    long quota = limits.get(Limit.TABLE_ELEMENTS);
    if (asked.limits().min() > quota) {
      throw Failure.LIMIT.because(
          "table minimum size of %d elements exceeds table limits", asked.limits().min());
    }
    return new GuestTable(asked, initialValue, quota);
  }

  public ModuleInfo info() {
    return module.info();
  }

  /** Whether the next call runs compiled classes. */
  public boolean isCompiled() {
    return module.isCompiled();
  }

  /** The class that runs its functions now. */
  Class<?> machineClass() {
    return ((GuestMachine) instance.getMachine()).currentClass();
  }

  /** Whether a function of this name is exported. */
  public boolean exists(String function) {
    return module.export(function) instanceof ExternType.Function;
  }

  /**
   * Calls an exported function.
   *
   * @param params see {@link Values} for what each type takes
   * @return Integer, Long, Float, Double, {@link io.busbar.model.V128} or null, in order
   * @throws WasmException {@code NO_SUCH_EXPORT}, {@code BAD_PARAMS}, in this order; or the trap
   */
  public List<Object> call(String function, List<?> params) {
    if (!(module.export(function) instanceof ExternType.Function type)) {
      throw Failure.NO_SUCH_EXPORT.because(
          "exported function `%s` not found", Names.shown(function));
    }
    long[] slots = Values.lowerParams(type.signature().params(), params);
    return Values.liftResults(type.signature().results(), run(instance.export(function), slots));
  }

  private long[] run(ExportFunction function, long[] slots) {
    GuestMachine machine = (GuestMachine) instance.getMachine();
    Machine outer = machine.enter(depth++ == 0);
    boolean failed = true;
    try {
      long[] results = function.apply(slots);
      failed = false;
      return results;
    } catch (Throwable e) {
      throw Traps.running(e, trace);
    } finally {
      machine.leave(outer, failed);
      if (--depth == 0 && failed) {
        trace.clear();
        Thread.interrupted(); // it was for this call, and would stop the next one
      }
    }
  }

  /** The value of an exported global; fails with {@code NO_SUCH_GLOBAL} or {@code BAD_RESULT}. */
  public Object global(String name) {
    ExternType.Global type = globalType(name);
    return value(type, instance.exports().global(name));
  }

  private ExternType.Global globalType(String name) {
    if (module.export(name) instanceof ExternType.Global type) {
      return type;
    }
    throw Failure.NO_SUCH_GLOBAL.because("exported global `%s` not found", Names.shown(name));
  }

  private static Object value(ExternType.Global type, GlobalInstance cell) {
    long[] slots = {cell.getValueLow(), cell.getValueHigh()};
    return Values.lift(type.type(), slots, 0);
  }

  /**
   * Sets an exported global and returns its new value.
   *
   * @throws WasmException {@code NO_SUCH_GLOBAL}, {@code BAD_PARAMS}, {@code IMMUTABLE_GLOBAL}, in
   *     this order
   */
  public Object setGlobal(String name, Object value) {
    ExternType.Global type = globalType(name);
    long[] slots = Values.lowerGlobal(type.type(), value);
    if (!type.mutable()) {
      throw Failure.IMMUTABLE_GLOBAL.because(
          "Could not set global: immutable global cannot be set");
    }
    GlobalInstance cell = instance.exports().global(name);
    cell.setValueLow(slots[0]);
    cell.setValueHigh(slots[1]);
    return value(type, cell);
  }

  /** The name of the first exported memory; empty if there is none. */
  public Optional<String> defaultMemoryName() {
    for (ModuleInfo.Export export : info().exports()) {
      if (export.type() instanceof ExternType.Memory) {
        return Optional.of(export.name());
      }
    }
    return Optional.empty();
  }

  /** The exported memory of this name, or the first one for null. */
  private GuestMemory memory(String name) {
    if (name == null) {
      GuestMemory first = defaultMemory();
      if (first == null) {
        throw Failure.NO_SUCH_MEMORY.because("The WebAssembly module has no exported memory.");
      }
      return first;
    }
    if (module.export(name) instanceof ExternType.Memory) {
      return (GuestMemory) instance.exports().memory(name);
    }
    throw Failure.NO_SUCH_MEMORY.because("exported memory `%s` not found", Names.shown(name));
  }

  /** The first exported memory; null if there is none. */
  GuestMemory defaultMemory() {
    return defaultMemoryName()
        .map(name -> (GuestMemory) instance.exports().memory(name))
        .orElse(null);
  }

  /** The size of a memory, in pages; null names the first one exported. */
  public int pages(String memory) {
    return memory(memory).pages();
  }

  /** A copy of {@code length} bytes; fails with {@code OUT_OF_BOUNDS} beyond the end. */
  public byte[] read(String memory, long offset, long length) {
    return read(memory(memory), offset, length);
  }

  static byte[] read(GuestMemory memory, long offset, long length) {
    checkBounds(memory, offset, length);
    return memory.readBytes((int) offset, (int) length);
  }

  /** Writes all bytes or, with {@code OUT_OF_BOUNDS}, none. */
  public void write(String memory, long offset, byte[] bytes) {
    write(memory(memory), offset, bytes);
  }

  static void write(GuestMemory memory, long offset, byte[] bytes) {
    checkBounds(memory, offset, bytes.length);
    memory.write((int) offset, bytes, 0, bytes.length);
  }

  /** Fails with {@code OUT_OF_BOUNDS} where these bytes are not all inside. */
  public void checkBounds(String memory, long offset, long length) {
    checkBounds(memory(memory), offset, length);
  }

  private static void checkBounds(GuestMemory memory, long offset, long length) {
    long size = (long) memory.pages() * PAGE;
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      throw Failure.OUT_OF_BOUNDS.because("out of bounds memory access");
    }
  }

  /** Grows a memory; returns its previous size in pages, or fails with {@code LIMIT}. */
  public int grow(String memory, long pages) {
    return grow(memory(memory), pages);
  }

  static int grow(GuestMemory memory, long pages) {
    int previous = pages > Integer.MAX_VALUE ? -1 : memory.grow((int) pages);
    if (previous < 0) {
      throw Failure.LIMIT.because(
          "Failed to grow the memory: failed to grow memory by `%d`.", pages);
    }
    return previous;
  }
}
