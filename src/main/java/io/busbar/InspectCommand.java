package io.busbar;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.model.ExternType;
import io.busbar.model.ModuleInfo;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code busbar inspect}: what a module file imports and exports. */
@Command(
    name = "inspect",
    description = "Prints a module's imports and exports with their types.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "As JSON.")
  private boolean json;

  @Parameters(paramLabel = "FILE", description = "wasm, or wasm text.")
  private Path file;

  @Override
  public Integer call() {
    byte[] wasm = ModuleFile.read(file);
    Compiler.Options options = Compiler.Options.STANDARD.withMode(Compiler.Mode.INTERPRETED);
    try (Compiler compiler = new Compiler(options)) {
      CompiledModule module = compiler.load(wasm);
      print(module.info());
    }
    return Exit.OK;
  }

  private void print(ModuleInfo info) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Body.of(Codec.fields(info)).toJson().encodePrettily());
      return;
    }
    String name = info.name().map(n -> " (" + n + ")").orElse("");
    out.printf("%s%s, %,d bytes%n", info.id(), name, info.size());
    info.imports().forEach(i -> row(out, "import", i.type(), i.module() + "." + i.name()));
    info.exports().forEach(e -> row(out, "export", e.type(), e.name()));
  }

  private static void row(PrintWriter out, String way, ExternType type, String name) {
    out.printf("%-6s  %-8s  %-32s  %s%n", way, type.kind(), name, text(type));
  }

  private static String text(ExternType type) {
    if (type instanceof ExternType.Function function) {
      return function.signature().toString();
    } else if (type instanceof ExternType.Global global) {
      return (global.mutable() ? "mut " : "") + global.type().text();
    } else if (type instanceof ExternType.Memory memory) {
      return range(memory.minimum(), memory.maximum())
          + " pages"
          + (memory.shared() ? " shared" : "");
    } else if (type instanceof ExternType.Table table) {
      return range(table.minimum(), table.maximum()) + " " + table.type().text();
    }
    return ((ExternType.Tag) type).signature().toString();
  }

  private static String range(long minimum, OptionalLong maximum) {
    return minimum + ".." + (maximum.isPresent() ? maximum.getAsLong() : "");
  }
}
