package io.busbar.host;

import io.busbar.engine.Budget;
import io.busbar.engine.wasi.Output;
import io.busbar.engine.wasi.Stdio;
import io.busbar.engine.wasi.Wasi;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.Names;
import io.busbar.model.WasiSpec;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The bus's end of a WASI guest's stdin, stdout and stderr: its operations never wait, and are
 * answered while the guest runs.
 */
final class Streams {
  private final LiveInstance.Context node;
  private final WasiSpec spec;
  private final Limits limits;
  private final Stdio stdio;
  private final Optional<Publisher> publisher;

  /**
   * With the context on which its output is published, and to whom, and where what they hold is
   * reserved; fails with {@code LIMIT} where stdin does not fit.
   */
  Streams(
      Vertx vertx,
      Context context,
      LiveInstance.Context node,
      Publisher.Target output,
      WasiSpec spec,
      Limits limits,
      Budget budget) {
    this.node = node;
    this.spec = spec;
    this.limits = limits;
    int capacity = Math.toIntExact(limits.get(Limit.STREAM_BYTES));
    this.stdio = new Stdio(spec.stdin(), spec.stdinOpen(), capacity, budget);
    this.publisher =
        spec.publish()
            ? Optional.of(new Publisher(vertx, context, output, stdio))
            : Optional.empty();
  }

  /** What the guest is built with. */
  Wasi.Plan plan() {
    return new Wasi.Plan(spec, stdio, node.roots(), limits.get(Limit.FILE_BYTES));
  }

  Body handle(Ask ask) {
    return switch (ask.action()) {
      case "write-stdin" -> write(ask.body());
      case "close-stdin" -> close(ask.body());
      case "read-stdout" -> read(ask.body());
      default -> throw ask.unknownAction();
    };
  }

  private Body write(Body body) {
    byte[] bytes =
        body.has("text")
            ? body.string("text").getBytes(StandardCharsets.UTF_8)
            : body.bytes("bytes");
    stdio.stdin().write(bytes);
    return Body.of("written", bytes.length);
  }

  private Body close(Body body) {
    stdio.stdin().close();
    return Body.of("closed", true);
  }

  private Body read(Body body) {
    boolean text = Operations.isText(body);
    long most = body.has("max") ? body.whole("max") : node.operations().sliceBytes();
    int max = (int) Math.min(Integer.MAX_VALUE, Math.min(most, node.operations().sliceBytes()));
    Output stream = stream(body.optionalString("stream").orElse("stdout"));
    return answer(text ? stream.readText(max) : stream.read(max), text);
  }

  private Output stream(String name) {
    return switch (name) {
      case "stdout" -> stdio.stdout();
      case "stderr" -> stdio.stderr();
      default ->
          throw Failure.BAD_REQUEST.because(
              "`stream` must be `stdout` or `stderr`. Given `%s`.", Names.shown(name));
    };
  }

  private static Body answer(Output.Chunk chunk, boolean text) {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (text) {
      fields.put("text", new String(chunk.bytes(), StandardCharsets.UTF_8));
    } else {
      fields.put("bytes", chunk.bytes());
    }
    fields.put("more", chunk.more());
    fields.put("truncated", chunk.truncated());
    fields.put("closed", chunk.closed());
    return Body.of(fields);
  }

  /** Nothing runs any more: what is to be published and was not yet goes out. */
  void close() {
    publisher.ifPresent(Publisher::close);
  }
}
