package io.busbar.model;

import java.time.Duration;
import java.util.Optional;

/**
 * How one imported function is answered.
 *
 * @param module where the guest looks for it, such as {@code env}
 * @param name the function's name there
 * @param signature what it takes and gives; it must be the module's own
 * @param address the event-bus address, or the Java function of that name, that answers
 * @param timeout how long an answer may take; none: as long as the guest's call may
 */
public record ImportSpec(
    String module, String name, Signature signature, String address, Optional<Duration> timeout) {
  /** An import whose answer may take as long as the guest's call may. */
  public ImportSpec(String module, String name, Signature signature, String address) {
    this(module, name, signature, address, Optional.empty());
  }

  /** {@code env.sum3}: the import as messages and errors name it. */
  public String path() {
    return module + "." + name;
  }
}
