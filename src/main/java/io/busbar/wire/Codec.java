package io.busbar.wire;

import io.busbar.model.AfterTrap;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.Home;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleInfo;
import io.busbar.model.ModuleRef;
import io.busbar.model.Names;
import io.busbar.model.Signature;
import io.busbar.model.State;
import io.busbar.model.V128;
import io.busbar.model.ValueType;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The model as fields of a body, and back: the only place that knows those shapes. */
public final class Codec {
  private static final Set<String> SPEC_FIELDS =
      Set.of(
          "id",
          "module",
          "imports",
          "links",
          "wasi",
          "limits",
          "state",
          "afterTrap",
          "onOwnerLoss",
          "replicas",
          "placement",
          "address");

  private static final int MOST_NESTED = 16;

  private Codec() {}

  /** A spec as {@code start} takes it; fails with {@code BAD_REQUEST}, naming the field. */
  public static InstanceSpec spec(Body body) {
    only(body, "a spec", SPEC_FIELDS);
    return new InstanceSpec(
        body.optionalString("id"),
        moduleRef(body),
        imports(body.object("imports")),
        links(body.object("links"), 0),
        WasiCodec.spec(body),
        limits(body.object("limits")),
        body.optionalString("afterTrap").map(AfterTrap::parse).orElse(AfterTrap.KEEP),
        home(body),
        body.optionalBoolean("address"));
  }

  private static void only(Body body, String what, Set<String> known) {
    for (String field : body.fields().keySet()) {
      if (!known.contains(field)) {
        throw Failure.BAD_REQUEST.because("unknown field `%s` in %s", Names.shown(field), what);
      }
    }
  }

  private static Home home(Body body) {
    Body placement = body.object("placement");
    only(placement, "`placement`", Set.of("labels"));
    Body labels = placement.object("labels");
    Map<String, String> wanted = new LinkedHashMap<>();
    labels.fields().keySet().forEach(name -> wanted.put(name, labels.string(name)));
    return new Home(
        wanted,
        body.optionalString("state").map(State::parse).orElse(State.VOLATILE),
        staysDown(body),
        body.has("replicas") ? replicas(body.whole("replicas")) : 1);
  }

  private static boolean staysDown(Body body) {
    String word = body.optionalString("onOwnerLoss").orElse("fresh");
    if (!word.equals("fresh") && !word.equals("stop")) {
      throw Failure.BAD_REQUEST.because(
          "`onOwnerLoss` must be one of [fresh, stop]. Given `%s`.", Names.shown(word));
    }
    return word.equals("stop");
  }

  private static int replicas(long number) {
    if (number != (int) number) {
      throw Failure.BAD_REQUEST.because(
          "`replicas` must be 1 to %d, not %d", Home.MOST_REPLICAS, number);
    }
    return (int) number;
  }

  /** The field {@code module}: a reference, or {@code {"bytes":…}} or {@code {"wat":…}}. */
  private static ModuleRef moduleRef(Body body) {
    if (body.value("module") instanceof String ref) {
      return ModuleRef.parse(ref);
    }
    if (!body.has("module")) {
      throw Failure.BAD_REQUEST.because("`module` is missing");
    }
    Body inline = body.object("module");
    only(inline, "`module`", Set.of("bytes", "wat"));
    return new ModuleRef.Inline(moduleBytes(inline));
  }

  /** The fields {@code bytes} or {@code wat}: a module that is brought along. */
  public static byte[] moduleBytes(Body body) {
    return body.has("wat")
        ? body.string("wat").getBytes(StandardCharsets.UTF_8)
        : body.bytes("bytes");
  }

  private static List<ImportSpec> imports(Body modules) {
    List<ImportSpec> imports = new ArrayList<>();
    for (String module : modules.fields().keySet()) {
      Body functions = modules.object(module);
      for (String name : functions.fields().keySet()) {
        imports.add(importSpec(module, name, functions.object(name)));
      }
    }
    return imports;
  }

  private static ImportSpec importSpec(String module, String name, Body spec) {
    only(spec, "an import", Set.of("params", "results", "address", "timeout"));
    Optional<Duration> timeout =
        spec.has("timeout")
            ? Optional.of(Duration.ofMillis(spec.whole("timeout")))
            : Optional.empty();
    return new ImportSpec(module, name, signature(spec), spec.string("address"), timeout);
  }

  private static Map<String, LinkSpec> links(Body links, int depth) {
    if (depth > MOST_NESTED) {
      throw Failure.BAD_REQUEST.because("`links` nested deeper than %d", MOST_NESTED);
    }
    Map<String, LinkSpec> specs = new LinkedHashMap<>();
    for (String name : links.fields().keySet()) {
      Body link = links.object(name);
      only(link, "a link", Set.of("module", "links"));
      specs.put(name, new LinkSpec(moduleRef(link), links(link.object("links"), depth + 1)));
    }
    return specs;
  }

  private static Signature signature(Body spec) {
    return Signature.of(types(spec.list("params")), types(spec.list("results")));
  }

  private static List<ValueType> types(List<Object> names) {
    return names.stream().map(name -> ValueType.parse(String.valueOf(name))).toList();
  }

  private static Limits limits(Body asked) {
    Limits limits = Limits.NONE;
    for (String key : asked.fields().keySet()) {
      Optional<Limit> limit = Limit.of(key);
      if (limit.isEmpty()) {
        throw Failure.BAD_REQUEST.because("unknown limit `limits.%s`", Names.shown(key));
      }
      limits = asked.has(key) ? limits.with(limit.get(), asked.whole(key)) : limits;
    }
    return limits;
  }

  /** A spec as {@code start} takes it; what it leaves open is left out. */
  public static Body body(InstanceSpec spec) {
    Map<String, Object> fields = new LinkedHashMap<>();
    spec.id().ifPresent(id -> fields.put("id", id));
    fields.put("module", module(spec.module()));
    if (!spec.imports().isEmpty()) {
      fields.put("imports", imports(spec.imports()));
    }
    if (!spec.links().isEmpty()) {
      fields.put("links", links(spec.links()));
    }
    spec.wasi().ifPresent(wasi -> fields.put("wasi", WasiCodec.fields(wasi)));
    if (!spec.limits().values().isEmpty()) {
      fields.put("limits", fields(spec.limits()));
    }
    if (spec.afterTrap() != AfterTrap.KEEP) {
      fields.put("afterTrap", spec.afterTrap().text());
    }
    home(spec.home(), fields);
    spec.address().ifPresent(address -> fields.put("address", address));
    return Body.of(fields);
  }

  private static void home(Home home, Map<String, Object> fields) {
    if (home.state() != State.VOLATILE) {
      fields.put("state", home.state().text());
    }
    if (home.staysDown()) {
      fields.put("onOwnerLoss", "stop");
    }
    if (home.replicas() > 1) {
      fields.put("replicas", home.replicas());
    }
    if (!home.labels().isEmpty()) {
      fields.put("placement", Map.of("labels", home.labels()));
    }
  }

  /** What may be shown of a spec: all but the contents of files and stdin. */
  public static Map<String, Object> about(InstanceSpec spec) {
    Map<String, Object> fields = new LinkedHashMap<>(body(spec).fields());
    spec.wasi().ifPresent(wasi -> fields.put("wasi", WasiCodec.about(wasi)));
    fields.put("afterTrap", spec.afterTrap().text());
    return fields;
  }

  private static Object module(ModuleRef ref) {
    return ref instanceof ModuleRef.Inline inline
        ? Map.of("bytes", inline.bytes())
        : ref.toString();
  }

  private static Map<String, Object> links(Map<String, LinkSpec> links) {
    Map<String, Object> fields = new LinkedHashMap<>();
    links.forEach(
        (name, link) -> {
          Map<String, Object> spec = new LinkedHashMap<>();
          spec.put("module", module(link.module()));
          if (!link.links().isEmpty()) {
            spec.put("links", links(link.links()));
          }
          fields.put(name, spec);
        });
    return fields;
  }

  private static Map<String, Object> imports(List<ImportSpec> specs) {
    Map<String, Map<String, Object>> modules = new LinkedHashMap<>();
    for (ImportSpec spec : specs) {
      Map<String, Object> function = fields(spec.signature());
      function.put("address", spec.address());
      spec.timeout().ifPresent(timeout -> function.put("timeout", timeout.toMillis()));
      modules.computeIfAbsent(spec.module(), m -> new LinkedHashMap<>()).put(spec.name(), function);
    }
    return new LinkedHashMap<>(modules);
  }

  /** Limits by their keys, in the order of their declaration. */
  public static Map<String, Object> fields(Limits limits) {
    Map<String, Object> fields = new LinkedHashMap<>();
    limits.values().forEach((limit, value) -> fields.put(limit.key(), value));
    return fields;
  }

  private static Map<String, Object> fields(Signature signature) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("params", signature.params().stream().map(ValueType::text).toList());
    fields.put("results", signature.results().stream().map(ValueType::text).toList());
    return fields;
  }

  /** Values from JSON as Java values of these types; fails with {@code BAD_PARAMS}. */
  public static List<Object> values(List<ValueType> types, List<Object> values) {
    if (types.size() != values.size()) {
      throw Failure.BAD_PARAMS.because(
          "number of params does not match. expected %d, got %d", types.size(), values.size());
    }
    List<Object> typed = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      typed.add(value(types.get(i), values.get(i)));
    }
    return Collections.unmodifiableList(typed);
  }

  /** Only what {@link Body} writes needs to be read: our own host sends it. */
  private static Object value(ValueType type, Object value) {
    return switch (type) {
      case I32 -> ((Number) value).intValue();
      case I64 -> value instanceof String text ? Long.valueOf(text) : ((Number) value).longValue();
      case F32 ->
          value instanceof String text ? Float.valueOf(text) : ((Number) value).floatValue();
      case F64 ->
          value instanceof String text ? Double.valueOf(text) : ((Number) value).doubleValue();
      case V128 -> V128.of(new BigInteger(((String) value).substring(2), 16));
      default -> null;
    };
  }

  /** What a module says of itself. */
  public static Map<String, Object> fields(ModuleInfo info) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("module", info.id().toString());
    info.name().ifPresent(name -> fields.put("name", name));
    fields.put("size", info.size());
    fields.put("imports", imports(info));
    fields.put("exports", exports(info));
    return fields;
  }

  /** Each export with its type. */
  public static List<Map<String, Object>> exports(ModuleInfo info) {
    return info.exports().stream().map(Codec::fields).toList();
  }

  /** Each import with its type. */
  public static List<Map<String, Object>> imports(ModuleInfo info) {
    return info.imports().stream().map(Codec::fields).toList();
  }

  private static Map<String, Object> fields(ModuleInfo.Import wanted) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("module", wanted.module());
    fields.put("name", wanted.name());
    putType(fields, wanted.type());
    return fields;
  }

  private static Map<String, Object> fields(ModuleInfo.Export export) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", export.name());
    putType(fields, export.type());
    return fields;
  }

  private static void putType(Map<String, Object> fields, ExternType type) {
    fields.put("kind", type.kind());
    if (type instanceof ExternType.Function function) {
      fields.putAll(fields(function.signature()));
    } else if (type instanceof ExternType.Global global) {
      fields.put("type", global.type().text());
      fields.put("mutable", global.mutable());
    } else if (type instanceof ExternType.Memory memory) {
      fields.put("minimum", memory.minimum());
      memory.maximum().ifPresent(maximum -> fields.put("maximum", maximum));
      fields.put("shared", memory.shared());
    } else if (type instanceof ExternType.Table table) {
      fields.put("type", table.type().text());
      fields.put("minimum", table.minimum());
      table.maximum().ifPresent(maximum -> fields.put("maximum", maximum));
    } else if (type instanceof ExternType.Tag tag) {
      fields.putAll(fields(tag.signature()));
    }
  }
}
