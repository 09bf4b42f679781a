package io.busbar.client;

import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Puts modules and starts instances, wherever they run; failures are {@code WasmException}s. */
public final class WasmClient {
  private final Bus bus;

  private WasmClient(Bus bus) {
    this.bus = bus;
  }

  /** A client that asks by this bus. */
  public static WasmClient of(Bus bus) {
    return new WasmClient(bus);
  }

  /** A client of the nodes whose addresses start with {@code wasm}. */
  public static WasmClient create(Vertx vertx) {
    return create(vertx, Addresses.STANDARD);
  }

  public static WasmClient create(Vertx vertx, Addresses addresses) {
    return of(new Bus(vertx, addresses));
  }

  Bus bus() {
    return bus;
  }

  /** Puts wasm or wasm text without a name. */
  public Future<ModuleId> put(byte[] wasmOrText) {
    return put(wasmOrText, Optional.empty());
  }

  /** Puts wasm or wasm text as {@code name} or {@code name:version}. */
  public Future<ModuleId> put(byte[] wasmOrText, String name) {
    return put(wasmOrText, Optional.of(name));
  }

  private Future<ModuleId> put(byte[] wasmOrText, Optional<String> name) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("bytes", wasmOrText.clone());
    name.ifPresent(text -> putName(fields, text));
    return modules("put", Body.of(fields)).map(body -> ModuleId.parse(body.string("module")));
  }

  private static void putName(Map<String, Object> fields, String text) {
    int colon = text.indexOf(':');
    fields.put("name", colon < 0 ? text : text.substring(0, colon));
    if (colon >= 0) {
      fields.put("version", text.substring(colon + 1));
    }
  }

  private Future<Body> modules(String action, Body body) {
    return bus.ask(bus.addresses().modules(), Bus.Question.of(action, body).patient());
  }

  /** The binary of a module: {@code sha256:<hex>}, {@code name} or {@code name:version}. */
  public Future<byte[]> get(String module) {
    return modules("get", Body.of("module", module)).map(body -> body.bytes("bytes"));
  }

  /** A module's name, size, imports and exports with types, tags and instances. */
  public Future<JsonObject> describeModule(String module) {
    return modules("describe", Body.of("module", module)).map(Body::toJson);
  }

  /** All modules: digest, size, tags, instances. */
  public Future<List<JsonObject>> modules() {
    return modules("list", Body.EMPTY).map(body -> objects(body, "modules"));
  }

  /** Gives a module one more name, {@code name} or {@code name:version}. */
  public Future<Void> tag(String module, String name) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("module", module);
    putName(fields, name);
    return modules("tag", Body.of(fields)).mapEmpty();
  }

  /** Takes a name away, and the module if it was the last one; a digest takes all away. */
  public Future<Void> remove(String module) {
    return modules("remove", Body.of("module", module)).mapEmpty();
  }

  /** Starts an instance; done when it can be called. */
  public Future<InstanceRef> start(InstanceSpec spec) {
    Bus.Question question = Bus.Question.of("start", Codec.body(copied(spec)));
    return bus.ask(bus.addresses().instances(), question.patient())
        .map(body -> instance(body.string("id")));
  }

  /** Inline bytes are the caller's, who may change them while the message is on its way. */
  private static InstanceSpec copied(InstanceSpec spec) {
    return spec.module() instanceof ModuleRef.Inline inline
        ? spec.withModule(new ModuleRef.Inline(inline.bytes().clone()))
        : spec;
  }

  /** The instance of this name, whether it exists or not. */
  public InstanceRef instance(String id) {
    return new InstanceRef(
        bus, id, Optional.empty(), OptionalLong.empty(), Optional.empty(), Optional.empty());
  }

  /**
   * Answers imports whose spec names this address, from any node; done when it can be reached.
   *
   * @param signature what the specs give for the import: it says how its params are to be read
   */
  public Future<ImportServer> serve(String address, Signature signature, ImportFunction function) {
    return ImportServer.open(bus, address, signature, function);
  }

  /** All instances: id, module, node, address. */
  public Future<List<JsonObject>> instances() {
    return bus.ask(bus.addresses().instances(), Bus.Question.of("list", Body.EMPTY))
        .map(body -> objects(body, "instances"));
  }

  /** All nodes: id, number of instances, start. */
  public Future<List<JsonObject>> nodes() {
    return bus.ask(bus.addresses().nodes(), Bus.Question.of("list", Body.EMPTY))
        .map(body -> objects(body, "nodes"));
  }

  private static List<JsonObject> objects(Body body, String key) {
    JsonArray array = body.toJson().getJsonArray(key);
    List<JsonObject> objects = new ArrayList<>(array.size());
    for (int i = 0; i < array.size(); i++) {
      objects.add(array.getJsonObject(i));
    }
    return objects;
  }
}
