package io.busbar.cluster;

import io.busbar.model.Home;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Which node an instance is put on: a pure function, alike on every node. */
final class Placement {
  /** The label that says which nodes are likely to be lost together. */
  static final String ZONE = "zone";

  /**
   * A node that may be given an instance.
   *
   * @param instances how many it has
   * @param copies how many of them are copies of the same instance
   */
  record Candidate(String node, Map<String, String> labels, int instances, int copies) {
    Candidate(String node, Map<String, String> labels, int instances) {
      this(node, labels, instances, 0);
    }

    private String zone() {
      return labels.getOrDefault(ZONE, "");
    }
  }

  private Placement() {}

  /**
   * The nodes that may take it, best first: with the fewest copies of it, itself and its zone; of
   * those the least loaded, itself and its zone; of those the one its key points to.
   */
  static List<String> ranked(String key, Home home, Collection<Candidate> candidates) {
    Map<String, Integer> copies = new HashMap<>();
    Map<String, Integer> instances = new HashMap<>();
    for (Candidate candidate : candidates) {
      copies.merge(candidate.zone(), candidate.copies, Integer::sum);
      instances.merge(candidate.zone(), candidate.instances, Integer::sum);
    }
    return candidates.stream()
        .filter(candidate -> home.admits(candidate.labels))
        .sorted(
            Comparator.comparingInt(Candidate::copies)
                .thenComparing(c -> copies.get(c.zone()))
                .thenComparing(Candidate::instances)
                .thenComparing(c -> instances.get(c.zone()))
                .thenComparing(Comparator.comparingLong(c -> -weight(key, c.node)))
                .thenComparing(Candidate::node))
        .map(Candidate::node)
        .toList();
  }

  /**
   * The node that takes an instance over: not by their loads, which look different from everywhere
   * while many instances move.
   */
  static Optional<String> heir(String key, Home home, Collection<Candidate> candidates) {
    List<Candidate> equal =
        candidates.stream().map(c -> new Candidate(c.node, c.labels, 0, c.copies)).toList();
    return ranked(key, home, equal).stream().findFirst();
  }

  /** Rendezvous hashing: what one node loses goes to all others alike, and nothing else moves. */
  private static long weight(String key, String node) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : (node + '/' + key).getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ b) * 0x100000001b3L;
    }
    hash = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
    return (hash ^ hash >>> 33) >>> 1; // not negative
  }
}
