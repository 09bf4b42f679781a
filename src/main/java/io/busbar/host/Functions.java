package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.HostFunction;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The Java functions of this node, by the address that specs name them with. */
public final class Functions {
  private final Map<String, HostFunction> functions = new ConcurrentHashMap<>();

  /** From now on the function answers imports with this address; fails with {@code CONFLICT}. */
  public void put(String address, HostFunction function) {
    if (functions.putIfAbsent(address, function) != null) {
      throw Failure.CONFLICT.because("a function already answers at `%s`", address);
    }
  }

  public void remove(String address) {
    functions.remove(address);
  }

  /** Fails with {@code HOST_FUNCTION} where there is none. */
  HostFunction get(String address) {
    HostFunction function = functions.get(address);
    if (function == null) {
      throw Failure.HOST_FUNCTION.because("no function answers at `%s` on this node", address);
    }
    return function;
  }
}
