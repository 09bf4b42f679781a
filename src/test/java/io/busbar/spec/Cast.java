package io.busbar.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import io.busbar.client.InstanceRef;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.WasmException;
import io.busbar.spec.Command.Action;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Actors that share state because one imports from another.
 *
 * <p>Busbar gives each instance links of its own, so all of them together become the links of one
 * instance, whose own module does nothing but export again what they export. It is started anew
 * when an actor joins; then what was done to the others before is done again.
 */
final class Cast {
  private static final Set<String> PLAIN =
      Set.of("i32", "i64", "f32", "f64", "v128", "funcref", "externref");

  /** Something that was done to an actor. */
  private record Deed(long number, Actor actor, Action action) {}

  private final List<Actor> actors = new ArrayList<>(); // in the order of their instantiation
  private final List<Deed> deeds = new ArrayList<>();
  private InstanceRef together; // null until it is needed

  Cast(Actor actor) {
    actors.add(actor);
  }

  /** The others join this cast. */
  void join(Cast others) {
    if (others == this) {
      return;
    }
    for (Actor actor : others.actors) {
      actors.add(actor);
    }
    deeds.addAll(others.deeds);
    deeds.sort((a, b) -> Long.compare(a.number, b.number));
    together = null;
  }

  List<Actor> actors() {
    return actors;
  }

  /** Whether anything was done to one of them. */
  boolean hasActed() {
    return !deeds.isEmpty();
  }

  /** Does it where all of them share their state. */
  List<Object> act(long number, Actor actor, Action action, Stage stage) {
    InstanceRef instance = actors.size() == 1 ? actor.instance() : together(stage);
    deeds.add(new Deed(number, actor, action));
    return Stage.act(instance, export(actor, action.export()), action);
  }

  private String export(Actor actor, String name) {
    return actors.size() == 1 ? name : actors.indexOf(actor) + "." + name;
  }

  private InstanceRef together(Stage stage) {
    if (together == null) {
      together = stage.start(spec());
      for (Deed deed : deeds) {
        try {
          Stage.act(together, export(deed.actor, deed.action.export()), deed.action);
        } catch (WasmException e) {
          continue; // it was judged when it was done
        }
      }
    }
    return together;
  }

  private InstanceSpec spec() {
    Map<Actor, String> names = names();
    InstanceSpec spec = InstanceSpec.of(new ModuleRef.Inline(text(names).getBytes(UTF_8)));
    for (Actor actor : actors) {
      spec = spec.withLink(names.get(actor), actor.link());
    }
    return spec;
  }

  /** The names by which they import from each other; fails where one goes by two. */
  private Map<Actor, String> names() {
    Map<Actor, String> names = new IdentityHashMap<>();
    Set<String> taken = new TreeSet<>();
    for (Actor actor : actors) {
      actor
          .links()
          .forEach(
              (name, link) -> {
                String before = names.putIfAbsent(link, name);
                boolean fresh = before == null && taken.add(name);
                if (!fresh && !name.equals(before)) {
                  throw new TwoNames();
                }
              });
    }
    for (Actor actor : actors) {
      names.computeIfAbsent(actor, key -> "actor " + actors.indexOf(actor));
    }
    return names;
  }

  /** An actor goes by two names, or two by one: their instances cannot be one instance's links. */
  static final class TwoNames extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private String text(Map<Actor, String> names) {
    List<String> imports = new ArrayList<>();
    List<String> exports = new ArrayList<>();
    for (Actor actor : actors) {
      JsonArray all = actor.description().getJsonArray("exports");
      for (int i = 0; i < all.size(); i++) {
        JsonObject export = all.getJsonObject(i);
        String name = export.getString("name");
        String from = "(import " + quoted(names.get(actor)) + " " + quoted(name) + " ";
        String as = "(export " + quoted(export(actor, name)) + " ";
        if (isPlainFunction(export)) {
          imports.add(from + "(func $" + imports.size() + signature(export) + "))");
          exports.add(as + "(func $" + (imports.size() - 1) + "))");
        } else if (isPlainGlobal(export)) {
          imports.add(from + "(global $" + imports.size() + " " + global(export) + "))");
          exports.add(as + "(global $" + (imports.size() - 1) + "))");
        }
      }
    }
    return "(module\n" + String.join("\n", imports) + "\n" + String.join("\n", exports) + ")";
  }

  private static boolean isPlainFunction(JsonObject export) {
    return export.getString("kind").equals("function")
        && PLAIN.containsAll(export.getJsonArray("params").getList())
        && PLAIN.containsAll(export.getJsonArray("results").getList());
  }

  private static String signature(JsonObject export) {
    return types(" (param ", export.getJsonArray("params"))
        + types(" (result ", export.getJsonArray("results"));
  }

  private static String types(String opening, JsonArray types) {
    return types.isEmpty()
        ? ""
        : types.stream().map(String::valueOf).collect(joining(" ", opening, ")"));
  }

  private static boolean isPlainGlobal(JsonObject export) {
    return export.getString("kind").equals("global")
        && PLAIN.contains(export.getString("type"))
        && !export.getString("type").equals("funcref");
  }

  private static String global(JsonObject export) {
    String type = export.getString("type");
    return export.getBoolean("mutable") ? "(mut " + type + ")" : type;
  }

  private static String quoted(String name) {
    StringBuilder quoted = new StringBuilder("\"");
    for (byte b : name.getBytes(UTF_8)) {
      quoted.append(String.format("\\%02x", b));
    }
    return quoted.append('"').toString();
  }
}
