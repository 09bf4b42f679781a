package io.busbar.engine;

import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import io.busbar.engine.wasi.Wasi;
import io.busbar.model.Exports;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.ModuleInfo;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One instance with its links: functions, globals, tables and memories, and what it keeps between
 * calls.
 *
 * <p>Touched by one thread at a time, which is interrupted to stop it: then the call fails with
 * {@code CANCELLED}, and the guest, like after any trap, answers the next one from the state it was
 * left in. Only {@link #exists}, {@link #info}, {@link #firstMemory}, {@link #pages}, {@link #fuel}
 * and {@link #fuelUsed} may be asked from other threads.
 */
public final class Guest implements Exports, AutoCloseable {
  /**
   * What to build.
   *
   * @param module the guest's own module
   * @param label what frames call it where it does not name itself
   * @param imports the functions it and its links may call
   * @param links the modules whose exports it and they may import
   * @param wasi what it sees of the world; none: imports of WASI are unknown like any others
   * @param budget where what it holds of the heap is reserved, until it is closed
   */
  public record Plan(
      CompiledModule module,
      String label,
      List<ImportSpec> imports,
      List<Link> links,
      Limits limits,
      Optional<Wasi.Plan> wasi,
      Budget budget) {
    /** A module alone, within the standard limits. */
    public static Plan of(CompiledModule module, String label) {
      return new Plan(
          module,
          label,
          List.of(),
          List.of(),
          Limits.STANDARD,
          Optional.empty(),
          Budget.unbounded());
    }

    /** A meter with the fuel of the limits; none for modules that are not metered. */
    private Optional<Meter> meter() {
      return module.isMetered() ? Optional.of(new Meter(limits.get(Limit.FUEL))) : Optional.empty();
    }

    public Plan withImports(List<ImportSpec> imports) {
      return new Plan(module, label, imports, links, limits, wasi, budget);
    }

    public Plan withLinks(List<Link> links) {
      return new Plan(module, label, imports, links, limits, wasi, budget);
    }

    public Plan withLimits(Limits limits) {
      return new Plan(module, label, imports, links, limits, wasi, budget);
    }

    public Plan withWasi(Wasi.Plan wasi) {
      return new Plan(module, label, imports, links, limits, Optional.of(wasi), budget);
    }

    public Plan withBudget(Budget budget) {
      return new Plan(module, label, imports, links, limits, wasi, budget);
    }
  }

  private static final Signature COMMAND = Signature.of(List.of(), List.of());

  private final List<Part> parts = new ArrayList<>(); // links first, the guest's own last
  private final Trace trace = new Trace(parts);
  private final FuncRefs refs = new FuncRefs();
  private final Tags tags = new Tags();
  private final Budget budget; // closed with it
  private final Frames frames;
  private final Optional<Wasi> wasi;
  private final Optional<Meter> meter;
  private final Entry entry;
  private Part own; // null while the links are built

  private Guest(Budget budget, Optional<Wasi> wasi, Optional<Meter> meter) {
    this.budget = budget;
    this.frames = new Frames(budget);
    this.wasi = wasi;
    this.meter = meter;
    this.entry = new Entry(parts, trace, frames, meter);
  }

  /** Not built yet, but with its world open; what is reserved is given back if that fails. */
  private static Guest open(Plan plan) {
    Budget budget = plan.budget().part();
    try {
      Optional<Wasi> wasi = plan.wasi().map(world -> Wasi.open(world, budget));
      return new Guest(budget, wasi, plan.meter());
    } catch (RuntimeException | Error e) {
      budget.close();
      throw e;
    }
  }

  /**
   * Builds an instance and runs its start section, never {@code _start} or {@code _initialize}.
   *
   * @param calls answers the imports
   * @throws WasmException {@code LINK}, {@code LIMIT}, or what the start section fails with
   */
  public static Guest start(Plan plan, HostCall calls) {
    Guest guest = open(plan);
    try {
      Linker linker = new Linker(guest, plan.imports(), guest.wasi, calls);
      Quotas quotas = new Quotas(plan.limits(), guest.budget);
      guest.entry.start(() -> guest.build(plan, linker, quotas));
    } catch (RuntimeException | Error e) {
      Thread.interrupted(); // it was for this start
      guest.close();
      throw Traps.starting(e, guest.trace);
    }
    return guest;
  }

  /**
   * Closes what it has open, and gives back what it has reserved, once nothing runs in it any more;
   * again does nothing.
   */
  @Override
  public void close() {
    try {
      wasi.ifPresent(Wasi::close);
    } finally {
      budget.close();
    }
  }

  /**
   * A file of its own, from an offset on; fails with {@code TOO_LARGE} if more than {@code most}
   * bytes are there.
   */
  public byte[] readFile(String path, long offset, int most) {
    return wasi.orElseThrow(
            () -> Failure.BAD_REQUEST.because("the instance has no files: its spec has no `wasi`"))
        .readFile(path, offset, most);
  }

  private void build(Plan plan, Linker linker, Quotas quotas) {
    for (Link link : Links.inOrder(plan.links())) {
      buildLink(link, linker, quotas);
    }
    Part part = new Part(plan.module(), plan.label(), refs);
    parts.add(part);
    own = part;
    build(part, linker, quotas);
  }

  private void buildLink(Link link, Linker linker, Quotas quotas) {
    Part part = new Part(link.module(), link.name(), refs);
    parts.add(part);
    try {
      build(part, linker, quotas);
    } catch (RuntimeException | Error e) {
      throw Links.failed(Traps.starting(e, trace));
    }
    linker.offer(link.name(), part);
  }

  private void build(Part part, Linker linker, Quotas quotas) {
    quotas.instance(part.module());
    part.build(linker.link(part), quotas, tags, trace, frames);
  }

  /** What went wrong in a call out of a callback, where it is told to somebody else. */
  public static WasmException failure(Throwable thrown) {
    return Traps.running(thrown, new Trace(List.of()));
  }

  /** What left a call in its middle; empty while each came to its end, by return or exit. */
  public Optional<WasmException> cutBy() {
    return entry.cutBy();
  }

  public ModuleInfo info() {
    return own.info();
  }

  /** Whether the next call runs compiled classes. */
  public boolean isCompiled() {
    return own.module().isCompiled();
  }

  /** The class that runs its functions now. */
  Class<?> machineClass() {
    return own.machine().currentClass();
  }

  private Part own() {
    if (own == null || own.instance() == null) {
      throw Failure.NO_SUCH_EXPORT.because("the instance is not built yet");
    }
    return own;
  }

  /** The part that an instance of the engine belongs to. */
  Part partOf(Instance instance) {
    for (Part part : parts) {
      if (part.instance() == instance) {
        return part;
      }
    }
    return own;
  }

  @Override
  public boolean exists(String function) {
    return own().module().export(function) instanceof ExternType.Function;
  }

  @Override
  public List<Object> call(String function, List<?> params) {
    Part part = own();
    Signature signature = part.functionType(function).signature();
    long[] slots = Values.lowerParams(signature.params(), params);
    long[] results = entry.run(part.function(function), slots);
    return results == Entry.EXITED ? List.of() : Values.liftResults(signature.results(), results);
  }

  @Override
  public byte[] invoke(String function, byte[] input, long most) {
    boolean command = own().functionType(function).signature().equals(COMMAND);
    return command && wasi.isPresent()
        ? runCommand(function, input, (int) most)
        : new Exchange(this, own(), function).run(input, most);
  }

  /** A WASI command: the input is all its stdin, and what it writes to stdout the output. */
  private byte[] runCommand(String function, byte[] input, int most) {
    return wasi.get()
        .stdio()
        .exchange(input, most, () -> call(function, List.of()))
        .orElseThrow(
            () ->
                Failure.TOO_LARGE.because(
                    "`%s` wrote more than the %d bytes that are taken", function, most));
  }

  @Override
  public Object global(String name) {
    Part part = own();
    return value(part.globalType(name), part.global(name));
  }

  private static Object value(ExternType.Global type, GlobalInstance cell) {
    long[] slots = {cell.getValueLow(), cell.getValueHigh()};
    return Values.lift(type.type(), slots, 0);
  }

  @Override
  public Object setGlobal(String name, Object value) {
    ExternType.Global type = own().globalType(name);
    long[] slots = Values.lowerGlobal(type.type(), value);
    if (!type.mutable()) {
      throw Failure.IMMUTABLE_GLOBAL.because(
          "Could not set global: immutable global cannot be set");
    }
    GlobalInstance cell = own.global(name);
    cell.setValueLow(slots[0]);
    cell.setValueHigh(slots[1]);
    return value(type, cell);
  }

  @Override
  public long fuel() {
    return meter("get").left();
  }

  @Override
  public void setFuel(long fuel) {
    meter("set").set(Limit.FUEL.check(fuel));
  }

  private Meter meter(String verb) {
    return meter.orElseThrow(
        () ->
            Failure.NO_FUEL.because(
                "Could not %s fuel: fuel is not configured in this store", verb));
  }

  /** Fails with {@code NO_FUEL} where nobody can say how much an operation may use. */
  public void checkMetered() {
    meter("set");
  }

  /** Whether it pays with fuel. */
  public boolean isMetered() {
    return meter.isPresent();
  }

  /** What all its operations together have used, its start included; 0 if it is not metered. */
  public long fuelUsed() {
    return meter.map(Meter::used).orElse(0L);
  }

  /** From now on it may use at most so much of its fuel. */
  public void allowFuel(long most) {
    entry.allow(most);
  }

  /** The name of the first exported memory; empty if there is none. */
  public Optional<String> firstMemory() {
    return own().firstMemory();
  }

  @Override
  public Optional<String> memoryName(String memory) {
    return Optional.of(own().memoryName(memory));
  }

  @Override
  public int pages(String memory) {
    return own().memory(memory).pages();
  }

  @Override
  public byte[] read(String memory, long offset, long length) {
    return read(own().memory(memory), offset, length);
  }

  static byte[] read(GuestMemory memory, long offset, long length) {
    checkBounds(memory, offset, length);
    return memory.readBytes((int) offset, (int) length);
  }

  @Override
  public void write(String memory, long offset, byte[] bytes) {
    write(own().memory(memory), offset, bytes);
  }

  static void write(GuestMemory memory, long offset, byte[] bytes) {
    checkBounds(memory, offset, bytes.length);
    memory.write((int) offset, bytes, 0, bytes.length);
  }

  private static void checkBounds(GuestMemory memory, long offset, long length) {
    long size = (long) memory.pages() * Memory.PAGE_SIZE;
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      throw Failure.OUT_OF_BOUNDS.because("out of bounds memory access");
    }
  }

  @Override
  public int grow(String memory, long pages) {
    return grow(own().memory(memory), pages);
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
