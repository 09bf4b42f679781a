package io.busbar;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.vertx.core.json.Json;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code busbar call}: runs one exported function of a module file, without a node. */
@Command(
    name = "call",
    description = "Runs an exported function once and prints its results, one a line.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Exit codes: 0 done, 2 usage, 3 no such function or wrong arguments, 4 invalid module or",
      "missing imports, 5 trap, 6 time or another limit, 7 a result that cannot leave, 1 other."
    })
final class CallCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--timeout",
      paramLabel = "MS",
      description = "Milliseconds it may take; 0 for ever. Default: ${DEFAULT-VALUE}.")
  private long timeout = 5000;

  @Option(
      names = "--machine",
      paramLabel = "KIND",
      description = "auto, compiled or interpreted. Default: ${DEFAULT-VALUE}.")
  private String machine = "compiled";

  @Parameters(index = "0", paramLabel = "FILE", description = "wasm, or wasm text.")
  private Path file;

  @Parameters(index = "1", paramLabel = "FUNCTION", description = "An exported function.")
  private String function;

  @Parameters(
      index = "2..*",
      paramLabel = "ARG",
      description = "Numbers; NaN, Infinity, -Infinity; 0x and 32 digits for a v128.")
  private List<String> args = List.of();

  @Override
  public Integer call() throws Exception {
    Compiler.Options options = Compiler.Options.STANDARD.withMode(mode());
    byte[] wasm = ModuleFile.read(file);
    try (Compiler compiler = new Compiler(options)) {
      CompiledModule module = compiler.load(wasm);
      for (Object result : run(module)) {
        spec.commandLine().getOut().println(text(result));
      }
    }
    return Exit.OK;
  }

  private Compiler.Mode mode() {
    if (timeout < 0) {
      throw new ParameterException(
          spec.commandLine(), "`--timeout` must be 0 or more, not " + timeout);
    }
    try {
      return Config.mode(machine);
    } catch (WasmException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
  }

  /** On a thread of the stack that guests have on a node. */
  private List<Object> run(CompiledModule module) throws Exception {
    CompletableFuture<List<Object>> results = new CompletableFuture<>();
    Runnable task = () -> complete(results, module);
    Thread thread = new Thread(null, task, "busbar-guest", Limit.STACK.standard() << 10);
    thread.setDaemon(true);
    thread.start();
    try {
      return results.get(timeout == 0 ? Long.MAX_VALUE : timeout, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw Failure.DEADLINE.because("deadline of %d ms exceeded (interrupted)", timeout);
    } catch (ExecutionException e) {
      throw (Exception) e.getCause();
    }
  }

  private void complete(CompletableFuture<List<Object>> results, CompiledModule module) {
    try {
      List<Object> params = args.stream().map(CallCommand::value).toList();
      Guest guest = Guest.start(Guest.Plan.of(module, label()), null);
      results.complete(guest.call(function, params));
    } catch (WasmException e) {
      results.completeExceptionally(e);
    } catch (Throwable e) {
      results.completeExceptionally(Failure.INTERNAL.because("internal error: %s", e));
    }
  }

  private String label() {
    return file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
  }

  /** A number as it is written; what is none stays text, which some types take. */
  private static Object value(String text) {
    if (text.matches("-?[0-9]{1,40}")) {
      return new BigInteger(text);
    }
    try {
      BigDecimal decimal = new BigDecimal(text);
      return Double.isInfinite(decimal.doubleValue()) ? decimal : (Object) decimal.doubleValue();
    } catch (NumberFormatException e) {
      return text;
    }
  }

  private static String text(Object result) {
    Object json = Body.of("r", result).toJson().getValue("r");
    return json instanceof String string ? string : Json.encode(json);
  }
}
