package io.busbar.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Where an instance may live, how many copies of it there are, and what becomes of it when its node
 * goes.
 *
 * @param labels what a node must have to take it
 * @param state whether something is lost when it begins anew
 * @param staysDown whether it is gone with a node that is lost; else another starts it afresh
 * @param replicas copies that share its id and address, each with a state of its own
 */
public record Home(Map<String, String> labels, State state, boolean staysDown, int replicas) {
  /** On any node, and again on another. */
  public static final Home ANYWHERE = new Home(Map.of(), State.VOLATILE, false, 1);

  /** The most copies of one instance. */
  public static final int MOST_REPLICAS = 1000;

  public Home {
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    Objects.requireNonNull(state, "state");
    if (replicas < 1 || replicas > MOST_REPLICAS) {
      throw Failure.BAD_REQUEST.because(
          "`replicas` must be 1 to %d, not %d", MOST_REPLICAS, replicas);
    }
  }

  /** One more label that a node must have. */
  public Home withLabel(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(labels);
    more.put(name, value);
    return new Home(more, state, staysDown, replicas);
  }

  public Home withState(State state) {
    return new Home(labels, state, staysDown, replicas);
  }

  public Home withStaysDown(boolean staysDown) {
    return new Home(labels, state, staysDown, replicas);
  }

  public Home withReplicas(int replicas) {
    return new Home(labels, state, staysDown, replicas);
  }

  /** What is said where no node may take it. */
  public WasmException nowhere() {
    return Failure.UNAVAILABLE.because("no node has the labels %s", Names.shown(labels.toString()));
  }

  /** Whether a node with these labels may take it. */
  public boolean admits(Map<String, String> node) {
    return node.entrySet().containsAll(labels.entrySet());
  }
}
