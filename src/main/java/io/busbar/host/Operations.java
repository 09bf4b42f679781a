package io.busbar.host;

import io.busbar.model.Exports;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The operations that touch a guest, read from their messages: everything that is wrong with a
 * message is told when it is read, everything else when the operation runs.
 *
 * @param sliceBytes the most bytes one read or write of memory, or one way of an {@code invoke},
 *     may move
 * @param callsAtOnce the most calls one {@code calls} may hold
 */
record Operations(long sliceBytes, int callsAtOnce) {
  private static final long PAGE = 65_536;

  /** An operation that was read, ready to run on what an instance exports. */
  @FunctionalInterface
  interface Operation {
    /**
     * Runs on the guest's thread, as part of this job.
     *
     * @param exports to be asked for before each call: what a failed one leaves may be replaced
     */
    Body on(Supplier<? extends Exports> exports, Job<?> job);
  }

  /** Reads the operation; fails with {@code BAD_REQUEST} and the like. */
  Operation read(Ask ask) {
    Body body = ask.body();
    return switch (ask.action()) {
      case "call" -> call(body);
      case "calls" -> calls(body);
      case "invoke" -> Invocation.read(body, sliceBytes);
      case "exists" -> exists(body);
      case "get-global" -> getGlobal(body);
      case "set-global" -> setGlobal(body);
      case "memory" -> memory(body);
      case "read-memory" -> readMemory(body);
      case "write-memory" -> writeMemory(body);
      case "grow-memory" -> growMemory(body);
      case "get-fuel" -> (exports, job) -> Body.of("fuel", exports.get().fuel());
      case "set-fuel" -> setFuel(body);
      default -> throw ask.unknownAction();
    };
  }

  private static Operation call(Body body) {
    String function = body.string("function");
    List<Object> params = params(body);
    return (exports, job) -> Body.of("results", exports.get().call(function, params));
  }

  private static List<Object> params(Body body) {
    try {
      return body.list("params");
    } catch (WasmException e) {
      throw Failure.BAD_REQUEST.because("could not load 'function params': %s", e.getMessage());
    }
  }

  /** Each call on its own: one that fails leaves the others, unless the time is over. */
  private Operation calls(Body body) {
    List<Object> calls = body.list("calls");
    if (calls.size() > callsAtOnce) {
      throw Failure.TOO_LARGE.because(
          "%d calls in one message; at most %d are taken", calls.size(), callsAtOnce);
    }
    return (exports, job) -> {
      List<Object> answers = new ArrayList<>(calls.size());
      for (Object call : calls) {
        answers.add(answer(exports, job, body, call).fields());
      }
      return Body.of("answers", answers);
    };
  }

  private static Body answer(
      Supplier<? extends Exports> exports, Job<?> job, Body body, Object call) {
    if (job.verdict() != null) {
      return Failures.body(job.never());
    }
    try {
      return call(body.item(call)).on(exports, job);
    } catch (RuntimeException e) {
      WasmException stopped = job.verdict();
      return Failures.body(stopped == null ? Failures.from(e) : stopped);
    }
  }

  private static Operation exists(Body body) {
    String function = body.string("function");
    return (exports, job) -> Body.of("exists", exports.get().exists(function));
  }

  private static Operation getGlobal(Body body) {
    String name = body.string("global");
    return (exports, job) -> Body.of("value", exports.get().global(name));
  }

  private static Operation setGlobal(Body body) {
    String name = body.string("global");
    Object value = body.value("value");
    return (exports, job) -> Body.of("value", exports.get().setGlobal(name, value));
  }

  private static String memoryName(Body body) {
    return body.optionalString("memory").orElse(null);
  }

  private static Operation setFuel(Body body) {
    long fuel = body.whole("fuel");
    return (exports, job) -> {
      exports.get().setFuel(fuel);
      return Body.of("fuel", fuel);
    };
  }

  private static Operation memory(Body body) {
    String memory = memoryName(body);
    return (exports, job) -> Body.of(memorySize(exports.get(), memory));
  }

  /** A memory's name and size; null names the first one exported. */
  static Map<String, Object> memorySize(Exports exports, String memory) {
    int pages = exports.pages(memory);
    Map<String, Object> size = new LinkedHashMap<>();
    exports.memoryName(memory).ifPresent(name -> size.put("memory", name));
    size.put("pages", pages);
    size.put("bytes", pages * PAGE);
    return size;
  }

  private Operation readMemory(Body body) {
    String memory = memoryName(body);
    long offset = body.whole("offset");
    long length = body.whole("length");
    boolean text = isText(body);
    return (exports, job) -> {
      byte[] bytes = read(exports.get(), memory, offset, length);
      return text ? Body.of("text", utf8(bytes, offset)) : Body.of("bytes", bytes);
    };
  }

  static boolean isText(Body body) {
    Optional<String> as = body.optionalString("as");
    as.filter(form -> !form.equals("utf8") && !form.equals("bytes"))
        .ifPresent(
            form -> {
              throw Failure.BAD_REQUEST.because(
                  "`as` must be `utf8` or `bytes`. Given `%s`.", Names.shown(form));
            });
    return as.filter("utf8"::equals).isPresent();
  }

  /** Bytes that are not there are missed before it is said that there are too many. */
  private byte[] read(Exports exports, String memory, long offset, long length) {
    long size = exports.pages(memory) * PAGE;
    if (offset <= size && length <= size - offset) {
      checkSlice(length);
    }
    return exports.read(memory, offset, length);
  }

  private void checkSlice(long length) {
    if (length > sliceBytes) {
      throw Failure.TOO_LARGE.because(
          "a slice of %d bytes; at most %d are moved at once", length, sliceBytes);
    }
  }

  private static String utf8(byte[] bytes, long offset) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw Failure.BAD_REQUEST.because(
          "the %d bytes from %d on are not valid UTF-8", bytes.length, offset);
    }
  }

  private Operation writeMemory(Body body) {
    String memory = memoryName(body);
    long offset = body.whole("offset");
    byte[] bytes =
        body.has("text")
            ? body.string("text").getBytes(StandardCharsets.UTF_8)
            : body.bytes("bytes");
    checkSlice(bytes.length);
    return (exports, job) -> {
      exports.get().write(memory, offset, bytes);
      return Body.of("written", bytes.length);
    };
  }

  private static Operation growMemory(Body body) {
    String memory = memoryName(body);
    long pages = body.whole("pages");
    return (exports, job) -> Body.of("previous", exports.get().grow(memory, pages));
  }
}
