package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RestartBudgetTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  @Test
  void budget_isThereAgain_whenTheFirstIsLongAgo() {
    RestartBudget budget = new RestartBudget(3, Duration.ofSeconds(5));
    assertTrue(budget.take(0));
    assertTrue(budget.take(2 * SECOND));
    assertTrue(budget.take(4 * SECOND));
    assertFalse(budget.take(5 * SECOND));
    assertTrue(budget.take(6 * SECOND));
    assertFalse(budget.take(6 * SECOND));
    assertTrue(budget.take(8 * SECOND));
  }
}
