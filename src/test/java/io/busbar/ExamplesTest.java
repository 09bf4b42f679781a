package io.busbar;

import static io.busbar.model.ValueType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.client.WasmClient;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The README's Java, as it stands there. */
class ExamplesTest {
  private static final byte[] CALC =
      """
      (module $calc
        (memory (export "memory") 1)
        (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1))))
      """
          .getBytes(StandardCharsets.UTF_8);
  private static final byte[] ASKING =
      """
      (module
        (import "env" "sum3" (func $sum3 (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "go") (result i32)
          (call $sum3 (i32.const 1) (i32.const 2) (i32.const 3))))
      """
          .getBytes(StandardCharsets.UTF_8);

  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void close() {
    vertx.close().await();
  }

  @Test
  void moduleIsPut_startedAndCalled() {
    byte[] wasmOrText = CALC;
    var results =
        WasmHost.start(vertx)
            .compose(host -> host.client().put(wasmOrText, "calc:1.2").map(host.client()))
            .compose(client -> client.start(InstanceSpec.of("calc:1.2").withId("calc")))
            .compose(calc -> calc.call("sum", 50, -8))
            .await();
    assertEquals(List.of(42), results);
    var reply =
        vertx
            .eventBus()
            .<JsonObject>request(
                "wasm.instance.calc",
                new JsonObject()
                    .put("function", "sum")
                    .put("params", new JsonArray().add(50).add(-8)),
                new DeliveryOptions().addHeader("action", "call"))
            .await();
    assertEquals("{\"results\":[42]}", reply.body().encode());
  }

  @Test
  void importIsServed_orAnsweredByAFunction() {
    WasmHost host = WasmHost.start(vertx).await();
    WasmClient client = host.client();
    client.put(ASKING, "calc:1.2").await();
    Signature sum3 = Signature.of(List.of(I32, I32, I32), List.of(I32));
    client
        .serve(
            "my.sum3",
            sum3,
            (caller, args) ->
                caller
                    .memory()
                    .read(0, 5)
                    .map(
                        bytes ->
                            List.of((int) args.get(0) + (int) args.get(1) + (int) args.get(2))))
        .await();
    InstanceSpec spec = InstanceSpec.of("calc:1.2").withImport("env", "sum3", sum3, "my.sum3");
    assertEquals(List.of(6), client.start(spec).await().call("go").await());
    host.function(
        "my.sum3",
        (caller, args) -> List.of((int) args.get(0) + (int) args.get(1) - (int) args.get(2)));
    assertEquals(List.of(0), client.start(spec).await().call("go").await());
  }

  @Test
  void moduleIsLinked() {
    WasmClient client = WasmHost.start(vertx).await().client();
    client.put(CALC, "utils:1").await();
    String user =
        """
        (module
          (import "utils" "sum" (func $sum (param i32 i32) (result i32)))
          (func (export "three") (result i32) (call $sum (i32.const 1) (i32.const 2))))
        """;
    InstanceSpec spec = TestNode.inlineText(user);
    var guest = client.start(spec.withLink("utils", LinkSpec.of(ModuleRef.parse("utils:1"))));
    assertEquals(List.of(3), guest.await().call("three").await());
  }
}
