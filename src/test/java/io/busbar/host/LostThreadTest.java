package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.Bus;
import io.busbar.client.InstanceRef;
import io.busbar.model.AfterTrap;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.wire.Addresses;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Guests whose threads cannot be stopped cost the node those threads, and nothing else. */
@Timeout(60)
class LostThreadTest {
  private static final Signature NOTHING = Signature.of(List.of(), List.of());
  private static final Duration DEADLINE = Duration.ofMillis(300);
  private static final String REASON =
      "its thread cannot be stopped: deadline of 300 ms exceeded (interrupted)";

  private final CountDownLatch hold = new CountDownLatch(1);
  private final LinkedBlockingQueue<JsonObject> events = new LinkedBlockingQueue<>();
  private TestNode node;

  @BeforeEach
  void start() {
    start(1, 2, 1);
  }

  private void start(int rights, int threads, int lost) {
    JsonObject workers =
        new JsonObject().put("rights", rights).put("threads", threads).put("lost", lost);
    node = TestNode.start(Config.from(new JsonObject().put("workers", workers)));
    node.vertx()
        .eventBus()
        .<JsonObject>consumer("wasm.events", message -> events.add(message.body()))
        .completion()
        .await();
    node.host().function("my.deaf", (caller, args) -> deaf());
  }

  /** Cannot be stopped until the test lets go. */
  private List<Object> deaf() {
    while (hold.getCount() > 0) {
      try {
        hold.await();
      } catch (InterruptedException e) {
        // deaf
      }
    }
    return List.of();
  }

  @AfterEach
  void stop() {
    hold.countDown();
    node.close();
  }

  private static InstanceSpec deafGuest(String id) {
    return TestNode.inline("fragile").withId(id).withImport("env", "ask", NOTHING, "my.deaf");
  }

  private JsonObject about() {
    return node.client().nodes().await().get(0);
  }

  private void awaitLost(int threads) {
    Until.isTrue(() -> about().getInteger("lost") == threads);
  }

  private void awaitEvent(String name, String key, String value) throws InterruptedException {
    JsonObject event;
    do {
      event = events.poll(20, TimeUnit.SECONDS);
      assertTrue(event != null, "no event " + name);
    } while (!event.getString("event").equals(name));
    assertEquals(value, event.getString(key));
  }

  /** One of each kind at the same time, where there are threads for all. */
  @Test
  void lostThread_parksItsInstance_andRunsNothingOfItAgain() throws Exception {
    node.close();
    start(3, 3, 3);
    List<InstanceRef> guests =
        Stream.of(AfterTrap.values())
            .map(then -> node.start(deafGuest(then.name()).withAfterTrap(then)))
            .toList();
    List<Future<List<Object>>> calls =
        guests.stream().map(guest -> guest.withTimeout(DEADLINE).call("ask")).toList();
    calls.forEach(call -> Failing.with(Failure.DEADLINE, () -> call.await()));
    awaitLost(guests.size());
    assertTrue(about().getBoolean("healthy"));
    for (InstanceRef guest : guests) {
      assertParked(guest);
      awaitEvent("instance.parked", "reason", REASON);
      assertEquals(REASON, guest.describe().await().getString("parked"));
    }
    hold.countDown();
    awaitLost(0);
    for (InstanceRef guest : guests) {
      assertParked(guest);
      JsonObject described = guest.describe().await();
      assertEquals(1, described.getInteger("epoch"));
      assertFalse(described.getBoolean("running"));
      guest.stop().await();
    }
    assertEquals(List.of(), node.client().modules().await());
  }

  private static void assertParked(InstanceRef guest) {
    String parked = "instance `" + guest.id() + "` is parked: " + REASON;
    Failing.with(Failure.UNAVAILABLE, parked, () -> guest.call("next").await());
  }

  /** Whose calls may run one at a time here. */
  @Test
  void lostThread_leavesItsUserTheRightToRun() {
    startAs("ann", deafGuest("a"));
    startAs("ann", TestNode.inline("fragile").withId("b").withImport("env", "ask", NOTHING, "x"));
    Future<List<Object>> call = node.client().instance("a").withTimeout(DEADLINE).call("ask");
    Failing.with(Failure.DEADLINE, () -> call.await());
    awaitLost(1);
    assertEquals(1, node.client().instance("b").call("next").await().size());
    hold.countDown();
    awaitLost(0);
    assertEquals(1, node.client().instance("b").call("next").await().size());
  }

  private void startAs(String user, InstanceSpec spec) {
    Bus bus = new Bus(node.vertx(), Addresses.STANDARD);
    bus.ask("wasm.instances", Bus.Question.of("start", Codec.body(spec)).as(user)).await();
  }

  @Test
  void lostThread_whatWaitedForItIsAnswered() {
    InstanceRef guest = node.start(deafGuest("a").withLimit(Limit.DEADLINE, 60_000));
    Future<List<Object>> running = guest.withTimeout(DEADLINE).call("ask");
    Until.isTrue(() -> guest.describe().await().getBoolean("running"));
    List<Future<List<Object>>> queued = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      queued.add(guest.withTimeout(Duration.ZERO).call("next"));
    }
    Failing.with(Failure.DEADLINE, () -> running.await());
    for (Future<List<Object>> each : queued) {
      Failing.with(Failure.UNAVAILABLE, "instance `a` is parked: " + REASON, () -> each.await());
    }
  }

  @Test
  void instanceOfALostThread_canBeStopped() throws Exception {
    InstanceRef guest = node.start(deafGuest("a"));
    Failing.with(Failure.DEADLINE, () -> guest.withTimeout(DEADLINE).call("ask").await());
    awaitLost(1);
    guest.stop().await();
    awaitEvent("instance.stopped", "id", "a");
    assertEquals(List.of(), node.client().instances().await());
    InstanceRef next = node.start(deafGuest("a"));
    assertEquals(List.of(1), next.call("next").await());
    hold.countDown();
    awaitLost(0);
    assertEquals(List.of(2), next.call("next").await());
  }

  @Test
  void tooManyLostThreads_theNodeStartsNothingMore_untilTheyComeBack() throws Exception {
    InstanceRef honest = node.start(TestNode.inline("multi"));
    List<InstanceRef> deaf = List.of(node.start(deafGuest("a")), node.start(deafGuest("b")));
    for (InstanceRef guest : deaf) {
      Failing.with(Failure.DEADLINE, () -> guest.withTimeout(DEADLINE).call("ask").await());
    }
    awaitLost(2); // as many as there are threads
    String why = "2 guest threads cannot be stopped, 1 may be";
    awaitEvent("node.unhealthy", "reason", why);
    assertFalse(about().getBoolean("healthy"));
    assertEquals(why, about().getString("reason"));
    String refused = "node `" + node.host().node() + "` is unhealthy: " + why;
    Failing.with(Failure.UNAVAILABLE, refused, () -> node.start("multi"));
    assertEquals(List.of(1), honest.call("next").await());
    hold.countDown();
    awaitEvent("node.healthy", "node", node.host().node());
    awaitLost(0);
    assertTrue(about().getBoolean("healthy"));
    assertFalse(about().containsKey("reason"));
    assertEquals(List.of(1), node.start("multi").call("next").await());
    assertEquals(List.of(2), honest.call("next").await());
  }

  @Test
  void lostThreadOfAStart_leavesNoInstance() {
    InstanceSpec spec =
        TestNode.inlineText("(module (import \"env\" \"d\" (func $d)) (start $d))")
            .withId("s")
            .withLimit(Limit.DEADLINE, 1000)
            .withImport("env", "d", NOTHING, "my.deaf");
    Failing.with(Failure.DEADLINE, () -> node.start(spec));
    awaitLost(1);
    assertEquals(List.of(), node.client().instances().await());
    assertEquals(List.of(1), node.start("multi").call("next").await());
    hold.countDown();
    awaitLost(0);
    node.start(spec).stop().await();
  }
}
