package io.busbar.model;

import java.util.List;

/** A Java function that answers an import, on the guest's own thread. */
@FunctionalInterface
public interface HostFunction {
  /**
   * Answers one call of the import.
   *
   * @param caller the instance that waits; valid until this returns, on this thread
   * @param args Integer, Long, Float, Double, {@link V128} or null, as the signature says
   * @return the results in order; an empty list for none
   * @throws Exception any: the guest's call fails with {@code HOST_FUNCTION}, the instance lives
   */
  List<?> call(Caller caller, List<Object> args) throws Exception;
}
