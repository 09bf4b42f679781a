package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.wire.Received;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How answers travel: as a reply, or to the address in {@code from}. */
class AnswersTest {
  private static final JsonObject SUM =
      new JsonObject().put("function", "sum").put("params", new JsonArray().add(1).add(2));

  private TestNode node;
  private final LinkedBlockingQueue<Message<JsonObject>> inbox = new LinkedBlockingQueue<>();

  @BeforeEach
  void start() {
    node =
        TestNode.start(
            Config.from(new JsonObject("{\"bus\":{\"from\":{\"deny\":[\"admin.*\",\"vault\"]}}}")));
    node.start(TestNode.inline("wasm_test").withId("calc"));
    node.vertx().eventBus().consumer("my.answers", inbox::add).completion().await();
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private static DeliveryOptions call() {
    return new DeliveryOptions().addHeader("action", "call");
  }

  private Message<JsonObject> request(DeliveryOptions options, Object body) {
    return node.vertx().eventBus().<JsonObject>request("wasm.instance.calc", body, options).await();
  }

  private Message<JsonObject> next() throws InterruptedException {
    Message<JsonObject> message = inbox.poll(10, TimeUnit.SECONDS);
    if (message == null) {
      throw new AssertionError("no answer came");
    }
    return message;
  }

  @Test
  void request_withFrom_isAcceptedAtOnceAndAnsweredThere() throws Exception {
    DeliveryOptions options = call().addHeader("from", "my.answers").addHeader("id", "x y:1");
    Message<JsonObject> reply = request(options, SUM);
    assertEquals("{\"accepted\":true}", reply.body().encode());
    Message<JsonObject> answer = next();
    assertEquals("{\"results\":[3]}", answer.body().encode());
    assertEquals("my.answers", answer.headers().get("from"));
    assertEquals("x y:1", answer.headers().get("id"));
    assertEquals("calc", answer.headers().get("instance"));
    assertEquals("ok", answer.headers().get("status"));
  }

  @Test
  void failureOfAnAcceptedCall_goesToFrom() throws Exception {
    DeliveryOptions options = call().addHeader("from", "my.answers");
    JsonObject body =
        new JsonObject().put("function", "divide").put("params", new JsonArray().add(1).add(0));
    assertEquals("{\"accepted\":true}", request(options, body).body().encode());
    Message<JsonObject> answer = next();
    assertEquals("error", answer.headers().get("status"));
    assertEquals(4220, answer.body().getJsonObject("error").getInteger("code"));
    assertNull(answer.headers().get("id"));
  }

  @Test
  void refusalOfARequest_isTheReplyAlone() throws Exception {
    DeliveryOptions options = call().addHeader("from", "my.answers");
    ReplyException refused =
        assertThrows(ReplyException.class, () -> request(options, new JsonObject()));
    assertEquals(4000, refused.failureCode());
    assertEquals("`function` is missing", refused.getMessage());
    request(options, SUM);
    assertEquals("ok", next().headers().get("status"), "only the accepted call is answered there");
  }

  @Test
  void refusalOfASend_goesToFrom() throws Exception {
    DeliveryOptions options = call().addHeader("from", "my.answers").addHeader("id", "1");
    node.vertx().eventBus().send("wasm.instance.calc", new JsonObject(), options);
    Message<JsonObject> answer = next();
    assertEquals("error", answer.headers().get("status"));
    assertEquals("1", answer.headers().get("id"));
    assertEquals(4000, answer.body().getJsonObject("error").getInteger("code"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "__vertx.reply.1",
        "__vertx.nodeInfo",
        "wasm",
        "wasm.instances",
        "wasm.modules",
        "wasm.instance.calc",
        "wasm.node.x",
        "wasm.anything",
        "admin.secret",
        "vault"
      })
  void from_whereNoAnswerMayGo_isRefused(String from) {
    LinkedBlockingQueue<Object> spied = new LinkedBlockingQueue<>();
    List.of("admin.secret", "vault", "wasm", "wasm.anything", "__vertx.nodeInfo")
        .forEach(address -> node.vertx().eventBus().consumer(address, spied::add));
    ReplyException refused =
        assertThrows(ReplyException.class, () -> request(call().addHeader("from", from), SUM));
    assertEquals(4000, refused.failureCode());
    assertTrue(refused.getMessage().startsWith("bad from"), refused.getMessage());
    assertEquals("{\"results\":[3]}", request(call(), SUM).body().encode());
    assertTrue(spied.isEmpty());
  }

  @Test
  void from_ofMoreThan512Bytes_isRefused() {
    String longest = "é".repeat(256);
    assertEquals(
        "{\"accepted\":true}", request(call().addHeader("from", longest), SUM).body().encode());
    assertThrows(ReplyException.class, () -> request(call().addHeader("from", longest + "a"), SUM));
  }

  @Test
  void badFrom_ofASend_isCountedAndNothingElseIsHarmed() {
    long before = Received.undelivered();
    DeliveryOptions options = call().addHeader("from", "wasm.instances");
    node.vertx().eventBus().send("wasm.instance.calc", SUM, options);
    assertEquals("{\"results\":[3]}", request(call(), SUM).body().encode());
    assertEquals(before + 1, Received.undelivered());
  }

  @Test
  void bodyThatIsNoObject_isRefused() {
    for (Object body :
        new Object[] {"text", 7, new JsonArray().add(1), Buffer.buffer("{}"), true}) {
      ReplyException refused = assertThrows(ReplyException.class, () -> request(call(), body));
      assertEquals(4000, refused.failureCode());
      assertTrue(refused.getMessage().startsWith("the body must be a JSON object."));
    }
    assertThrows(ReplyException.class, () -> request(call(), null));
  }

  @Test
  void headers_thatMakeNoSense_areRefusedByName() {
    assertRefused("header `action` is missing", new DeliveryOptions());
    assertRefused(
        "unknown action `frobnicate`", new DeliveryOptions().addHeader("action", "frobnicate"));
    assertRefused(
        "header `timeout` must be a whole number of milliseconds, 0 or more. Given `soon`.",
        call().addHeader("timeout", "soon"));
    assertRefused(
        "header `timeout` must be a whole number of milliseconds, 0 or more. Given `-1`.",
        call().addHeader("timeout", "-1"));
  }

  private void assertRefused(String text, DeliveryOptions options) {
    ReplyException refused = assertThrows(ReplyException.class, () -> request(options, SUM));
    assertEquals(4000, refused.failureCode());
    assertEquals(text, refused.getMessage());
  }

  @Test
  void params_thatAreNoList_areRefusedBeforeAnythingElse() {
    JsonObject body = new JsonObject().put("function", "unknown").put("params", "1");
    ReplyException refused = assertThrows(ReplyException.class, () -> request(call(), body));
    assertEquals(4000, refused.failureCode());
    assertEquals(
        "could not load 'function params': `params` must be a list. Given `String`.",
        refused.getMessage());
  }

  @Test
  void hundredThousandParams_areTooManyAndNothingElse() {
    JsonArray params = new JsonArray();
    for (int i = 0; i < 100_000; i++) {
      params.add(i);
    }
    JsonObject body = new JsonObject().put("function", "sum").put("params", params);
    ReplyException refused = assertThrows(ReplyException.class, () -> request(call(), body));
    assertEquals("number of params does not match. expected 2, got 100000", refused.getMessage());
    assertEquals(4001, refused.failureCode());
  }

  @Test
  void numbersBeyondTheDoubles_areRefused() {
    JsonObject body = new JsonObject("{\"function\":\"f64_f64\",\"params\":[1e400]}");
    ReplyException refused = assertThrows(ReplyException.class, () -> request(call(), body));
    assertEquals("Cannot convert argument #1 to a WebAssembly f64 value.", refused.getMessage());
  }

  @Test
  void instanceThatIsNot_isSaidSo() {
    ReplyException nobody =
        assertThrows(
            ReplyException.class,
            () -> node.vertx().eventBus().request("wasm.instance.nobody", SUM, call()).await());
    assertEquals(ReplyFailure.NO_HANDLERS, nobody.failureType());
    ReplyException named =
        assertThrows(
            ReplyException.class,
            () ->
                node.vertx()
                    .eventBus()
                    .request("wasm.instances", SUM, call().addHeader("instance", "nobody"))
                    .await());
    assertEquals(4040, named.failureCode());
    assertEquals("instance `nobody` not found", named.getMessage());
  }
}
