package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A gateway on several event loops: what is shared between them, and how they end. */
class ListenerTest {
  private final TestNode node = TestNode.start();

  @AfterEach
  void stop() {
    node.close();
  }

  private Future<HttpGateway> open() {
    return HttpGateway.open(
        node.vertx(),
        HttpGateway.Options.dev("127.0.0.1", 0),
        node.host().bus(),
        1 << 20,
        Duration.ofMinutes(1));
  }

  @Test
  void close_tellsAllSockets_andDoesNothingAgain() {
    HttpGateway gateway = open().await();
    TestClients clients = TestClients.of(node.vertx(), gateway);
    TestSocket[] sockets = new TestSocket[8];
    for (int i = 0; i < sockets.length; i++) {
      sockets[i] = i % 2 == 0 ? clients.socket(Map.of()) : clients.bridge(Map.of());
    }
    gateway.close().await();
    for (int i = 0; i < sockets.length; i++) {
      assertEquals(1001, sockets[i].closed());
    }
    gateway.close().await();
  }

  /** Which closes it when it is undeployed, or leaves that to Vert.x. */
  private final class Outer extends VerticleBase {
    private final boolean closes;
    private HttpGateway gateway;

    Outer(boolean closes) {
      this.closes = closes;
    }

    @Override
    public Future<?> start() {
      return open().onSuccess(opened -> gateway = opened);
    }

    @Override
    public Future<?> stop() {
      return closes ? gateway.close() : Future.succeededFuture();
    }
  }

  @Test
  void gatewayOfAVerticle_endsWithIt() {
    for (boolean closes : new boolean[] {true, false}) {
      Outer outer = new Outer(closes);
      String id = node.vertx().deployVerticle(outer).await();
      TestSocket socket = TestClients.of(node.vertx(), outer.gateway).socket(Map.of());
      socket.ask(new JsonObject().put("action", "list"));
      node.vertx().undeploy(id).await();
      assertEquals(1001, socket.closed());
      outer.gateway.close().await();
    }
  }

  @Test
  void gatewayOfAVertxThatIsClosed_isClosed() {
    HttpGateway gateway = open().await();
    node.vertx().close().await();
    gateway.close().await();
  }

  @Test
  void freePort_isSharedWithNobodyElse() {
    int other =
        node.vertx()
            .createHttpServer()
            .requestHandler(request -> request.response().end())
            .listen(-1, "127.0.0.1")
            .await()
            .actualPort();
    HttpGateway first = open().await();
    HttpGateway second = open().await();
    assertNotEquals(other, first.port());
    assertNotEquals(first.port(), second.port());
    first.close().await();
    second.close().await();
  }

  @Test
  void connections_areSpreadOverTheLoops() {
    Set<Thread> answering = ConcurrentHashMap.newKeySet();
    Listener listener =
        new Listener(
            node.vertx(),
            new HttpServerOptions().setHost("127.0.0.1").setPort(0),
            connection -> {},
            request -> {
              answering.add(Thread.currentThread());
              request.response().end();
            },
            () -> {},
            3);
    listener.open().await();
    for (int i = 0; i < 3; i++) {
      RawClient client = new RawClient(listener.port());
      assertEquals(200, client.request("GET /").status());
      client.close();
    }
    assertEquals(3, answering.size());
    listener.close().await();
  }

  /** Whoever joins a consumer that somebody else has opened is told on its own event loop. */
  @Test
  void secondWhoJoins_isToldOnItsOwnEventLoop() {
    Vertx vertx = node.vertx();
    Topics topics = new Topics(vertx);
    for (int i = 0; i < 4; i++) {
      ContextInternal context = ((VertxInternal) vertx).createEventLoopContext();
      Promise<Boolean> told = Promise.promise();
      context.runOnContext(
          now -> {
            Thread own = Thread.currentThread();
            topics
                .join("somewhere", news -> {})
                .onSuccess(joined -> told.complete(Thread.currentThread() == own));
          });
      assertTrue(told.future().await());
    }
  }
}
