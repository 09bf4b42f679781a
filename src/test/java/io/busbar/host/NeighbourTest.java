package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.TestNode;
import io.busbar.bench.Neighbours;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Memory bombs of others do an honest user no harm. */
class NeighbourTest {
  private static final int IN_FLIGHT = 4;

  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(Neighbours.config(128 << 20));
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private Neighbours.Result run(Duration time, boolean attacked) {
    return Neighbours.run(node.vertx(), node.host(), time, IN_FLIGHT, attacked);
  }

  @Test
  void memoryBombs_costTheHonestNoErrorAndFewCalls() {
    run(Duration.ofSeconds(1), true); // warms up
    Neighbours.Result quiet = run(Duration.ofSeconds(2), false);
    Neighbours.Result attacked = run(Duration.ofSeconds(2), true);
    assertEquals(0, quiet.errors() + attacked.errors());
    assertTrue(attacked.attacks() > 0);
    double ratio = (double) attacked.calls() / quiet.calls();
    assertTrue(ratio >= 0.3, () -> quiet + " alone, " + attacked + " under attack");
    var about = node.client().nodes().await().get(0);
    assertEquals(0, about.getInteger("instances"));
    assertEquals(0, about.getJsonObject("memory").getLong("reserved"));
  }
}
