package io.busbar;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which node a command asks, how long it waits, and how it prints the answer. */
final class ApiOptions {
  /** A node that does not look for anything answers at once; one that does has this long. */
  static final Duration SHORT = Duration.ofSeconds(10);

  /** Instances are started elsewhere and stopped here. */
  static final Duration LONG = Duration.ofSeconds(120);

  /** Longer than this a node keeps no connection that is silent. */
  private static final Duration LONGEST = Duration.ofMinutes(5);

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--api",
      paramLabel = "URL",
      defaultValue = "${env:BUSBAR_API:-http://127.0.0.1:8080}",
      description = "HTTP of a node, or BUSBAR_API. Now: ${DEFAULT-VALUE}.")
  private String url;

  @Option(
      names = "--token-file",
      paramLabel = "F",
      description = "Holds the key or token that the node wants. Default: BUSBAR_TOKEN.")
  private Path tokenFile;

  @Option(names = "--json", description = "Prints the answer as it came.")
  private boolean json;

  @Option(
      names = "--timeout",
      paramLabel = "MS",
      description = "Milliseconds it may take. Default: 10000; 120000 for drain and move.")
  private Long timeout;

  /** The node; misuse where the options name none. */
  Api api(Duration standard) {
    try {
      return Api.at(url, timeout == null ? standard : checked(timeout), token());
    } catch (WasmException e) {
      throw misuse(e.getMessage());
    }
  }

  /** Never an argument itself: those can be read by everybody on the machine. */
  private Optional<String> token() {
    if (tokenFile == null) {
      return Optional.ofNullable(System.getenv("BUSBAR_TOKEN")).map(ApiOptions::checked);
    }
    try {
      return Optional.of(checked(Files.readString(tokenFile)));
    } catch (IOException e) {
      throw misuse("cannot read " + tokenFile + ": " + e);
    }
  }

  /** What can be in a header. */
  private static String checked(String token) {
    String stripped = token.strip();
    if (!stripped.matches("[!-~]+")) {
      throw Failure.BAD_REQUEST.because("the key or token is not one line of ASCII");
    }
    return stripped;
  }

  private Duration checked(long millis) {
    if (millis < 1 || millis > LONGEST.toMillis()) {
      throw misuse("`--timeout` must be 1 to " + LONGEST.toMillis() + ", not " + millis);
    }
    return Duration.ofMillis(millis);
  }

  private ParameterException misuse(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** An answer as JSON if that was asked for, else in this way; 0. */
  int print(Api.Answer answer, BiConsumer<Api.Answer, PrintWriter> view) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Printable.json(answer.text()));
    } else {
      view.accept(answer, out);
    }
    return Exit.OK;
  }
}
