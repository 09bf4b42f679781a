package io.busbar;

import io.busbar.model.WasmException;

/** The exit codes of the command line, by what went wrong. */
final class Exit {
  static final int OK = 0;

  /** A bug, or a file, port or node that could not be used. */
  static final int INTERNAL = 1;

  /** The command line itself. */
  static final int USAGE = 2;

  /** What was asked for does not exist or is refused, or the arguments do not fit. */
  static final int BAD_REQUEST = 3;

  /** The module is invalid, or its imports are not there. */
  static final int BAD_MODULE = 4;

  /** The guest trapped. */
  static final int TRAP = 5;

  /** A limit: time, fuel, memory. */
  static final int LIMIT = 6;

  /** A function the guest called failed, or a result cannot leave the guest. */
  static final int HOST = 7;

  private Exit() {}

  /** A guest that ended itself hands on its own code. */
  static int of(WasmException e) {
    return switch (e.failure()) {
      case INVALID_MODULE, LINK -> BAD_MODULE;
      case TRAP -> TRAP;
      case LIMIT, OUT_OF_FUEL, DEADLINE, CANCELLED, OVERLOADED, TOO_LARGE -> LIMIT;
      case HOST_FUNCTION, BAD_RESULT -> HOST;
      case INTERNAL, UNAVAILABLE, NODE_LOST -> INTERNAL;
      case EXIT -> e.details().get("exit") instanceof Integer code && code != OK ? code : INTERNAL;
      default -> BAD_REQUEST;
    };
  }
}
