package io.busbar.model;

/**
 * How one imported function is answered.
 *
 * @param module where the guest looks for it, such as {@code env}
 * @param name the function's name there
 * @param signature what it takes and gives; it must be the module's own
 * @param address where the answer comes from
 */
public record ImportSpec(String module, String name, Signature signature, String address) {
  /** {@code env.sum3}: the import as messages and errors name it. */
  public String path() {
    return module + "." + name;
  }
}
