package io.busbar.gateway;

import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A client on a WebSocket, which remembers what has come. */
final class TestSocket {
  private static final long PATIENCE_SECONDS = 20;
  private static final long SOON_MILLIS = 100;

  final WebSocket socket;
  private final LinkedBlockingQueue<JsonObject> frames = new LinkedBlockingQueue<>();
  private final CompletableFuture<Short> closed = new CompletableFuture<>();
  private int ids;

  TestSocket(WebSocket socket) {
    this.socket = socket;
    socket.textMessageHandler(text -> frames.add(new JsonObject(text)));
    socket.closeHandler(done -> closed.complete(socket.closeStatusCode()));
  }

  void send(JsonObject frame) {
    socket.writeTextMessage(frame.encode());
  }

  /** The next frame that has come. */
  JsonObject next() {
    try {
      JsonObject frame = frames.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (frame == null) {
        throw new AssertionError("no frame has come");
      }
      return frame;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The answer to one more frame; there is nothing else on its way. */
  JsonObject ask(JsonObject frame) {
    String id = "t" + ++ids;
    send(frame.copy().put("id", id));
    JsonObject answer = next();
    if (!id.equals(answer.getString("id"))) {
      throw new AssertionError("not the answer to " + id + ": " + answer);
    }
    return answer;
  }

  JsonObject ask(String instance, String action, JsonObject body) {
    return ask(frame(instance, action, body));
  }

  static JsonObject frame(String instance, String action, JsonObject body) {
    return new JsonObject().put("action", action).put("instance", instance).put("body", body);
  }

  static JsonObject call(String instance, String function, Object... params) {
    return frame(
        instance,
        "call",
        new JsonObject().put("function", function).put("params", new JsonArray(List.of(params))));
  }

  /** How the socket was closed. */
  int closed() {
    try {
      return closed.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("it was not closed", e);
    }
  }

  /** Whether something of this address comes soon; what comes before it is forgotten. */
  boolean hears(String address) {
    try {
      JsonObject frame = frames.poll(SOON_MILLIS, TimeUnit.MILLISECONDS);
      while (frame != null && !address.equals(frame.getString("address"))) {
        frame = frames.poll(SOON_MILLIS, TimeUnit.MILLISECONDS);
      }
      return frame != null;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  boolean hasNothing() {
    return frames.isEmpty();
  }
}
