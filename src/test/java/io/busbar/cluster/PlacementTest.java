package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.cluster.Placement.Candidate;
import io.busbar.model.Home;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which node takes an instance: the same answer for the same question. */
class PlacementTest {
  private static final Candidate A = new Candidate("a", Map.of("zone", "1", "disk", "fast"), 5);
  private static final Candidate B = new Candidate("b", Map.of("zone", "2", "disk", "fast"), 3);
  private static final Candidate C = new Candidate("c", Map.of("zone", "2"), 3);

  @Test
  void ranked_isLeastLoadedFirst_amongThoseWithTheLabels() {
    Home fast = Home.ANYWHERE.withLabel("disk", "fast");
    assertEquals(List.of("b", "a"), Placement.ranked("i", fast, List.of(A, B, C)));
    assertEquals(List.of("a"), Placement.ranked("i", fast.withLabel("zone", "1"), List.of(A, B)));
    assertEquals(List.of(), Placement.ranked("i", fast.withLabel("zone", "3"), List.of(A, B, C)));
    assertEquals("a", Placement.ranked("i", Home.ANYWHERE, List.of(A, B, C)).get(2));
  }

  @Test
  void equalNodes_shareAlike_whateverTheirOrder() {
    Map<String, Integer> taken = new HashMap<>();
    for (int i = 0; i < 1000; i++) {
      String first = Placement.ranked("i" + i, Home.ANYWHERE, List.of(B, C)).get(0);
      assertEquals(first, Placement.ranked("i" + i, Home.ANYWHERE, List.of(C, B)).get(0));
      taken.merge(first, 1, Integer::sum);
    }
    assertTrue(taken.get("b") > 400 && taken.get("c") > 400, taken::toString);
  }

  @Test
  void heir_movesOnlyWhatTheLostNodeHad() {
    Map<String, Integer> taken = new HashMap<>();
    for (int i = 0; i < 1000; i++) {
      String before = heir(i, List.of(A, B, C));
      String after = heir(i, List.of(A, B));
      if (!before.equals("c")) {
        assertEquals(before, after);
      }
      taken.merge(before, 1, Integer::sum);
    }
    taken.forEach((node, count) -> assertTrue(count > 250, taken::toString));
    assertEquals(
        Optional.empty(),
        Placement.heir("i", Home.ANYWHERE.withLabel("zone", "3"), List.of(A, B, C)));
  }

  private static String heir(int i, List<Candidate> candidates) {
    return Placement.heir("i" + i, Home.ANYWHERE, candidates).orElseThrow();
  }
}
