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

  /** Whether it needs hardly any stack; see {@link #small}. */
  default boolean isSmall() {
    return false;
  }

  /**
   * The same function, called without looking first whether stack is left, which takes longer than
   * a small function does. Only for code that loads no class after its first calls: a guest may
   * call it at the very end of its stack, and a class whose initialisation fails there stays
   * broken.
   */
  static HostFunction small(HostFunction function) {
    return new HostFunction() {
      @Override
      public List<?> call(Caller caller, List<Object> args) throws Exception {
        return function.call(caller, args);
      }

      @Override
      public boolean isSmall() {
        return true;
      }
    };
  }
}
