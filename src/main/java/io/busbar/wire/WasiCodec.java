package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasiSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** The field {@code wasi} of a spec: {@code true} for all defaults, or an object. */
public final class WasiCodec {
  private static final Set<String> FIELDS =
      Set.of("args", "env", "preopens", "stdin", "stdinOpen", "publish");
  private static final Set<String> PREOPEN_FIELDS = Set.of("guest", "host", "files", "readOnly");

  private WasiCodec() {}

  static Optional<WasiSpec> spec(Body body) {
    Object value = body.value("wasi");
    if (value instanceof Boolean on) {
      return on ? Optional.of(WasiSpec.ISOLATED) : Optional.empty();
    }
    return value == null ? Optional.empty() : Optional.of(read(body.object("wasi")));
  }

  private static WasiSpec read(Body wasi) {
    known("wasi.", wasi, FIELDS);
    return new WasiSpec(
        strings("wasi.args", wasi.list("args")),
        env(wasi.object("env")),
        preopens(wasi),
        wasi.has("stdin") ? wasi.bytes("stdin") : new byte[0],
        wasi.optionalBoolean("stdinOpen").orElse(false),
        wasi.optionalBoolean("publish").orElse(false));
  }

  private static void known(String path, Body body, Set<String> fields) {
    for (String field : body.fields().keySet()) {
      if (!fields.contains(field)) {
        throw Failure.BAD_REQUEST.because("unknown field `%s%s`", path, Names.shown(field));
      }
    }
  }

  private static List<String> strings(String what, List<Object> values) {
    List<String> strings = new ArrayList<>();
    for (Object value : values) {
      if (!(value instanceof String text)) {
        throw Failure.BAD_REQUEST.because(
            "each of `%s` must be a string. Given `%s`.", what, Body.kind(value));
      }
      strings.add(text);
    }
    return strings;
  }

  private static Map<String, String> env(Body env) {
    Map<String, String> variables = new LinkedHashMap<>();
    env.fields().keySet().forEach(name -> variables.put(name, env.string(name)));
    return variables;
  }

  private static List<WasiSpec.Preopen> preopens(Body wasi) {
    return wasi.list("preopens").stream().map(item -> preopen(wasi.item(item))).toList();
  }

  private static WasiSpec.Preopen preopen(Body preopen) {
    known("wasi.preopens.", preopen, PREOPEN_FIELDS);
    Optional<String> host = preopen.optionalString("host");
    return new WasiSpec.Preopen(
        preopen.string("guest"),
        host,
        files(preopen.object("files")),
        preopen.optionalBoolean("readOnly").orElse(host.isPresent()));
  }

  private static Map<String, byte[]> files(Body files) {
    Map<String, byte[]> contents = new LinkedHashMap<>();
    files.fields().keySet().forEach(path -> contents.put(path, files.bytes(path)));
    return contents;
  }

  /** As {@code start} takes it; what is standard is left out. */
  static Map<String, Object> fields(WasiSpec wasi) {
    return fields(wasi, bytes -> bytes);
  }

  /** What may be shown of it: how long contents are, not what they say. */
  public static Map<String, Object> about(WasiSpec wasi) {
    return fields(wasi, bytes -> bytes.length);
  }

  private static Map<String, Object> fields(WasiSpec wasi, Function<byte[], Object> contents) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("args", wasi.args());
    fields.put("env", wasi.env());
    fields.put("preopens", wasi.preopens().stream().map(p -> fields(p, contents)).toList());
    fields.put("stdin", contents.apply(wasi.stdin()));
    fields.put("stdinOpen", wasi.stdinOpen());
    fields.put("publish", wasi.publish());
    fields.values().removeIf(WasiCodec::isStandard);
    return fields;
  }

  private static boolean isStandard(Object value) {
    return value.equals(List.of())
        || value.equals(Map.of())
        || value.equals(false)
        || value.equals(0)
        || value instanceof byte[] bytes && bytes.length == 0;
  }

  private static Map<String, Object> fields(
      WasiSpec.Preopen preopen, Function<byte[], Object> contents) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("guest", preopen.guest());
    preopen.host().ifPresent(host -> fields.put("host", host));
    if (preopen.host().isEmpty()) {
      Map<String, Object> files = new LinkedHashMap<>();
      preopen.files().forEach((path, bytes) -> files.put(path, contents.apply(bytes)));
      fields.put("files", files);
    }
    fields.put("readOnly", preopen.readOnly());
    return fields;
  }
}
