package io.busbar.programs;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.Config;
import io.busbar.WasmHost;
import io.busbar.engine.Compiler;
import io.busbar.model.HostFunction;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasiSpec;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** A node in this JVM that runs programs on one kind of machine. */
final class Node implements AutoCloseable {
  private final Vertx vertx = Vertx.vertx();
  private final Compiler.Mode mode;
  private final WasmHost host;
  private int programs;

  private Node(Compiler.Options options, JsonObject settings) {
    mode = options.mode();
    host = await(WasmHost.start(vertx, Config.from(settings).withCompiler(options)));
  }

  private Node(Compiler.Options options) {
    this(options, new JsonObject());
  }

  static Node start(Compiler.Mode mode) {
    return new Node(Compiler.Options.STANDARD.withMode(mode));
  }

  /** A node that takes modules of any size and gives them minutes. */
  static Node startPatient(Compiler.Mode mode) {
    return new Node(
        Compiler.Options.STANDARD.withMode(mode),
        new JsonObject()
            .put("modules", new JsonObject().put("maxBytes", 64 << 20))
            .put("limits", new JsonObject().put("deadline", 600_000).put("memoryBytes", 1 << 30)));
  }

  /** A node whose guests are interpreted while they are being compiled. */
  static Node startSwitching() {
    return new Node(Compiler.Options.STANDARD.withInlineBytes(1));
  }

  /** The result, after at most as long as compiling and running a program may take here. */
  static <T> T await(Future<T> future) {
    try {
      return future.await(120, SECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("no answer within two minutes", e);
    }
  }

  Future<?> put(byte[] wasm) {
    return host.client().put(wasm);
  }

  Program start(byte[] wasm) {
    return start(wasm, Map.of());
  }

  /**
   * Starts a program.
   *
   * @param functions what answers its imports, by {@code module.name}; the others answer with zeros
   */
  Program start(byte[] wasm, Map<String, HostFunction> functions) {
    return start(InstanceSpec.of(await(host.client().put(wasm)).toString()), functions);
  }

  /** Starts a program with WASI; imports that are not WASI's answer with zeros. */
  Program start(byte[] wasm, WasiSpec wasi) {
    String module = await(host.client().put(wasm)).toString();
    return start(InstanceSpec.of(module).withWasi(wasi), Map.of());
  }

  private Program start(InstanceSpec asked, Map<String, HostFunction> functions) {
    InstanceSpec spec = asked.withId("program-" + programs++);
    for (JsonObject wanted : imports(spec.module().toString())) {
      boolean given = spec.wasi().isPresent() && wanted.getString("module").startsWith("wasi_");
      spec = given ? spec : withImport(spec, wanted, functions);
    }
    Program program = new Program(await(host.client().start(spec)));
    if (mode != Compiler.Mode.AUTO) {
      assertEquals(mode.name().toLowerCase(Locale.ROOT), program.machine());
    }
    return program;
  }

  private List<JsonObject> imports(String module) {
    JsonObject described = await(host.client().describeModule(module));
    return described.getJsonArray("imports").stream().map(JsonObject.class::cast).toList();
  }

  private InstanceSpec withImport(
      InstanceSpec spec, JsonObject wanted, Map<String, HostFunction> functions) {
    String from = wanted.getString("module");
    String name = wanted.getString("name");
    String path = from + "." + name;
    String address = spec.id().orElseThrow() + "." + path;
    Signature signature =
        Signature.of(types(wanted.getJsonArray("params")), types(wanted.getJsonArray("results")));
    List<Integer> zeros = signature.results().stream().map(type -> 0).toList();
    host.function(address, functions.getOrDefault(path, (caller, args) -> zeros));
    return spec.withImport(from, name, signature, address);
  }

  private static List<ValueType> types(JsonArray names) {
    return names.stream().map(name -> ValueType.parse((String) name)).toList();
  }

  @Override
  public void close() {
    await(host.close().eventually(vertx::close));
  }
}
