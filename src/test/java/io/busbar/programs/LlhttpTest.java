package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import io.busbar.model.Caller;
import io.busbar.model.HostFunction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** llhttp, the parser of HTTP in Node and undici: all it finds, it tells to eight callbacks. */
final class LlhttpTest {
  private static final NpmPackage UNDICI_5 = new NpmPackage("undici", "5.28.4");
  private static final WebJar UNDICI_7 = new WebJar("undici", "7.27.1");
  private static final int RESPONSE = 2;
  private static final List<String> HEARD =
      List.of(
          "begin",
          "status OK",
          "field Content-Length",
          "value 2",
          "headers 200, upgrade 0, keep-alive 1",
          "body hi",
          "complete");

  private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

  @EachMachine
  void undici5_response_isHeardPieceByPiece(Compiler.Mode mode) {
    byte[] wasm =
        UNDICI_5.file(
            "lib/llhttp/llhttp.wasm",
            "ee82b848a5ca8e9f99fda109e59bbc20193d049a7f6bff93f4130cba5b68261c");
    assertParses(mode, wasm, "3cccb410295cf02d2f0e6f06bf2f1712ee34f3aecf96018496bf5571e4c9988b");
  }

  @EachMachine
  void undici7_response_isHeardPieceByPiece(Compiler.Mode mode) {
    byte[] file =
        UNDICI_7.file(
            "lib/llhttp/llhttp-wasm.js",
            "344f7ae80c983694372d9234584a1261ef5492ab219d6e573e933f5d1c715b00");
    byte[] wasm = new JavaScript(file).moduleAfter("wasmBase64 = ");
    assertParses(mode, wasm, "8d60b93c5ba54dcbe7f480e7ab3cf8a96f2f8491abc7f7574716900cc8739ba3");
  }

  private void assertParses(Compiler.Mode mode, byte[] wasm, String memory) {
    byte[] response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".getBytes(US_ASCII);
    try (Node node = Node.start(mode)) {
      Program llhttp = node.start(wasm, callbacks());
      llhttp.call("_initialize");
      int parser = llhttp.i32("llhttp_alloc", RESPONSE);
      int input = llhttp.store("malloc", response);
      assertEquals(0, llhttp.i32("llhttp_execute", parser, input, response.length));
      assertEquals(HEARD, heard);
      assertEquals(memory, llhttp.memoryDigest());
    }
  }

  private Map<String, HostFunction> callbacks() {
    return Map.of(
        "env.wasm_on_message_begin", (caller, args) -> hear("begin"),
        "env.wasm_on_url", text("url"),
        "env.wasm_on_status", text("status"),
        "env.wasm_on_header_field", text("field"),
        "env.wasm_on_header_value", text("value"),
        "env.wasm_on_headers_complete", this::headers,
        "env.wasm_on_body", text("body"),
        "env.wasm_on_message_complete", (caller, args) -> hear("complete"));
  }

  private HostFunction text(String kind) {
    return (caller, args) -> {
      byte[] bytes = caller.read((Integer) args.get(1), (Integer) args.get(2));
      return hear(kind + " " + new String(bytes, US_ASCII));
    };
  }

  private List<?> headers(Caller caller, List<Object> args) {
    return hear(
        "headers %d, upgrade %d, keep-alive %d".formatted(args.get(1), args.get(2), args.get(3)));
  }

  private List<?> hear(String what) {
    heard.add(what);
    return List.of(0);
  }
}
