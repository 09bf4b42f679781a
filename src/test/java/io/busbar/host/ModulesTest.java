package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.TestNode;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleId;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Modules over the bus: put, found again, named, started from, removed. */
class ModulesTest {
  private TestNode node = TestNode.start();

  @AfterEach
  void stop() {
    node.close();
  }

  private static byte[] wat(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void put_isTheSameModuleHoweverOften() {
    byte[] wasm = Compiler.toBinary(wat("(module)"));
    ModuleId id = node.client().put(wasm).await();
    assertEquals(ModuleId.of(wasm), id);
    assertEquals(id, node.client().put(wat("(module)")).await());
    assertArrayEquals(wasm, node.client().get(id.toString()).await());
    assertEquals(1, node.client().modules().await().size());
  }

  @Test
  void describe_tellsEveryImportAndExportWithItsType() {
    String text =
        """
        (module $kinds
          (import "env" "MyMemory" (memory 256 256))
          (import "env" "MyTable" (table 10 10 funcref))
          (import "global" "Infinity" (global f64))
          (import "IO" "inspect" (func (param i32)))
          (table (export "t") 2 funcref)
          (global (export "v") (mut i64) (i64.const 0))
          (tag (export "e") (param f32))
          (func (export "f") (param i32 f64) (result externref) (ref.null extern)))
        """;
    node.client().put(wat(text), "kinds:1").await();
    JsonObject module = node.client().describeModule("kinds").await();
    assertEquals("kinds", module.getString("name"));
    assertEquals(new JsonArray("[\"kinds\",\"kinds:1\"]"), module.getJsonArray("tags"));
    assertEquals(
        new JsonArray(
            """
            [{"module":"env","name":"MyMemory","kind":"memory","minimum":256,"maximum":256,
              "shared":false},
             {"module":"env","name":"MyTable","kind":"table","type":"funcref","minimum":10,
              "maximum":10},
             {"module":"global","name":"Infinity","kind":"global","type":"f64","mutable":false},
             {"module":"IO","name":"inspect","kind":"function","params":["i32"],"results":[]}]
            """),
        module.getJsonArray("imports"));
    assertEquals(
        new JsonArray(
            """
            [{"name":"t","kind":"table","type":"funcref","minimum":2},
             {"name":"v","kind":"global","type":"i64","mutable":true},
             {"name":"e","kind":"tag","params":["f32"],"results":[]},
             {"name":"f","kind":"function","params":["i32","f64"],"results":["externref"]}]
            """),
        module.getJsonArray("exports"));
  }

  @Test
  void names_leadToModules() {
    node.client().put(Guests.text("multi"), "m:1").await();
    node.client().tag("m:1", "n").await();
    for (String ref : List.of("m", "m:1", "n")) {
      assertEquals(List.of(55), node.start(InstanceSpec.of(ref)).call("fib", 10).await());
    }
    Failing.with(
        Failure.NO_SUCH_MODULE, "module `m:2` not found", () -> node.start(InstanceSpec.of("m:2")));
    String absent = "sha256:" + "0".repeat(64);
    Failing.with(
        Failure.NO_SUCH_MODULE,
        "module `" + absent + "` not found",
        () -> node.client().get(absent).await());
  }

  @Test
  void refsThatMakeNoSense_areRefused() {
    for (String bad : List.of("", "-a", "a b", "a:", "a:b:c", "sha256:xyz", "a".repeat(129))) {
      Failing.with(Failure.BAD_REQUEST, () -> node.client().get(bad).await());
    }
  }

  @Test
  void bytesThatAreNoModule_areRefusedWithThePlace() {
    for (byte[] bad :
        List.of(
            new byte[0],
            wat("wat is this?"),
            new byte[] {0, 'a', 's', 'm'},
            new byte[] {0, 'a', 's', 'm', 2, 0, 0, 0},
            new byte[] {(byte) 0xff, (byte) 0xfe})) {
      String said =
          Failing.with(Failure.INVALID_MODULE, () -> node.client().put(bad).await()).getMessage();
      assertEquals("Error while parsing bytes: ", said.substring(0, 27));
    }
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void moduleOverTheLimit_isTooLarge() {
    node.close();
    node = TestNode.start(Config.from(new JsonObject("{\"modules\":{\"maxBytes\":100}}")));
    Failing.with(
        Failure.TOO_LARGE,
        "a module of 101 bytes; this node takes at most 100",
        () -> node.client().put(new byte[101]).await());
    Failing.with(Failure.TOO_LARGE, () -> node.start(TestNode.inlineText(" ".repeat(101))));
  }

  @Test
  void moduleInUse_isNotRemoved() {
    node.client().put(Guests.text("multi"), "m").await();
    var guest = node.start(InstanceSpec.of("m").withId("i"));
    Failing.with(Failure.CONFLICT, () -> node.client().remove("m").await());
    guest.stop().await();
    node.client().remove("m").await();
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void inlineModule_goesWithItsLastInstance() {
    var first = node.start("multi");
    var second = node.start("multi");
    assertEquals(1, node.client().modules().await().size());
    first.stop().await();
    assertEquals(1, node.client().modules().await().size());
    second.stop().await();
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void folder_keepsModulesOverARestart(@TempDir Path folder) {
    node.close();
    node = TestNode.start(Config.standard().withData(folder));
    node.client().put(Guests.text("multi"), "m:1").await();
    node.close();
    node = TestNode.start(Config.standard().withData(folder));
    assertEquals(List.of(55), node.start(InstanceSpec.of("m:1")).call("fib", 10).await());
  }

  @Test
  void events_sayWhatHappened() throws InterruptedException {
    LinkedBlockingQueue<JsonObject> events = new LinkedBlockingQueue<>();
    node.vertx()
        .eventBus()
        .<JsonObject>consumer("wasm.events", message -> events.add(message.body()))
        .completion()
        .await();
    ModuleId id = node.client().put(Guests.text("multi"), "m").await();
    node.start(InstanceSpec.of("m").withId("i")).stop().await();
    node.client().remove("m").await();
    String name = node.host().node();
    for (JsonObject expected :
        List.of(
            new JsonObject().put("event", "module.put").put("module", id.toString()),
            new JsonObject()
                .put("event", "instance.started")
                .put("id", "i")
                .put("module", id.toString())
                .put("address", "wasm.instance.i"),
            new JsonObject().put("event", "instance.stopped").put("id", "i"),
            new JsonObject().put("event", "module.removed").put("module", id.toString()))) {
      assertEquals(expected.put("node", name), events.poll(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void specs_thatMakeNoSense_areRefusedByField() {
    assertRefused("`module` is missing", "{}");
    assertRefused("`module` must be an object. Given `7`.", "{\"module\":7}");
    assertRefused("unknown field `modul` in a spec", "{\"modul\":\"m\"}");
    assertRefused("unknown limit `limits.colour`", "{\"module\":\"m\",\"limits\":{\"colour\":1}}");
    assertRefused(
        "`mailbox` must be a whole number, 0 or more. Given `-1`.",
        "{\"module\":\"m\",\"limits\":{\"mailbox\":-1}}");
    assertRefused(
        "limits.mailbox must be 1 to 1000000, not 0",
        "{\"module\":\"m\",\"limits\":{\"mailbox\":0}}");
    assertRefused(
        "bad instance id `a/b`: 1 to 128 letters, digits, `.`, `_` or `-`, the first a letter or"
            + " digit",
        "{\"module\":\"m\",\"id\":\"a/b\"}");
    assertRefused(
        "unknown value type `i33`",
        "{\"module\":\"m\",\"imports\":{\"e\":{\"f\":{\"params\":[\"i33\"],\"address\":\"x\"}}}}");
    assertRefused("`address` is missing", "{\"module\":\"m\",\"imports\":{\"e\":{\"f\":{}}}}");
    assertRefused(
        "`afterTrap` must be one of [keep, restart, stop] in this version. Given `revert`.",
        "{\"module\":\"m\",\"afterTrap\":\"revert\"}");
  }

  private void assertRefused(String text, String spec) {
    var options = new io.vertx.core.eventbus.DeliveryOptions().addHeader("action", "start");
    var refused =
        org.junit.jupiter.api.Assertions.assertThrows(
            io.vertx.core.eventbus.ReplyException.class,
            () ->
                node.vertx()
                    .eventBus()
                    .request("wasm.instances", new JsonObject(spec), options)
                    .await());
    assertEquals(text, refused.getMessage());
    assertEquals(4000, refused.failureCode());
  }
}
