package io.busbar.client;

import io.vertx.core.Future;
import java.util.List;

/** A function that answers an import, now or later; the guest's call waits for it. */
@FunctionalInterface
public interface ImportFunction {
  /**
   * Answers one call of the import.
   *
   * @param caller the instance that waits, until the future is done
   * @param args Integer, Long, Float, Double, {@code V128} or null, as the signature says
   * @return the results in order; what it fails with fails the guest's call
   */
  Future<List<Object>> call(CallerRef caller, List<Object> args);
}
