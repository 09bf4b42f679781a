package io.busbar.client;

import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.Map;

/** The stdin, stdout and stderr of a WASI guest; they answer while it runs. */
public final class StdioRef {
  /**
   * What the guest wrote and nobody had read.
   *
   * @param more whether there is more to read now
   * @param truncated whether output was lost right after these bytes
   * @param closed whether the guest closed the stream, and this is its end
   */
  public record Output(Buffer bytes, boolean more, boolean truncated, boolean closed) {
    static Output of(Body body) {
      return new Output(
          Buffer.buffer(body.bytes("bytes")),
          body.optionalBoolean("more").orElseThrow(),
          body.optionalBoolean("truncated").orElseThrow(),
          body.optionalBoolean("closed").orElseThrow());
    }
  }

  private final InstanceRef instance;

  StdioRef(InstanceRef instance) {
    this.instance = instance;
  }

  /** Writes all bytes to stdin or none; fails with {@code OVERLOADED} where it is full. */
  public Future<Void> write(Buffer bytes) {
    return instance.ask("write-stdin", Body.of("bytes", bytes.getBytes())).mapEmpty();
  }

  /** After what was written the guest reads the end. */
  public Future<Void> closeStdin() {
    return instance.ask("close-stdin", Body.EMPTY).mapEmpty();
  }

  /** Takes what stdout holds, without waiting for anything. */
  public Future<Output> stdout() {
    return read("stdout");
  }

  /** Takes what stderr holds, without waiting for anything. */
  public Future<Output> stderr() {
    return read("stderr");
  }

  private Future<Output> read(String stream) {
    return instance.ask("read-stdout", Body.of("stream", stream)).map(Output::of);
  }

  /** A file below one of the guest's preopened directories, from an offset on. */
  public Future<Buffer> file(String path, long offset) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("path", path);
    fields.put("offset", offset);
    return instance
        .ask("read-file", Body.of(fields))
        .map(body -> Buffer.buffer(body.bytes("bytes")));
  }
}
