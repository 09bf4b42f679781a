package io.busbar.host;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Link;
import io.busbar.engine.ModuleStore;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleInfo;
import io.busbar.model.ModuleRef;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.WorkerExecutor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Answers for the modules of this node: puts, describes, names and removes them. */
final class ModuleService {
  private static final int MOST_WAITING = 64;

  private final ModuleStore store;
  private final Compiler compiler;
  private final WorkerExecutor blocking;
  private final Events events;
  private final int mostBytes;
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicLong starts = new AtomicLong();

  ModuleService(
      ModuleStore store, Compiler compiler, WorkerExecutor blocking, Events events, int mostBytes) {
    this.store = store;
    this.compiler = compiler;
    this.blocking = blocking;
    this.events = events;
    this.mostBytes = mostBytes;
  }

  Future<Body> handle(Ask ask) {
    Body body = ask.body();
    return switch (ask.action()) {
      case "put" -> put(Codec.moduleBytes(body), name(body));
      case "get" -> get(ref(body));
      case "list" -> blocking(() -> Body.of("modules", list()));
      case "describe" -> describe(ref(body));
      case "tag" -> tag(ref(body), name(body));
      case "remove" -> remove(ref(body));
      default -> throw ask.unknownAction();
    };
  }

  /** Off the event loop; fails at once with {@code OVERLOADED} where too much waits already. */
  private <T> Future<T> blocking(Callable<T> work) {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      throw Failure.OVERLOADED.because("%d operations on modules wait on this node", MOST_WAITING);
    }
    return blocking.executeBlocking(work, false).onComplete(done -> waiting.decrementAndGet());
  }

  /** Off the event loop, however much waits: what an instance has used must be given back. */
  private <T> Future<T> blockingAlways(Callable<T> work) {
    return blocking.executeBlocking(work, false);
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

  private Future<Body> put(byte[] bytes, Optional<ModuleRef.Named> name) {
    checkSize(bytes);
    return blocking(
        () -> {
          byte[] wasm = Compiler.toBinary(bytes);
          CompiledModule module = compiler.load(wasm);
          try {
            boolean added = store.put(module.id(), wasm, name);
            Map<String, Object> fields = fields(module.info());
            events.happened("module.put", Map.of("module", module.id().toString()));
            fields.put("new", added);
            return Body.of(fields);
          } finally {
            compiler.release(module);
          }
        });
  }

  private byte[] checkSize(byte[] bytes) {
    if (bytes.length > mostBytes) {
      throw Failure.TOO_LARGE.because(
          "a module of %d bytes; this node takes at most %d", bytes.length, mostBytes);
    }
    return bytes;
  }

  /** The modules of one instance: its own and those it links to; each is in use by this user. */
  record Used(CompiledModule module, List<Link> links, String user) {
    /** The spec with the digests of these modules instead of names and bytes. */
    InstanceSpec pin(InstanceSpec spec) {
      return spec.withModule(new ModuleRef.Digest(module.id())).withLinks(pinned(links));
    }

    private static Map<String, LinkSpec> pinned(List<Link> links) {
      Map<String, LinkSpec> specs = new LinkedHashMap<>();
      for (Link link : links) {
        ModuleRef digest = new ModuleRef.Digest(link.module().id());
        specs.put(link.name(), new LinkSpec(digest, pinned(link.links())));
      }
      return specs;
    }
  }

  /** Takes the modules a spec names, or brings along, into use by one start of this instance. */
  Future<Used> use(InstanceSpec spec, String instance, boolean metered, Job.Time time) {
    User user = new User(ModuleStore.user(instance, starts.incrementAndGet()), metered, time);
    return blocking(
        () -> {
          CompiledModule module = use(spec.module(), user);
          try {
            return new Used(module, links(spec.links(), user), user.name);
          } catch (RuntimeException e) {
            release(module, user.name);
            throw e;
          }
        });
  }

  /** Who takes modules into use: as metered ones or not, and within which time. */
  private record User(String name, boolean metered, Job.Time time) {}

  private List<Link> links(Map<String, LinkSpec> specs, User user) {
    List<Link> links = new ArrayList<>();
    try {
      specs.forEach((name, spec) -> links.add(link(name, spec, user)));
      return links;
    } catch (RuntimeException e) {
      links.forEach(link -> release(link, user.name));
      throw e;
    }
  }

  private Link link(String name, LinkSpec spec, User user) {
    CompiledModule module = use(spec.module(), user);
    try {
      return new Link(name, module, links(spec.links(), user));
    } catch (RuntimeException e) {
      release(module, user.name);
      throw e;
    }
  }

  private CompiledModule use(ModuleRef ref, User user) {
    if (user.time.isOver()) {
      throw user.time.exceeded("never");
    }
    byte[] wasm =
        ref instanceof ModuleRef.Inline inline
            ? Compiler.toBinary(checkSize(inline.bytes()))
            : store.bytes(store.resolve(ref));
    CompiledModule module = compiler.load(wasm, user.metered);
    try {
      store.use(module.id(), wasm, user.name);
      return module;
    } catch (RuntimeException e) {
      compiler.release(module);
      throw e;
    }
  }

  /** The instance is gone; modules that only it brought along go too. */
  Future<Void> unuse(Used used) {
    return blockingAlways(
        () -> {
          release(used.module(), used.user());
          used.links().forEach(link -> release(link, used.user()));
          return null;
        });
  }

  private void release(Link link, String user) {
    release(link.module(), user);
    link.links().forEach(inner -> release(inner, user));
  }

  private void release(CompiledModule module, String user) {
    try {
      if (store.unuse(module.id(), user)) {
        compiler.forget(module.id());
      }
    } finally {
      compiler.release(module);
    }
  }

  private Future<Body> get(ModuleRef ref) {
    return blocking(
        () -> {
          ModuleId id = store.resolve(ref);
          Map<String, Object> fields = new LinkedHashMap<>();
          fields.put("module", id.toString());
          fields.put("bytes", store.bytes(id).clone());
          return Body.of(fields);
        });
  }

  private List<Object> list() {
    return store.list().stream().<Object>map(ModuleService::fields).toList();
  }

  private static Map<String, Object> fields(ModuleStore.Stored stored) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("module", stored.id().toString());
    fields.put("size", stored.size());
    fields.put("tags", stored.tags());
    fields.put("instances", stored.instances());
    return fields;
  }

  private Map<String, Object> fields(ModuleInfo info) {
    Map<String, Object> fields = Codec.fields(info);
    ModuleStore.Stored stored = store.stored(info.id());
    fields.put("tags", stored.tags());
    fields.put("instances", stored.instances());
    return fields;
  }

  private Future<Body> describe(ModuleRef ref) {
    return blocking(
        () -> {
          CompiledModule module = compiler.load(store.bytes(store.resolve(ref)));
          try {
            return Body.of(fields(module.info()));
          } finally {
            compiler.release(module);
          }
        });
  }

  private Future<Body> tag(ModuleRef ref, Optional<ModuleRef.Named> name) {
    if (name.isEmpty()) {
      throw Failure.BAD_REQUEST.because("`name` is missing");
    }
    return blocking(
        () -> {
          ModuleId id = store.resolve(ref);
          store.tag(name.get(), id);
          return Body.of(fields(store.stored(id)));
        });
  }

  private Future<Body> remove(ModuleRef ref) {
    return blocking(
        () -> {
          Optional<ModuleId> gone = store.remove(ref);
          gone.ifPresent(
              id -> {
                compiler.forget(id);
                events.happened("module.removed", Map.of("module", id.toString()));
              });
          Map<String, Object> fields = new LinkedHashMap<>();
          fields.put("removed", ref.toString());
          fields.put("gone", gone.isPresent());
          return Body.of(fields);
        });
  }
}
