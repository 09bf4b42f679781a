package io.busbar.engine;

import com.dylibso.chicory.wasm.Parser;
import com.dylibso.chicory.wasm.WasmModule;
import io.busbar.engine.admission.Admission;
import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.WasmException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/**
 * Bytes to modules: each digest is parsed and compiled once, whoever asks.
 *
 * <p>What {@link Admission} lets through is parsed on threads of low priority. Small modules are
 * compiled before {@link #load} returns; large ones in the background, on one such thread, while
 * their guests are interpreted. A module stays in memory while it is in use, and afterwards as long
 * as the idle ones together stay below a bound; when it goes, so do its classes. Safe for use by
 * many threads.
 */
public final class Compiler implements AutoCloseable {
  /** Which machine runs guests. */
  public enum Mode {
    /** Compiled, but interpreted while a large module compiles, or where it cannot be. */
    AUTO,
    /** Compiled before the first call; interpreted only what cannot be compiled. */
    COMPILED,
    /** Always interpreted. */
    INTERPRETED
  }

  /**
   * How to compile.
   *
   * @param mode which machine runs guests
   * @param inlineBytes modules up to this size are compiled before their first call
   * @param idleBytes modules without a guest that are kept, by the memory they took to parse
   * @param parseBytes memory for all modules that are parsed at a time, by estimate
   * @param parseQueue how many modules may wait to be parsed, small ones and large ones each
   * @param admission what a module may declare
   */
  public record Options(
      Mode mode,
      int inlineBytes,
      long idleBytes,
      long parseBytes,
      int parseQueue,
      Admission.Options admission) {
    public static final Options STANDARD =
        new Options(Mode.AUTO, 64 << 10, 256L << 20, 1L << 30, 64, Admission.Options.STANDARD);

    public Options withMode(Mode mode) {
      return new Options(mode, inlineBytes, idleBytes, parseBytes, parseQueue, admission);
    }

    public Options withInlineBytes(int inlineBytes) {
      return new Options(mode, inlineBytes, idleBytes, parseBytes, parseQueue, admission);
    }

    public Options withIdleBytes(long idleBytes) {
      return new Options(mode, inlineBytes, idleBytes, parseBytes, parseQueue, admission);
    }

    public Options withParsing(long parseBytes, int parseQueue) {
      return new Options(mode, inlineBytes, idleBytes, parseBytes, parseQueue, admission);
    }

    public Options withAdmission(Admission.Options admission) {
      return new Options(mode, inlineBytes, idleBytes, parseBytes, parseQueue, admission);
    }
  }

  private static final System.Logger LOG = System.getLogger(Compiler.class.getName());

  /** A metered module is parsed twice, the second time with the code that pays. */
  private static final int METERED_HEAP = 3;

  private final Options options;
  private final Map<Variant, Held> held = new HashMap<>(); // guarded by itself
  private final Map<Variant, Held> idle = new LinkedHashMap<>(); // eldest first; guarded by held
  private final ExecutorService background = Executors.newSingleThreadExecutor(Compiler::thread);
  private final Admission admission;
  private final Workshop workshop;

  public Compiler(Options options) {
    this.options = options;
    this.admission = new Admission(options.admission);
    this.workshop = new Workshop(options.parseBytes, options.parseQueue);
  }

  /** A module as it is, or metered: two modules to the engine. */
  private record Variant(ModuleId id, boolean metered) {
    static Variant of(CompiledModule module) {
      return new Variant(module.id(), module.isMetered());
    }
  }

  /** A module in memory: how many use it, and whether it is to go when nobody does. */
  private static final class Held {
    final CompletableFuture<CompiledModule> module = new CompletableFuture<>();
    long heap; // what it takes, estimated; set before anybody has the module
    int users; // guarded by held
    boolean forgotten; // guarded by held
  }

  static Thread thread(Runnable task) {
    Thread thread = new Thread(null, task, "busbar-compiler", 16L << 20);
    thread.setDaemon(true);
    thread.setPriority(Thread.MIN_PRIORITY);
    return thread;
  }

  /**
   * The binary of a module that may be wasm or wasm text; text is {@code INVALID_MODULE} if bad.
   */
  public static byte[] toBinary(byte[] wasmOrText) {
    if (wasmOrText.length == 0) {
      throw Failure.INVALID_MODULE.because("Error while parsing bytes: the module is empty");
    }
    return WasmText.isText(wasmOrText) ? WasmText.toBinary(wasmOrText) : wasmOrText;
  }

  /**
   * The same, made on a thread of the compiler's where it is text; the result fails as that of
   * {@link #loading}.
   */
  public CompletableFuture<byte[]> binary(byte[] wasmOrText) {
    return WasmText.isText(wasmOrText)
        ? workshop.submit(WasmText.heap(wasmOrText), () -> toBinary(wasmOrText))
        : CompletableFuture.completedFuture(toBinary(wasmOrText));
  }

  /** Waits for {@link #loading}; may take seconds, and fails as it does. */
  public CompiledModule load(byte[] wasm) {
    return load(wasm, false);
  }

  /** The same, as guests need it that pay with fuel, or as others do. */
  public CompiledModule load(byte[] wasm, boolean metered) {
    try {
      return loading(wasm, metered).join();
    } catch (CompletionException e) {
      throw (WasmException) e.getCause();
    }
  }

  /**
   * The module of this binary, parsed and validated now if nobody has it; the caller is its user
   * until {@link #release}. Looks through the bytes before it returns. The result fails with {@code
   * INVALID_MODULE}, {@code TOO_LARGE}, {@code OVERLOADED} or {@code UNAVAILABLE}.
   */
  public CompletableFuture<CompiledModule> loading(byte[] wasm, boolean metered) {
    Variant variant = new Variant(ModuleId.of(wasm), metered);
    Held mine = new Held();
    Held shared;
    synchronized (held) {
      shared = held.computeIfAbsent(variant, key -> mine);
      shared.users++;
      shared.forgotten = false;
      idle.remove(variant);
    }
    if (shared == mine) {
      parse(variant, wasm, mine);
    }
    return shared.module;
  }

  private void parse(Variant variant, byte[] wasm, Held mine) {
    try {
      Admission.Admitted admitted = admission.admit(wasm);
      long heap = variant.metered ? METERED_HEAP * admitted.heap() : admitted.heap();
      mine.heap = heap;
      workshop
          .submit(heap, () -> parse(variant, admitted.wasm(), wasm.length))
          .whenComplete((module, e) -> parsed(variant, mine, module, e));
    } catch (RuntimeException | Error e) {
      parsed(variant, mine, null, Traps.parsing(e));
    }
  }

  private CompiledModule parse(Variant variant, byte[] wasm, int size) {
    WasmModule parsed = parse(wasm);
    Validity.check(parsed);
    CompiledModule module =
        new CompiledModule(
            Types.describe(variant.id, size, parsed),
            variant.metered ? parse(Metering.rewrite(wasm, parsed)) : parsed,
            variant.metered);
    compileNowOrLater(module, size);
    return module;
  }

  private static WasmModule parse(byte[] wasm) {
    return FunctionEnds.mend(Parser.parse(wasm));
  }

  private void parsed(Variant variant, Held mine, CompiledModule module, Throwable failure) {
    if (failure == null) {
      mine.module.complete(module);
      return;
    }
    synchronized (held) {
      held.remove(variant, mine);
    }
    mine.module.completeExceptionally(failure);
  }

  private void compileNowOrLater(CompiledModule module, int size) {
    if (options.mode == Mode.INTERPRETED || TailCalls.areIn(module.wasm())) {
      return;
    }
    if (options.mode == Mode.COMPILED || size <= options.inlineBytes) {
      compile(module);
      return;
    }
    try {
      background.execute(() -> compileIfHeld(module));
    } catch (RejectedExecutionException e) {
      LOG.log(System.Logger.Level.DEBUG, "closing: {0} stays interpreted", module.id());
    }
  }

  private void compileIfHeld(CompiledModule module) {
    boolean wanted;
    synchronized (held) {
      wanted = held.containsKey(Variant.of(module));
    }
    if (wanted) {
      compile(module);
    }
  }

  /** Leaves the module interpreted where its classes cannot be made. */
  private static void compile(CompiledModule module) {
    long start = System.nanoTime();
    try {
      module.compiled(GuestClasses.compile(module));
      long millis = (System.nanoTime() - start) / 1_000_000;
      LOG.log(System.Logger.Level.DEBUG, "compiled {0} in {1} ms", module.id(), millis);
    } catch (RuntimeException | LinkageError | StackOverflowError | OutOfMemoryError e) {
      LOG.log(System.Logger.Level.DEBUG, "{0} stays interpreted: {1}", module.id(), e.toString());
    }
  }

  /** One user of the module less; each {@link #load} is followed by one of these. */
  public void release(CompiledModule module) {
    synchronized (held) {
      Variant variant = Variant.of(module);
      Held shared = held.get(variant);
      if (shared == null || --shared.users > 0) {
        return;
      }
      if (shared.forgotten) {
        held.remove(variant);
      } else {
        idle.put(variant, shared);
        dropEldest();
      }
    }
  }

  private void dropEldest() {
    long bytes = idle.values().stream().mapToLong(h -> h.heap).sum();
    var eldest = idle.entrySet().iterator();
    while (bytes > options.idleBytes && eldest.hasNext()) {
      Map.Entry<Variant, Held> next = eldest.next();
      bytes -= next.getValue().heap;
      held.remove(next.getKey());
      eldest.remove();
    }
  }

  /** Lets go of a module now, or as soon as nobody uses it. */
  public void forget(ModuleId id) {
    synchronized (held) {
      forget(new Variant(id, false));
      forget(new Variant(id, true));
    }
  }

  private void forget(Variant variant) {
    Held shared = held.get(variant);
    if (idle.remove(variant) != null) {
      held.remove(variant);
    } else if (shared != null) {
      shared.forgotten = true;
    }
  }

  /** How many modules are in memory. */
  public int size() {
    synchronized (held) {
      return held.size();
    }
  }

  @Override
  public void close() {
    workshop.close();
    background.shutdownNow();
  }
}
