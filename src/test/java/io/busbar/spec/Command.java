package io.busbar.spec;

import java.util.List;
import java.util.Optional;

/** One command of a script, with the line it starts at. */
sealed interface Command {
  int line();

  /** How a module is written down. */
  enum Form {
    TEXT,
    BINARY,
    QUOTE
  }

  /** A module as it stands in a script: its text, what is quoted, or its binary. */
  record Source(Form form, byte[] bytes) {}

  /** Something done to an instance; no instance named means the last one. */
  sealed interface Action {
    Optional<String> instance();

    String export();
  }

  record Invoke(Optional<String> instance, String export, List<Constant> args) implements Action {}

  record Get(Optional<String> instance, String export) implements Action {}

  /** A module that is to be valid, and with {@code start} also to be instantiated. */
  record Define(int line, Optional<String> name, Source source, boolean start) implements Command {}

  /** One more instance of a module defined before. */
  record Instantiate(int line, Optional<String> name, Optional<String> module) implements Command {}

  /** From now on this instance's exports can be imported under this name. */
  record Register(int line, String as, Optional<String> instance) implements Command {}

  record Do(int line, Action action) implements Command {}

  record AssertReturn(int line, Action action, List<Constant> results) implements Command {}

  /** An action fails: with a trap, an exception, or an exhausted stack. */
  record AssertTrap(int line, String kind, Action action, String text) implements Command {}

  /** A module is refused: not well-formed, not valid, not to be linked, or it traps at start. */
  record AssertRefused(int line, String kind, Source source, String text) implements Command {}
}
