package io.busbar.spec;

import io.busbar.spec.Command.Action;
import io.busbar.spec.Command.Form;
import io.busbar.spec.Command.Source;
import io.busbar.spec.text.Term;
import io.busbar.spec.text.TermReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A file of the suite as commands. */
final class Script {
  private static final Set<String> HEADS =
      Set.of("module", "register", "invoke", "get", "assert_return");

  private final byte[] source;
  private int counted;
  private int line = 1;

  private Script(byte[] source) {
    this.source = source;
  }

  /** The commands of a file; fails with an {@link IllegalArgumentException} for one it lacks. */
  static List<Command> read(Path file) throws IOException {
    return read(Files.readAllBytes(file));
  }

  static List<Command> read(byte[] source) {
    Script script = new Script(source);
    List<Term> terms = TermReader.read(source);
    if (!terms.isEmpty() && !isCommand(terms.get(0))) {
      return List.of(script.bare());
    }
    List<Command> commands = new ArrayList<>();
    for (Term term : terms) {
      commands.add(script.command((Term.Group) term));
    }
    return commands;
  }

  private static boolean isCommand(Term term) {
    return term instanceof Term.Group group
        && (HEADS.contains(group.head()) || group.head().startsWith("assert_"));
  }

  /** A file that is one module, its fields without a parenthesis around them. */
  private Command bare() {
    return new Command.Define(1, Optional.empty(), new Source(Form.TEXT, source), true);
  }

  private int line(Term term) {
    for (; counted < term.start(); counted++) {
      line += source[counted] == '\n' ? 1 : 0;
    }
    return line;
  }

  private Command command(Term.Group group) {
    int line = line(group);
    List<Term> rest = group.items().subList(1, group.items().size());
    return switch (group.head()) {
      case "module" -> module(line, group, rest);
      case "register" -> new Command.Register(line, text(rest.get(0)), name(rest, 1));
      case "invoke", "get" -> new Command.Do(line, action(group));
      case "assert_return" ->
          new Command.AssertReturn(
              line, action(rest.get(0)), Constant.all(rest.subList(1, rest.size())));
      case "assert_trap", "assert_exception", "assert_exhaustion" -> failing(line, group, rest);
      case "assert_malformed", "assert_invalid", "assert_unlinkable" ->
          new Command.AssertRefused(line, group.head(), source(rest.get(0)), text(rest.get(1)));
      default -> throw new IllegalArgumentException("unknown command " + group.head());
    };
  }

  private Command failing(int line, Term.Group group, List<Term> rest) {
    String text = rest.size() > 1 ? text(rest.get(1)) : "";
    return rest.get(0).starts("module")
        ? new Command.AssertRefused(line, group.head(), source(rest.get(0)), text)
        : new Command.AssertTrap(line, group.head(), action(rest.get(0)), text);
  }

  private Command module(int line, Term.Group group, List<Term> rest) {
    if (!rest.isEmpty() && rest.get(0).is("instance")) {
      return new Command.Instantiate(line, name(rest, 1), name(rest, 2));
    }
    boolean definition = !rest.isEmpty() && rest.get(0).is("definition");
    return new Command.Define(line, name(rest, definition ? 1 : 0), source(group), !definition);
  }

  private Source source(Term term) {
    List<Term> items = ((Term.Group) term).items();
    int at = 1;
    int definition = -1;
    if (items.size() > at && items.get(at).is("definition")) {
      definition = at++;
    }
    if (items.size() > at && items.get(at).isName()) {
      at++;
    }
    if (items.size() > at && items.get(at).is("binary")) {
      return new Source(Form.BINARY, joined(items.subList(at + 1, items.size()), false));
    } else if (items.size() > at && items.get(at).is("quote")) {
      return new Source(Form.QUOTE, joined(items.subList(at + 1, items.size()), true));
    }
    byte[] text = java.util.Arrays.copyOfRange(source, term.start(), term.end());
    if (definition > 0) { // blanked out
      Term word = items.get(definition);
      java.util.Arrays.fill(
          text, word.start() - term.start(), word.end() - term.start(), (byte) ' ');
    }
    return new Source(Form.TEXT, text);
  }

  /** Pieces of a quoted module are separate words. */
  private static byte[] joined(List<Term> pieces, boolean apart) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (Term piece : pieces) {
      joined.writeBytes(((Term.Quoted) piece).bytes());
      if (apart) {
        joined.write('\n');
      }
    }
    return joined.toByteArray();
  }

  private static Action action(Term term) {
    Term.Group group = (Term.Group) term;
    List<Term> rest = group.items().subList(1, group.items().size());
    Optional<String> instance = name(rest, 0);
    int at = instance.isPresent() ? 1 : 0;
    String export = text(rest.get(at));
    return switch (group.head()) {
      case "invoke" ->
          new Command.Invoke(instance, export, Constant.all(rest.subList(at + 1, rest.size())));
      case "get" -> new Command.Get(instance, export);
      default -> throw new IllegalArgumentException("unknown action " + group.head());
    };
  }

  private static Optional<String> name(List<Term> terms, int at) {
    return terms.size() > at && terms.get(at).isName()
        ? Optional.of(((Term.Word) terms.get(at)).text())
        : Optional.empty();
  }

  private static String text(Term term) {
    return new String(((Term.Quoted) term).bytes(), StandardCharsets.UTF_8);
  }
}
