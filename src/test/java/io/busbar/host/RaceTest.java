package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RaceTest {
  @Test
  void answersDeadlinesCancelsAndStops_inAnyOrder() throws Exception {
    try (TestNode node = TestNode.start()) {
      Random random = new Random(7);
      AtomicInteger asked = new AtomicInteger();
      AtomicInteger told = new AtomicInteger();
      Map<String, AtomicInteger> kinds = new ConcurrentHashMap<>();
      java.util.function.Consumer<io.vertx.core.AsyncResult<?>> count =
          r -> {
            told.incrementAndGet();
            String kind =
                r.succeeded()
                    ? "ok"
                    : r.cause() instanceof WasmException e
                        ? e.failure()
                            + (e.failure() == Failure.INTERNAL
                                    || e.failure() == Failure.HOST_FUNCTION
                                ? e.getMessage().replaceAll("[0-9]+", "N")
                                : "")
                        : "" + r.cause();
            kinds.computeIfAbsent(kind, k -> new AtomicInteger()).incrementAndGet();
          };
      node.client()
          .serve(
              "my.ask",
              CallbackEdgeTest.I,
              (caller, args) -> {
                Promise<List<Object>> answer = Promise.promise();
                int n = (int) args.get(0);
                for (int i = 0; i < 3; i++) {
                  asked.incrementAndGet();
                  caller
                      .call(
                          i == 1 ? "spin" : i == 2 ? "recurse" : "double",
                          i == 1 ? new Object[0] : new Object[] {n})
                      .onComplete(count::accept);
                }
                if (n > 0 && n % 3 == 0) {
                  asked.incrementAndGet();
                  caller.call("ask", n / 3).onComplete(count::accept);
                }
                node.vertx().setTimer(1 + n % 40, t -> answer.complete(List.of(n)));
                return answer.future();
              })
          .await();
      for (int round = 0; round < 25; round++) {
        InstanceRef guest = node.start(CallbackEdgeTest.spec("r" + round, "my.ask"));
        for (int i = 0; i < 8; i++) {
          asked.incrementAndGet();
          guest
              .withOperationId("op" + i)
              .withTimeout(Duration.ofMillis(5 + random.nextInt(60)))
              .call("ask", random.nextInt(40))
              .onComplete(count::accept);
        }
        int c = random.nextInt(8);
        node.vertx().setTimer(1 + random.nextInt(40), t -> guest.cancel("op" + c));
        if (round % 2 == 0) {
          node.vertx().setTimer(20 + random.nextInt(100), t -> guest.stop());
        }
      }
      Until.isTrue(() -> told.get() == asked.get());
      Until.isTrue(
          () -> {
            var about = node.client().nodes().await().get(0);
            return about.getInteger("waiting") == 0 && about.getInteger("running") == 0;
          });
      assertEquals(asked.get(), told.get());
    }
  }
}
