package io.busbar.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.busbar.model.Failure;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EndpointTest {
  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void close() {
    vertx.close().await();
  }

  @Test
  void aRequestBeforeAnAddressThatGoes_metNobody() {
    Context context = vertx.getOrCreateContext();
    Promise<Endpoint> opened = Promise.promise();
    SendPolicy policy = new SendPolicy(Addresses.STANDARD, List.of());
    context.runOnContext(
        go ->
            Endpoint.open(vertx, "there", policy, ask -> Future.succeededFuture())
                .onComplete(opened));
    Endpoint endpoint = opened.future().await();

    Promise<Message<Object>> answer = Promise.promise();
    context.runOnContext(
        go -> { // the message is delivered on this context, after this
          vertx.eventBus().<Object>request("there", new JsonObject()).onComplete(answer);
          endpoint.close();
        });

    ReplyException discarded = assertThrows(ReplyException.class, answer.future()::await);
    assertEquals(
        Failure.NO_SUCH_INSTANCE, Failures.from(discarded).failure(), () -> "" + discarded);
  }

  @Test
  void operationWithoutMemory_failsWithLimit() {
    SendPolicy policy = new SendPolicy(Addresses.STANDARD, List.of());
    Endpoint.open(
            vertx,
            "there",
            policy,
            ask -> {
              throw new OutOfMemoryError("Java heap space");
            })
        .await();
    ReplyException told =
        assertThrows(
            ReplyException.class,
            () -> vertx.eventBus().<Object>request("there", new JsonObject()).await());
    assertEquals(Failure.LIMIT.code(), told.failureCode());
    assertEquals("the node has no memory left for this operation", told.getMessage());
  }
}
