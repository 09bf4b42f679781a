package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Whoever has many lanes waits no less than whoever has one. */
class TurnsTest {
  private final Turns turns = new Turns(2);

  private static Lane lane(String user) {
    return new Lane(null, "x", Optional.ofNullable(user), 1);
  }

  private String next() {
    Lane lane = turns.poll();
    turns.done(lane);
    return lane.user().orElse("operator");
  }

  @Test
  void users_takeTurns() {
    for (int i = 0; i < 4; i++) {
      turns.add(lane("ann"));
    }
    turns.add(lane("bob"));
    turns.add(lane(null));
    turns.add(lane(null));
    List<String> order = new ArrayList<>();
    while (!turns.isEmpty()) {
      order.add(next());
    }
    assertEquals(List.of("ann", "bob", "operator", "ann", "operator", "ann", "ann"), order);
    assertNull(turns.poll());
  }

  @Test
  void lanesOfOneUser_runInTheirOrder() {
    Lane first = lane("ann");
    Lane second = lane("ann");
    turns.add(first);
    turns.add(second);
    assertSame(first, turns.poll());
    assertSame(second, turns.poll());
  }

  @Test
  void user_hasSoManyRunningAndNoMore_theOperatorAny() {
    for (int i = 0; i < 3; i++) {
      turns.add(lane("ann"));
      turns.add(lane(null));
    }
    Lane running = null;
    for (int i = 0; i < 5; i++) {
      Lane lane = turns.poll();
      running = lane.user().isPresent() ? lane : running;
    }
    assertTrue(turns.isEmpty());
    assertNull(turns.poll());
    turns.done(running);
    assertFalse(turns.isEmpty());
    assertEquals(Optional.of("ann"), turns.poll().user());
  }
}
