package io.busbar.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.busbar.Config;
import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.engine.admission.Admission;
import io.busbar.engine.admission.ModuleLimit;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.spec.Command.Action;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** A node in this JVM that scripts are played on, with the module {@code spectest} they expect. */
final class Stage implements AutoCloseable {
  static final String SPECTEST = "spectest";

  private static final Map<String, List<ValueType>> PRINTS =
      Map.of(
          "print", List.of(),
          "print_i32", List.of(ValueType.I32),
          "print_i64", List.of(ValueType.I64),
          "print_f32", List.of(ValueType.F32),
          "print_f64", List.of(ValueType.F64),
          "print_i32_f32", List.of(ValueType.I32, ValueType.F32),
          "print_f64_f64", List.of(ValueType.F64, ValueType.F64));

  private static final JsonObject SETTINGS =
      new JsonObject()
          .put(
              "limits",
              new JsonObject()
                  .put("instances", 1000)
                  .put("tables", 1000)
                  .put("memories", 1000)
                  .put("tableElements", 10_000_000));

  private final Vertx vertx = Vertx.vertx();
  private final WasmHost host;
  private final LinkSpec spectest;
  private final List<InstanceRef> started = new ArrayList<>();

  Stage(Compiler.Mode mode) {
    Admission.Options large =
        Admission.Options.STANDARD
            .with(ModuleLimit.TABLE_ELEMENTS, Integer.MAX_VALUE)
            .with(ModuleLimit.MEMORY_PAGES, Integer.MAX_VALUE);
    Compiler.Options options =
        Compiler.Options.STANDARD.withMode(mode).withIdleBytes(1 << 20).withAdmission(large);
    host = await(WasmHost.start(vertx, Config.from(SETTINGS).withCompiler(options)));
    PRINTS.keySet().forEach(name -> host.function(name, (caller, args) -> List.of()));
    spectest = LinkSpec.of(new ModuleRef.Digest(put(spectestText().getBytes(UTF_8))));
  }

  private static String spectestText() {
    StringBuilder text = new StringBuilder("(module ");
    PRINTS.forEach(
        (name, params) -> {
          text.append("(import \"host\" \"").append(name).append("\" (func $").append(name);
          params.forEach(type -> text.append(" (param ").append(type.text()).append(")"));
          text.append("))");
        });
    PRINTS
        .keySet()
        .forEach(name -> text.append(String.format("(export \"%s\" (func $%s))", name, name)));
    return text.append(
            """
            (global (export "global_i32") i32 (i32.const 666))
            (global (export "global_i64") i64 (i64.const 666))
            (global (export "global_f32") f32 (f32.const 666.6))
            (global (export "global_f64") f64 (f64.const 666.6))
            (table (export "table") 10 20 funcref)
            (memory (export "memory") 1 2))
            """)
        .toString();
  }

  static <T> T await(Future<T> future) {
    try {
      return future.await(120, SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("no answer within two minutes", e);
    }
  }

  ModuleId put(byte[] wasmOrText) {
    return await(host.client().put(wasmOrText));
  }

  JsonObject describe(ModuleId module) {
    return await(host.client().describeModule(module.toString()));
  }

  /** Starts an instance that may also import from {@link #SPECTEST}. */
  InstanceRef start(InstanceSpec asked) {
    InstanceSpec spec = asked.withLinks(Map.of()).withLink(SPECTEST, spectest).withAddress(false);
    for (Map.Entry<String, LinkSpec> link : asked.links().entrySet()) {
      spec = spec.withLink(link.getKey(), link.getValue());
    }
    for (Map.Entry<String, List<ValueType>> print : PRINTS.entrySet()) {
      Signature signature = Signature.of(print.getValue(), List.of());
      spec = spec.withImport("host", print.getKey(), signature, print.getKey());
    }
    InstanceRef instance = await(host.client().start(spec)).withTimeout(Duration.ZERO);
    started.add(instance);
    return instance;
  }

  /** Calls a function, or gets a global, under this name. */
  static List<Object> act(InstanceRef instance, String export, Action action) {
    if (action instanceof Command.Invoke invoke) {
      List<Object> args = new ArrayList<>();
      invoke.args().forEach(arg -> args.add(value(arg)));
      return await(instance.call(export, args));
    }
    return Arrays.asList(await(instance.global(export)));
  }

  private static Object value(Constant constant) {
    return constant instanceof Constant.Exact exact ? exact.value() : null;
  }

  /** Stops the instances of a script that is over. */
  void clear() {
    started.forEach(instance -> await(instance.stop()));
    started.clear();
  }

  @Override
  public void close() {
    await(host.close().eventually(vertx::close));
  }
}
