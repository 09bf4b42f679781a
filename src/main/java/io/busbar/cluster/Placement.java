package io.busbar.cluster;

import io.busbar.model.Home;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which node an instance is put on: a pure function, alike on every node. */
final class Placement {
  /** A node that may be given an instance, with the number of those it has. */
  record Candidate(String node, Map<String, String> labels, int instances) {}

  private Placement() {}

  /**
   * The nodes that may take it, best first: least loaded, and of those the one its id points to.
   */
  static List<String> ranked(String id, Home home, Collection<Candidate> candidates) {
    return candidates.stream()
        .filter(candidate -> home.admits(candidate.labels))
        .sorted(
            Comparator.comparingInt(Candidate::instances)
                .thenComparing(Comparator.comparingLong(c -> -weight(id, c.node)))
                .thenComparing(Candidate::node))
        .map(Candidate::node)
        .toList();
  }

  /**
   * The node that takes an instance over: by its id alone, since loads look different from
   * everywhere while many instances move.
   */
  static Optional<String> heir(String id, Home home, Collection<Candidate> candidates) {
    List<Candidate> equal =
        candidates.stream().map(c -> new Candidate(c.node, c.labels, 0)).toList();
    return ranked(id, home, equal).stream().findFirst();
  }

  /** Rendezvous hashing: what one node loses goes to all others alike, and nothing else moves. */
  private static long weight(String id, String node) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : (node + '/' + id).getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ b) * 0x100000001b3L;
    }
    hash = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
    return (hash ^ hash >>> 33) >>> 1; // not negative
  }
}
