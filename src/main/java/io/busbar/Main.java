package io.busbar;

import io.busbar.model.WasmException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line: {@code busbar call | inspect | serve | nodes | ps | drain | move}. */
@Command(
    name = "busbar",
    description = "WebAssembly modules on the Vert.x event bus.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      CallCommand.class,
      InspectCommand.class,
      ServeCommand.class,
      NodesCommand.class,
      PsCommand.class,
      DrainCommand.class,
      MoveCommand.class,
      KeyCommand.class
    })
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec;

  Main() {}

  /** The version in the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"busbar " + (version == null ? "(not packaged)" : version)};
    }
  }

  public static void main(String[] args) {
    PrintWriter out = new PrintWriter(System.out, true);
    PrintWriter err = new PrintWriter(System.err, true);
    System.exit(line(out, err).execute(args));
  }

  /** A command line that prints there; {@code execute} gives the exit code. */
  static CommandLine line(PrintWriter out, PrintWriter err) {
    CommandLine line =
        new CommandLine(new Main())
            .setOut(out)
            .setErr(err)
            .setExecutionExceptionHandler((e, failing, parsed) -> failed(e, failing))
            .setParameterExceptionHandler(Main::misused);
    // -8 after the function's name is an argument, not an option
    line.getSubcommands().get("call").setStopAtPositional(true);
    return line;
  }

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Exit.USAGE;
  }

  private static int failed(Exception e, CommandLine line) {
    line.getErr().println("busbar: " + oneLine(e));
    return e instanceof WasmException failure ? Exit.of(failure) : Exit.INTERNAL;
  }

  private static int misused(ParameterException e, String[] args) {
    CommandLine line = e.getCommandLine();
    line.getErr().println("busbar: " + oneLine(e) + " (see " + name(line) + " --help)");
    return Exit.USAGE;
  }

  private static String name(CommandLine line) {
    return line.getCommandSpec().qualifiedName();
  }

  private static String oneLine(Exception e) {
    return Printable.line(e.getMessage() == null ? e.toString() : e.getMessage());
  }
}
