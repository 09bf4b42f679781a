package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.Guests;
import io.busbar.Tenant;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.model.WasiSpec;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is published of something that is a user's says whose it is. */
class TenantEventsTest {
  private static final String TRAPS = "(module (func (export \"go\") unreachable))";

  private final Queue<String> heard = new ConcurrentLinkedQueue<>();
  private TestNode node;
  private Tenant ann;

  @BeforeEach
  void open() {
    node = TestNode.start();
    ann = Tenant.of(node.vertx(), "ann");
    listen("wasm.events", "event");
  }

  @AfterEach
  void close() {
    node.close();
  }

  private void listen(String address, String field) {
    node.vertx()
        .eventBus()
        .<JsonObject>consumer(address, message -> heard.add(heard(message, field)))
        .completion()
        .await();
  }

  private static String heard(Message<JsonObject> message, String field) {
    return message.headers().get("user") + " " + message.body().getString(field);
  }

  private void assertHeard(String... all) {
    Until.isTrue(() -> heard.size() >= all.length);
    assertEquals(List.of(all), List.copyOf(heard));
    heard.clear();
  }

  @Test
  void events_ofAUsersInstance_sayWhoseItIs() {
    JsonObject spec =
        new JsonObject()
            .put("id", "anns")
            .put("module", Tenant.text(TRAPS))
            .put("afterTrap", "restart");
    ann.ask("wasm.instances", "start", spec);
    ann.call("anns", "go");
    assertHeard("ann instance.started", "ann instance.restarted");
    node.client().instance("anns").stop().await();
    assertHeard("ann instance.stopped");
    node.startText("(module)").stop().await();
    assertHeard("null instance.started", "null instance.stopped");
  }

  @Test
  void events_ofAUsersModule_sayWhoseItIs() {
    JsonObject body = new JsonObject().put("wat", TRAPS).put("name", "traps");
    node.client().put(Guests.text("globals"), "common").await();
    node.client().remove("common").await();
    assertHeard("null module.put", "null module.removed");
    ann.ask("wasm.modules", "put", body);
    ann.ask("wasm.modules", "remove", new JsonObject().put("module", "traps"));
    assertHeard("ann module.put", "ann module.removed");
  }

  @Test
  void output_ofAUsersGuest_saysWhoseItIs() {
    listen("wasm.stdio.anns", "stream");
    listen("wasm.stdio.common", "stream");
    JsonObject spec =
        new JsonObject()
            .put(
                "module",
                Tenant.text(new String(Guests.text("wasi_program"), StandardCharsets.UTF_8)))
            .put("wasi", new JsonObject().put("publish", true).put("stdin", "eA=="));
    ann.ask("wasm.instances", "start", spec.copy().put("id", "anns"));
    ann.call("anns", "_start");
    assertHeard("ann instance.started", "ann stdout");
    node.client()
        .start(
            TestNode.inline("wasi_program")
                .withId("common")
                .withWasi(WasiSpec.ISOLATED.withStdin(new byte[] {1}).withPublish(true)))
        .await()
        .call("_start")
        .await();
    assertHeard("null instance.started", "null stdout");
  }
}
