package io.busbar.client;

import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** One memory of an instance: pages of 65,536 bytes, read and written in slices. */
public final class MemoryRef {
  private final ExportsRef instance;
  private final Optional<String> name;

  MemoryRef(ExportsRef instance, Optional<String> name) {
    this.instance = instance;
    this.name = name;
  }

  private Future<Body> ask(String action, Map<String, Object> fields) {
    return instance.askMemory(action, name, fields);
  }

  /** Its size in pages. */
  public Future<Long> pages() {
    return ask("memory", new LinkedHashMap<>()).map(body -> body.whole("pages"));
  }

  /** A copy of {@code length} bytes; fails with {@code OUT_OF_BOUNDS} beyond the end. */
  public Future<Buffer> read(long offset, long length) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("offset", offset);
    fields.put("length", length);
    return ask("read-memory", fields).map(body -> Buffer.buffer(body.bytes("bytes")));
  }

  /** Writes all bytes or none. */
  public Future<Void> write(long offset, Buffer bytes) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("offset", offset);
    fields.put("bytes", bytes.getBytes());
    return ask("write-memory", fields).mapEmpty();
  }

  /** Grows it; its previous size in pages, or {@code LIMIT}. */
  public Future<Long> grow(long pages) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("pages", pages);
    return ask("grow-memory", fields).map(body -> body.whole("previous"));
  }
}
