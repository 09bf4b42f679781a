package io.busbar.model;

/** The reasons an operation can fail for; the code is the wire code, and a tenth of it HTTP's. */
public enum Failure {
  BAD_REQUEST(4000),
  BAD_PARAMS(4001),
  INVALID_MODULE(4002),
  LINK(4003),
  UNAUTHENTICATED(4010),
  FORBIDDEN(4030),
  NO_SUCH_INSTANCE(4040),
  NO_SUCH_EXPORT(4041),
  NO_SUCH_GLOBAL(4042),
  NO_SUCH_MODULE(4043),
  NO_SUCH_MEMORY(4044),
  NO_SUCH_CALLER(4045),
  CONFLICT(4090),
  IMMUTABLE_GLOBAL(4091),
  NO_FUEL(4092),
  TOO_LARGE(4130),
  OUT_OF_BOUNDS(4160),
  TRAP(4220),
  EXIT(4221),
  HOST_FUNCTION(4222),
  BAD_RESULT(4223),
  LIMIT(4224),
  OUT_OF_FUEL(4225),
  OVERLOADED(4290),
  CANCELLED(4990),
  INTERNAL(5000),
  UNAVAILABLE(5030),
  NODE_LOST(5031),
  DEADLINE(5040);

  private final int code;

  Failure(int code) {
    this.code = code;
  }

  /** The number that travels: {@code code / 10} is the HTTP status. */
  public int code() {
    return code;
  }

  /** The HTTP status of this failure. */
  public int httpStatus() {
    return code / 10;
  }

  /** The failure with this wire code; {@link #INTERNAL} for a code nobody knows. */
  public static Failure of(int code) {
    for (Failure failure : values()) {
      if (failure.code == code) {
        return failure;
      }
    }
    return INTERNAL;
  }

  /** This failure as an exception, its message made as by {@link String#format}. */
  public WasmException because(String format, Object... args) {
    return new WasmException(this, args.length == 0 ? format : String.format(format, args));
  }
}
