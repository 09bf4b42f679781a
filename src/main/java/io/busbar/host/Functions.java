package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.HostFunction;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The Java functions of this node, by the address that specs name them with. */
public final class Functions {
  private final Map<String, Object> functions = new ConcurrentHashMap<>();

  /** From now on the function answers imports with this address; fails with {@code CONFLICT}. */
  public void put(String address, HostFunction function) {
    add(address, function);
  }

  /** The same for a function that answers later. */
  public void put(String address, AsyncFunction function) {
    add(address, function);
  }

  private void add(String address, Object function) {
    if (functions.putIfAbsent(address, function) != null) {
      throw Failure.CONFLICT.because("a function already answers at `%s`", address);
    }
  }

  public void remove(String address) {
    functions.remove(address);
  }

  /** Whether a function answers at this address. */
  boolean has(String address) {
    return functions.containsKey(address);
  }

  /** The function that answers on the guest's thread; null if there is none. */
  HostFunction find(String address) {
    return functions.get(address) instanceof HostFunction function ? function : null;
  }

  /** The function that answers later; null if there is none. */
  AsyncFunction findAsync(String address) {
    return functions.get(address) instanceof AsyncFunction function ? function : null;
  }
}
