package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.WasmHost;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.model.Failure;
import io.busbar.model.Signature;
import io.busbar.model.V128;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.test.fakecluster.FakeClusterManager;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A guest on one node, and everybody else on another: what crosses the wire between them. */
class TwoNodesTest {
  private Vertx here;
  private Vertx there;
  private WasmHost host;
  private WasmClient client;

  @BeforeEach
  void start() {
    FakeClusterManager.reset();
    here = clustered();
    there = clustered();
    host = WasmHost.start(here).await();
    client = WasmClient.create(there);
  }

  private static Vertx clustered() {
    VertxOptions options = new VertxOptions();
    options.getEventBusOptions().setHost("127.0.0.1");
    return Vertx.builder()
        .with(options)
        .withClusterManager(new FakeClusterManager())
        .buildClustered()
        .await();
  }

  @AfterEach
  void stop() {
    host.close().eventually(here::close).eventually(there::close).await();
  }

  @Test
  void calls_keepTheirTypesOverTheWire() {
    InstanceRef vectors = client.start(TestNode.inline("vectors")).await();
    assertEquals(
        List.of(9L, new V128(1, 2), 7), vectors.call("mixed", 7, new V128(1, 2), 9L).await());
    InstanceRef guest = client.start(TestNode.inline("wasm_test")).await();
    assertEquals(List.of(1L), guest.call("i64_i64", 1L).await());
    assertEquals(List.of(1.1f), guest.call("f32_f32", 1.1f).await());
    assertEquals(List.of(Double.NaN), guest.call("f64_f64", Double.NaN).await());
    guest.memory().write(3, Buffer.buffer("bytes")).await();
    assertEquals("bytes", guest.memory().read(3, 5).await().toString());
  }

  @Test
  void failures_keepTheirDetailsOverTheWire() {
    InstanceRef guest = client.start(TestNode.inline("multi")).await();
    WasmException trap = Failing.with(Failure.TRAP, () -> guest.call("outer").await());
    assertEquals("wasm `unreachable` instruction executed", trap.trap());
    assertEquals(3, trap.frames().size());
    assertEquals(host.node(), trap.details().get("node"));
    Failing.with(
        Failure.NO_SUCH_INSTANCE,
        "instance `nobody` not found",
        () -> client.instance("nobody").call("f").await());
  }

  @Test
  void import_isAnsweredOnTheOtherNode_whereItsCallerIsReachedToo() {
    Signature signature = Signature.of(List.of(ValueType.I64), List.of(ValueType.I64));
    client
        .serve(
            "far.away",
            signature,
            (caller, args) ->
                caller
                    .memory()
                    .write(0, Buffer.buffer(new byte[] {5}))
                    .compose(done -> caller.call("half", args))
                    .compose(
                        half -> caller.global("g").map(g -> List.of((long) half.get(0) + (int) g))))
        .await();
    InstanceRef guest =
        client
            .start(
                TestNode.inlineText(
                        """
                        (module
                          (import "env" "far" (func $far (param i64) (result i64)))
                          (memory (export "memory") 1)
                          (global (export "g") i32 (i32.const 3))
                          (func (export "half") (param i64) (result i64)
                            (i64.div_s (local.get 0) (i64.const 2)))
                          (func (export "go") (param i64) (result i64 i32)
                            (call $far (local.get 0))
                            (i32.load8_u (i32.const 0))))
                        """)
                    .withImport("env", "far", signature, "far.away"))
            .await();
    assertEquals(List.of((1L << 60) + 3, 5), guest.call("go", 1L << 61).await());
    assertTrue(guest.exists("go").await());
  }
}
