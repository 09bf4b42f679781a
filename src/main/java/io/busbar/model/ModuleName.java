package io.busbar.model;

import java.util.Optional;
import java.util.function.Predicate;

/**
 * A name that a module goes by with one user, or where there is none with the operator.
 *
 * @param text a name or {@code name:version}
 */
public record ModuleName(Optional<String> owner, String text) {
  private static final String OF = "/"; // no name contains it

  public static ModuleName of(Optional<String> owner, ModuleRef.Named name) {
    return new ModuleName(owner, name.toString());
  }

  /** The name without its version. */
  public static ModuleName bare(Optional<String> owner, ModuleRef.Named name) {
    return new ModuleName(owner, name.name());
  }

  /** From its {@link #key}. */
  public static ModuleName parse(String key) {
    int end = key.lastIndexOf(OF);
    return end < 0
        ? new ModuleName(Optional.empty(), key)
        : new ModuleName(Optional.of(key.substring(0, end)), key.substring(end + OF.length()));
  }

  /** What it is among the names of all: {@code calc:1.2}, or a user's {@code acme/calc:1.2}. */
  public String key() {
    return owner.map(user -> user + OF + text).orElse(text);
  }

  /** Whether taking {@code ref} away takes this name of the same module and owner away. */
  public boolean isCoveredBy(ModuleRef ref) {
    return ref instanceof ModuleRef.Named named
        && (text.equals(named.toString()) || text.equals(named.name()));
  }

  /**
   * How who asks knows it: the operator by its key; a user without the owner, and one of the
   * operator's only where it means the same to that user.
   *
   * @param keepers of the module
   * @param known whether a key is a name of any module
   */
  public Optional<String> shownTo(Reach who, Keepers keepers, Predicate<String> known) {
    if (who.isOperator()) {
      return Optional.of(key());
    }
    boolean isTheirs = owner.equals(who.user());
    boolean isShared = owner.isEmpty() && who.shared() && keepers.operator();
    return isTheirs || isShared && !known.test(new ModuleName(who.user(), text).key())
        ? Optional.of(text)
        : Optional.empty();
  }
}
