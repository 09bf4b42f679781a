package io.busbar.host;

import io.vertx.core.Future;
import java.util.List;

/** A Java function of this node that answers an import later; the guest's thread waits for it. */
@FunctionalInterface
public interface AsyncFunction {
  /**
   * Answers one call of the import.
   *
   * @param caller the address of the instance that waits
   * @param chain the instances whose calls wait, outermost first
   */
  Future<List<Object>> call(String caller, List<String> chain, List<Object> args);
}
