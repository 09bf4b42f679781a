package io.busbar.host;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Library;
import io.busbar.model.Failure;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleInfo;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Answers for the modules of this node: puts, describes, names and removes them. */
final class ModuleService {
  private final Library store;
  private final ModuleLoader loader;
  private final Events events;

  ModuleService(Library store, ModuleLoader loader, Events events) {
    this.store = store;
    this.loader = loader;
    this.events = events;
  }

  Future<Body> handle(Ask ask) {
    Body body = ask.body();
    Reach who = ask.reach();
    return switch (ask.action()) {
      case "put" -> put(Codec.moduleBytes(body), name(body), who);
      case "get" -> get(ref(body), who);
      case "list" -> loader.blocking(() -> Body.of("modules", list(who)));
      case "describe" -> describe(ref(body), who);
      case "tag" -> tag(ref(body), name(body), who);
      case "remove" -> remove(ref(body), who);
      default -> throw ask.unknownAction();
    };
  }

  private static ModuleRef ref(Body body) {
    return ModuleRef.parse(body.string("module"));
  }

  private static Optional<ModuleRef.Named> name(Body body) {
    Optional<String> name = body.optionalString("name");
    Optional<String> version = body.optionalString("version");
    if (version.isPresent() && name.isEmpty()) {
      throw Failure.BAD_REQUEST.because("`version` needs a `name`");
    }
    return name.map(n -> new ModuleRef.Named(n, version.orElse(null)));
  }

  private Future<Body> put(byte[] bytes, Optional<ModuleRef.Named> name, Reach who) {
    return loader
        .load(bytes, false)
        .compose(
            loaded ->
                loader.using(
                    loaded.module(), () -> put(loaded.module(), loaded.wasm(), name, who)));
  }

  private Body put(CompiledModule module, byte[] wasm, Optional<ModuleRef.Named> name, Reach who) {
    boolean added = store.put(module.id(), wasm, name, who);
    Map<String, Object> fields = fields(module.info(), who);
    tell("module.put", module.id(), who);
    fields.put("new", added);
    return Body.of(fields);
  }

  private void tell(String event, ModuleId id, Reach who) {
    events.happened(event, Map.of("module", id.toString()), who.user());
  }

  private Future<Body> get(ModuleRef ref, Reach who) {
    return loader.blocking(
        () -> {
          ModuleId id = store.resolve(ref, who);
          Map<String, Object> fields = new LinkedHashMap<>();
          fields.put("module", id.toString());
          fields.put("bytes", store.bytes(id).clone());
          return Body.of(fields);
        });
  }

  private List<Object> list(Reach who) {
    return store.list(who).stream().<Object>map(ModuleService::fields).toList();
  }

  private static Map<String, Object> fields(Library.Stored stored) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("module", stored.id().toString());
    fields.put("size", stored.size());
    fields.put("tags", stored.tags());
    fields.put("instances", stored.instances());
    return fields;
  }

  private Map<String, Object> fields(ModuleInfo info, Reach who) {
    Map<String, Object> fields = Codec.fields(info);
    Library.Stored stored = store.stored(info.id(), who);
    fields.put("tags", stored.tags());
    fields.put("instances", stored.instances());
    return fields;
  }

  private Future<Body> describe(ModuleRef ref, Reach who) {
    return loader
        .load(() -> store.bytes(store.resolve(ref, who)), false)
        .compose(
            loaded ->
                loader.using(loaded.module(), () -> Body.of(fields(loaded.module().info(), who))));
  }

  private Future<Body> tag(ModuleRef ref, Optional<ModuleRef.Named> name, Reach who) {
    if (name.isEmpty()) {
      throw Failure.BAD_REQUEST.because("`name` is missing");
    }
    return loader.blocking(
        () -> {
          ModuleId id = store.resolve(ref, who);
          store.tag(name.get(), id, who);
          return Body.of(fields(store.stored(id, who)));
        });
  }

  private Future<Body> remove(ModuleRef ref, Reach who) {
    return loader.blocking(
        () -> {
          Library.Removed removed = store.remove(ref, who);
          if (removed.deleted()) {
            loader.forget(removed.id());
          }
          if (removed.gone()) {
            tell("module.removed", removed.id(), who);
          }
          Map<String, Object> fields = new LinkedHashMap<>();
          fields.put("removed", ref.toString());
          fields.put("gone", removed.gone());
          return Body.of(fields);
        });
  }
}
