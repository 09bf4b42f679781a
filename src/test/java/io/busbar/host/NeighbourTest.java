package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.bench.Neighbours;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Memory bombs of others do an honest user no harm. */
class NeighbourTest {
  private static final int IN_FLIGHT = 4;
  private static final Duration TURN = Duration.ofSeconds(1);

  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(Neighbours.config(128 << 20));
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private Neighbours.Result run(boolean attacked) {
    return Neighbours.run(node.vertx(), node.host(), TURN, IN_FLIGHT, attacked);
  }

  /** The best of six: other work on the machine can spoil any of them. */
  @Test
  void memoryBombs_costTheHonestNoErrorAndFewCalls() {
    run(true); // warms up
    double best = 0;
    for (int i = 0; i < 6 && best < 0.3; i++) {
      Neighbours.Result quiet = run(false);
      Neighbours.Result attacked = run(true);
      assertEquals(0, quiet.errors() + attacked.errors());
      assertTrue(attacked.attacks() > 0);
      best = Math.max(best, (double) attacked.calls() / quiet.calls());
    }
    assertTrue(best >= 0.3, "calls under attack to calls alone: " + best);
    JsonObject about = node.client().nodes().await().get(0);
    assertEquals(0, about.getInteger("instances"));
    assertEquals(0, about.getJsonObject("memory").getLong("reserved"));
  }
}
