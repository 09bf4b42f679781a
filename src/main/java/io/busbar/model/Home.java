package io.busbar.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where an instance may live, and what becomes of it when its node is lost.
 *
 * @param labels what a node must have to take it
 * @param staysDown whether it is gone with its node; else another node starts it afresh
 */
public record Home(Map<String, String> labels, boolean staysDown) {
  /** On any node, and again on another. */
  public static final Home ANYWHERE = new Home(Map.of(), false);

  public Home {
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
  }

  /** One more label that a node must have. */
  public Home withLabel(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(labels);
    more.put(name, value);
    return new Home(more, staysDown);
  }

  public Home withStaysDown(boolean staysDown) {
    return new Home(labels, staysDown);
  }

  /** Whether a node with these labels may take it. */
  public boolean admits(Map<String, String> node) {
    return node.entrySet().containsAll(labels.entrySet());
  }
}
