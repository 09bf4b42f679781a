package io.busbar.wire;

import io.busbar.model.Names;

/** Every address of the protocol, below one prefix. */
public record Addresses(String prefix) {
  /** The prefix where the configuration names no other: {@code wasm}. */
  public static final Addresses STANDARD = new Addresses("wasm");

  public Addresses {
    Names.check("bus prefix", prefix);
  }

  /** Answers for modules, on any node. */
  public String modules() {
    return prefix + ".modules";
  }

  /** Answers for instances, on any node; with the header {@code instance}, for that one. */
  public String instances() {
    return prefix + ".instances";
  }

  /** Answers for one instance. */
  public String instance(String id) {
    return prefix + ".instance." + id;
  }

  /** Answers for nodes, on any of them. */
  public String nodes() {
    return prefix + ".nodes";
  }

  /** The internal address of one node. */
  public String node(String id) {
    return prefix + ".node." + id;
  }

  /** Answers for the instance that waits for a callback, as long as it waits. */
  public String caller(String token) {
    return prefix + ".caller." + token;
  }

  /** What happened to modules, instances and nodes is published here. */
  public String events() {
    return prefix + ".events";
  }

  /** What one WASI guest writes is published here, if its spec says so. */
  public String stdio(String id) {
    return prefix + ".stdio." + id;
  }

  /** Whether an address is Busbar's own, where no answer may be sent. */
  public boolean isOwn(String address) {
    return address.equals(prefix) || address.startsWith(prefix + ".");
  }
}
