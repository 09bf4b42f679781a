package io.busbar.spec;

import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.busbar.model.WasmException;
import io.busbar.spec.Command.Action;
import io.busbar.spec.Command.Form;
import io.busbar.spec.Command.Source;
import io.vertx.core.json.JsonObject;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Plays one script on a stage, and judges each command. */
final class Player {
  private static final String REFERENCES = "references across the border";
  private static final String SHARED = "an instance that goes by two names";
  private static final String FAILED_START = "what a failed start left in another instance";
  private static final String BEFORE = "an import that has grown before it was linked";
  private static final String LAST = "";

  private final Stage stage;
  private final String file;
  private final Tally tally;

  private final Map<String, Loaded> modules = new HashMap<>();
  private final Map<String, Actor> actors = new HashMap<>();
  private final Map<String, Actor> registered = new HashMap<>();
  private final Map<Actor, Cast> casts = new IdentityHashMap<>();
  private final Map<Actor, String> doubts = new IdentityHashMap<>();
  private long deeds;

  Player(Stage stage, String file, Tally tally) {
    this.stage = stage;
    this.file = file;
    this.tally = tally;
  }

  /** A module that was put, or why it was not. */
  private record Loaded(ModuleId id, Verdict problem) {}

  void play(List<Command> commands) {
    try {
      for (Command command : commands) {
        Verdict verdict = verdict(command);
        tally.count(file + ":" + command.line(), kind(command), verdict);
      }
    } finally {
      stage.clear();
    }
  }

  private static String kind(Command command) {
    if (command instanceof Command.AssertTrap assertion) {
      return assertion.kind();
    } else if (command instanceof Command.AssertRefused refused) {
      String form = refused.source().form() == Form.QUOTE ? " (text)" : "";
      return refused.kind() + (refused.kind().equals("assert_malformed") ? form : "");
    } else if (command instanceof Command.AssertReturn) {
      return "assert_return";
    } else if (command instanceof Command.Do) {
      return "action";
    }
    return command instanceof Command.Register ? "register" : "module";
  }

  private Verdict verdict(Command command) {
    if (command instanceof Command.Define define) {
      return define(define);
    } else if (command instanceof Command.Instantiate instantiate) {
      Loaded module = modules.get(instantiate.module().orElse(LAST));
      return enter(instantiate.name(), start(module));
    } else if (command instanceof Command.Register register) {
      Actor actor = actor(register.instance());
      registered.put(register.as(), actor);
      return actor.problem();
    } else if (command instanceof Command.Do action) {
      return judge(action.action(), new Expected.Anything());
    } else if (command instanceof Command.AssertReturn assertion) {
      return judge(assertion.action(), new Expected.Results(assertion.results()));
    } else if (command instanceof Command.AssertTrap assertion) {
      return judge(assertion.action(), new Expected.Trap(assertion.kind(), assertion.text()));
    }
    return refused((Command.AssertRefused) command);
  }

  private Verdict define(Command.Define define) {
    Loaded module = load(define.source());
    modules.put(LAST, module);
    define.name().ifPresent(name -> modules.put(name, module));
    return define.start() ? enter(define.name(), start(module)) : module.problem();
  }

  private Verdict enter(Optional<String> name, Actor actor) {
    actors.put(LAST, actor);
    name.ifPresent(text -> actors.put(text, actor));
    return actor.problem();
  }

  private Actor actor(Optional<String> name) {
    return actors.getOrDefault(
        name.orElse(LAST), Actor.missing(Verdict.failed("no instance %s", name)));
  }

  private Loaded load(Source source) {
    byte[] bytes = source.bytes();
    if (source.form() == Form.TEXT) {
      try {
        bytes = Texts.toBinary(bytes);
      } catch (IllegalArgumentException e) {
        return new Loaded(null, unreadable(source, e));
      }
    }
    try {
      return new Loaded(stage.put(bytes), Verdict.PASSED);
    } catch (WasmException e) {
      return new Loaded(null, refusal(source, e));
    }
  }

  private static Verdict unreadable(Source source, IllegalArgumentException e) {
    return Proposals.refused(source.bytes())
        .map(Verdict::unsupported)
        .orElseGet(() -> Verdict.notConverted(e.getMessage()));
  }

  private static Verdict refusal(Source source, WasmException e) {
    Optional<String> proposal =
        source.form() == Form.BINARY
            ? Proposals.refusedBinary(source.bytes())
            : Proposals.refused(source.bytes());
    return proposal
        .or(() -> Proposals.named(e.getMessage()))
        .map(Verdict::unsupported)
        .orElseGet(() -> Verdict.failed("%s", e));
  }

  private Actor start(Loaded module) {
    if (!module.problem().passed()) {
      return Actor.missing(module.problem());
    }
    JsonObject description = stage.describe(module.id());
    Map<String, Actor> links = links(description);
    for (Actor link : links.values()) {
      if (!link.problem().passed()) {
        return Actor.missing(link.problem());
      }
    }
    InstanceSpec spec = InstanceSpec.of(new ModuleRef.Digest(module.id()));
    for (Map.Entry<String, Actor> link : links.entrySet()) {
      spec = spec.withLink(link.getKey(), link.getValue().link());
    }
    try {
      Actor actor = new Actor(module.id(), description, links, stage.start(spec), Verdict.PASSED);
      gather(actor);
      return actor;
    } catch (WasmException e) {
      links.values().forEach(link -> doubt(link, FAILED_START));
      boolean changed = links.values().stream().anyMatch(link -> casts.get(link).hasActed());
      return Actor.missing(
          changed && e.failure() == Failure.LINK
              ? Verdict.border(BEFORE)
              : Verdict.failed("%s", e));
    }
  }

  private Map<String, Actor> links(JsonObject description) {
    Map<String, Actor> links = new LinkedHashMap<>();
    for (Object wanted : description.getJsonArray("imports")) {
      String from = ((JsonObject) wanted).getString("module");
      if (registered.containsKey(from)) {
        links.put(from, registered.get(from));
      }
    }
    return links;
  }

  private void gather(Actor actor) {
    Cast cast = new Cast(actor);
    Cast all = actor.links().isEmpty() ? cast : null;
    for (Actor link : actor.links().values()) {
      Cast theirs = casts.get(link);
      if (all == null) {
        all = theirs;
      } else {
        all.join(theirs);
      }
    }
    all.join(cast);
    for (Actor member : all.actors()) {
      casts.put(member, all);
    }
  }

  private void doubt(Actor actor, String why) {
    casts.get(actor).actors().forEach(member -> doubts.putIfAbsent(member, why));
  }

  private Verdict judge(Action action, Expected expected) {
    Actor actor = actor(action.instance());
    if (!actor.problem().passed()) {
      return actor.problem();
    }
    if (action instanceof Command.Invoke invoke
        && invoke.args().stream().anyMatch(Constant::isForeign)) {
      doubt(actor, REFERENCES);
      return Verdict.border(REFERENCES);
    }
    Verdict verdict = attempt(actor, action, expected);
    return verdict.kind() == Verdict.Kind.FAILED && doubts.containsKey(actor)
        ? Verdict.border(doubts.get(actor))
        : verdict;
  }

  private Verdict attempt(Actor actor, Action action, Expected expected) {
    try {
      return expected.results(casts.get(actor).act(deeds++, actor, action, stage));
    } catch (WasmException e) {
      return expected.failure(e);
    } catch (Cast.TwoNames e) {
      return Verdict.border(SHARED);
    }
  }

  private Verdict refused(Command.AssertRefused assertion) {
    Set<String> atPut = Set.of("assert_malformed", "assert_invalid");
    return atPut.contains(assertion.kind())
        ? refusedAtPut(assertion.source())
        : refusedAtStart(assertion);
  }

  private Verdict refusedAtPut(Source source) {
    byte[] bytes = source.bytes();
    if (source.form() == Form.TEXT) {
      try {
        bytes = Texts.toBinary(bytes);
      } catch (IllegalArgumentException e) {
        return unreadable(source, e);
      }
    }
    try {
      stage.put(bytes);
      return Verdict.failed("accepted");
    } catch (WasmException e) {
      return e.failure() == Failure.INVALID_MODULE ? Verdict.PASSED : Verdict.failed("%s", e);
    }
  }

  private Verdict refusedAtStart(Command.AssertRefused assertion) {
    Loaded module = load(assertion.source());
    if (!module.problem().passed()) {
      return module.problem();
    }
    Map<String, Actor> links = links(stage.describe(module.id()));
    InstanceSpec spec = InstanceSpec.of(new ModuleRef.Digest(module.id()));
    for (Map.Entry<String, Actor> link : links.entrySet()) {
      if (!link.getValue().problem().passed()) {
        return link.getValue().problem();
      }
      spec = spec.withLink(link.getKey(), link.getValue().link());
    }
    try {
      stage.start(spec);
      return Verdict.failed("started");
    } catch (WasmException e) {
      links.values().forEach(link -> doubt(link, FAILED_START));
      return new Expected.Trap(assertion.kind(), assertion.text()).failure(e);
    }
  }
}
