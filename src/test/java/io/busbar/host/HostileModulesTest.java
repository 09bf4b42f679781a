package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.engine.admission.Bombs;
import io.busbar.engine.admission.WasmWriter;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Modules over the bus that are made to harm the node that takes them. */
class HostileModulesTest {
  private static TestNode shared;

  private TestNode node;

  @AfterEach
  void stop() {
    if (node != null) {
      node.close();
    }
  }

  @org.junit.jupiter.api.BeforeAll
  static void startShared() {
    shared = TestNode.start();
  }

  @org.junit.jupiter.api.AfterAll
  static void stopShared() {
    shared.close();
  }

  @ParameterizedTest
  @EnumSource
  void bomb_put_isRefused_andNothingIsKept(Bombs bomb) {
    byte[] wasm = bomb.bytes();
    Failing.with(bomb.failure, bomb.text, () -> shared.client().put(wasm).await());
    InstanceSpec spec = InstanceSpec.of(new ModuleRef.Inline(wasm)).withId("b");
    Failing.with(bomb.failure, bomb.text, () -> shared.start(spec));
    assertEquals(List.of(), shared.client().modules().await());
  }

  @Test
  void fallingNames_areStoredAsTheyCame_andTheModuleRuns() {
    node = TestNode.start();
    byte[] wasm = Bombs.fallingNames(300_000);
    ModuleId id = node.client().put(wasm, "falling").await();
    assertEquals(ModuleId.of(wasm), id);
    org.junit.jupiter.api.Assertions.assertArrayEquals(wasm, node.client().get("falling").await());
    assertEquals(wasm.length, node.client().describeModule("falling").await().getInteger("size"));
    assertEquals(List.of(), node.start(InstanceSpec.of("falling")).call("run").await());
  }

  private static TestNode start(String modules) {
    return TestNode.start(Config.from(new JsonObject("{\"modules\":" + modules + "}")));
  }

  @Test
  void limits_areThoseOfTheConfiguration() {
    node = start("{\"functions\":3}");
    node.client().put(Bombs.functions(3).toBytes()).await();
    Failing.with(
        Failure.INVALID_MODULE,
        "module limit `functions`: 4, at most 3",
        () -> node.client().put(Bombs.functions(4).toBytes()).await());
  }

  @Test
  void moduleThatTakesMoreThanTheBudget_isTooLarge() {
    node = start("{\"parseBytes\":100000}");
    node.client().put(Bombs.functions(3).toBytes()).await();
    String said =
        Failing.with(
                Failure.TOO_LARGE,
                () -> node.client().put(Bombs.functions(1_000).toBytes()).await())
            .getMessage();
    assertTrue(
        said.matches("module limit `parseBytes`: .* \\d+ bytes of memory, at most 100000"), said);
  }

  /** A module that is parsed and validated for a second or so: its last function is not valid. */
  private static byte[] slow(int n) {
    WasmWriter body = WasmWriter.empty().u(0).times(60_000, 0x41, n, 0x1A).bytes(0x0B);
    byte[] bytes = body.toBytes();
    return WasmWriter.module()
        .section(1, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7F)
        .section(3, WasmWriter.empty().u(5).times(4, 0).bytes(1))
        .section(
            10,
            WasmWriter.empty()
                .u(5)
                .times(4, WasmWriter.empty().u(bytes.length).bytes(body))
                .bytes(4, 0, 0x42, 0, 0x0B))
        .toBytes();
  }

  @Test
  void slowUploads_keepNobodyElseWaiting() {
    node = TestNode.start();
    node.client().put(Bombs.functions(1).toBytes(), "there").await();
    List<Future<ModuleId>> slow = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      slow.add(node.client().put(slow(i)));
    }
    node.client().put(Bombs.functions(2).toBytes()).await();
    node.start(InstanceSpec.of("there"));
    node.start(InstanceSpec.of(new ModuleRef.Inline(Bombs.functions(3).toBytes())));
    assertEquals(3, node.client().modules().await().size());
    assertFalse(slow.get(3).isComplete(), "they were not slow");
    for (Future<ModuleId> put : slow) {
      Failing.with(Failure.INVALID_MODULE, put::await);
    }
  }

  @Test
  void moreUploadsThanMayWait_areOverloaded() {
    node = start("{\"parseQueue\":1}");
    List<Future<ModuleId>> slow = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      slow.add(node.client().put(slow(i)));
    }
    List<Failure> failures = slow.stream().map(put -> Failing.any(put::await).failure()).toList();
    assertTrue(failures.contains(Failure.OVERLOADED), failures::toString);
    assertTrue(failures.contains(Failure.INVALID_MODULE), failures::toString);
  }

  @Test
  void closing_answersUploadsThatWait() {
    node = TestNode.start();
    List<Future<ModuleId>> slow = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      slow.add(node.client().put(slow(i)));
    }
    node.host().close().await();
    for (Future<ModuleId> put : slow) {
      Failing.any(put::await);
    }
  }
}
