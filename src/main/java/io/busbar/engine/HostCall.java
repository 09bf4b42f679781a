package io.busbar.engine;

import io.busbar.model.Caller;
import io.busbar.model.ImportSpec;
import java.util.List;

/** The one way a guest leaves the engine: the call of an import, answered on the guest's thread. */
@FunctionalInterface
public interface HostCall {
  /** The detail of an exception that holds a failure code which is not ours. */
  String FOREIGN_CODE = "foreignCode";

  /** KiB of stack that must be left to answer this import; 0 where a frame or two are enough. */
  default int headroom(ImportSpec called) {
    return Headroom.FUNCTION;
  }

  /**
   * Answers an import.
   *
   * @param caller the waiting guest; valid until this returns
   * @return the results, to be checked against the import's signature
   * @throws Exception any; InterruptedException where the guest's thread was interrupted
   */
  List<?> answer(ImportSpec called, Caller caller, List<Object> args) throws Exception;
}
