package io.busbar.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.model.Caller;
import io.busbar.model.HostFunction;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.programs.JavaScript;
import io.busbar.programs.WebJar;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Two real programs that Maven brings, as instances on the event bus: {@code mvn -q -Pdemo}.
 *
 * <p>The first is Rust, the parser of Mozilla's source-map; the second is C, the parser of HTTP in
 * Node. Both find things in a text that is written into their memory, and tell them to Java
 * functions. The demo checks what they tell, and ends with 1 if anything is wrong.
 */
public final class Demo {
  private static final WebJar SOURCE_MAP = new WebJar("source-map", "0.8.0-beta.0");
  private static final WebJar UNDICI = new WebJar("undici", "7.27.1");
  private static final int RESPONSE = 2;

  private final WasmHost host;
  private final List<String> told = Collections.synchronizedList(new ArrayList<>());
  private boolean right = true;

  private Demo(WasmHost host) {
    this.host = host;
  }

  /** Runs both programs on a node of its own, and ends. */
  public static void main(String[] args) {
    say("%nBusbar: real WebAssembly programs on the Vert.x event bus%n");
    Clock clock = new Clock();
    Vertx vertx = Vertx.vertx();
    boolean right;
    try {
      Demo demo = new Demo(WasmHost.start(vertx).await());
      say("Vert.x and a node on it: started in %d ms%n", clock.millis());
      right = demo.run();
    } finally {
      vertx.close().await();
    }
    if (!right) {
      System.exit(1);
    }
  }

  private boolean run() {
    sourceMap();
    llhttp();
    host.close().await();
    say(right ? "Both gave the right answers.%n" : "WRONG: see above.%n");
    return right;
  }

  private void sourceMap() {
    byte[] wasm =
        SOURCE_MAP.file(
            "lib/mappings.wasm",
            "be2dc7da3885e55013c8da58d7ba356705d932459db94ada37d5de2fa8733cfe");
    InstanceSpec spec =
        function(InstanceSpec.of("source-map"), "mapping_callback", 10, 0, this::mapping);
    InstanceRef sourceMap = start("source-map 0.8.0-beta.0 (Rust)", wasm, spec);

    Clock clock = new Clock();
    int text = write(sourceMap, "allocate_mappings", "AAAA;AACA");
    int mappings = i32(sourceMap, "parse_mappings", text);
    sourceMap.call("by_generated_location", mappings).await();
    check(
        "parse \"AAAA;AACA\"",
        clock,
        "line 1, column 0  <-  line 1, column 0 of source 0",
        "line 2, column 0  <-  line 2, column 0 of source 0");
  }

  /** Ten numbers: where in the generated file, and where in the source; lines count from 0. */
  private List<?> mapping(Caller caller, List<Object> at) {
    told.add(
        "line %d, column %d  <-  line %d, column %d of source %d"
            .formatted(
                (Integer) at.get(0) + 1, at.get(1), (Integer) at.get(6) + 1, at.get(7), at.get(5)));
    return List.of();
  }

  private void llhttp() {
    byte[] file =
        UNDICI.file(
            "lib/llhttp/llhttp-wasm.js",
            "344f7ae80c983694372d9234584a1261ef5492ab219d6e573e933f5d1c715b00");
    byte[] wasm = new JavaScript(file).moduleAfter("wasmBase64 = ");
    InstanceRef llhttp = start("llhttp of undici 7.27.1 (C)", wasm, httpCallbacks());

    Clock clock = new Clock();
    llhttp.call("_initialize").await();
    int parser = i32(llhttp, "llhttp_alloc", RESPONSE);
    String response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    int text = write(llhttp, "malloc", response);
    i32(llhttp, "llhttp_execute", parser, text, response.length());
    check(
        "parse \"HTTP/1.1 200 OK ...\"",
        clock,
        "message   OK",
        "header    Content-Length",
        "value     5",
        "status    200",
        "body      hello");
  }

  private InstanceSpec httpCallbacks() {
    HostFunction nothing = (caller, args) -> List.of(0);
    InstanceSpec spec = InstanceSpec.of("llhttp");
    spec = function(spec, "wasm_on_message_begin", 1, 1, nothing);
    spec = function(spec, "wasm_on_url", 3, 1, nothing);
    spec = function(spec, "wasm_on_status", 3, 1, text("message   "));
    spec = function(spec, "wasm_on_header_field", 3, 1, text("header    "));
    spec = function(spec, "wasm_on_header_value", 3, 1, text("value     "));
    spec = function(spec, "wasm_on_headers_complete", 4, 1, this::status);
    spec = function(spec, "wasm_on_body", 3, 1, text("body      "));
    return function(spec, "wasm_on_message_complete", 1, 1, nothing);
  }

  /** Tells the text that the parser found: an address in its memory, and a length. */
  private HostFunction text(String kind) {
    return (caller, args) -> {
      byte[] bytes = caller.read((Integer) args.get(1), (Integer) args.get(2));
      told.add(kind + new String(bytes, US_ASCII));
      return List.of(0);
    };
  }

  private List<?> status(Caller caller, List<Object> args) {
    told.add("status    " + args.get(1));
    return List.of(0);
  }

  /** Lets a Java function answer the guest's import {@code env.name}, which has i32s only. */
  private InstanceSpec function(
      InstanceSpec spec, String name, int params, int results, HostFunction answer) {
    String address = "demo." + name;
    host.function(address, answer);
    Signature signature = Signature.of(i32s(params), i32s(results));
    return spec.withImport("env", name, signature, address);
  }

  private static List<ValueType> i32s(int count) {
    return Collections.nCopies(count, ValueType.I32);
  }

  private InstanceRef start(String title, byte[] wasm, InstanceSpec spec) {
    Clock clock = new Clock();
    host.client().put(wasm, spec.module().toString()).await();
    long put = clock.millis();
    InstanceRef instance = host.client().start(spec).await();
    say("%s, %,d bytes", title, wasm.length);
    say("  put and compiled in %d ms, started in %d ms", put, clock.millis() - put);
    return instance;
  }

  private static int i32(InstanceRef instance, String function, Object... params) {
    return (Integer) instance.call(function, params).await().get(0);
  }

  /** Writes a text to where the guest's own function finds room; the address. */
  private static int write(InstanceRef instance, String allocator, String text) {
    int address = i32(instance, allocator, text.length());
    instance.memory().write(address, Buffer.buffer(text)).await();
    return address;
  }

  /** Prints what the guest told, and whether it is what it should be. */
  private void check(String what, Clock clock, String... expected) {
    long millis = clock.millis();
    say("  %s: %d ms", what, millis);
    told.forEach(line -> say("    %s", line));
    if (!told.equals(List.of(expected))) {
      right = false;
      say("  WRONG, it should be %s", List.of(expected));
    }
    told.clear();
    say("");
  }

  private static void say(String format, Object... args) {
    System.out.println(String.format(format, args));
  }

  /** Runs from when it is made. */
  private static final class Clock {
    private final long start = System.nanoTime();

    long millis() {
      return (System.nanoTime() - start) / 1_000_000;
    }
  }
}
