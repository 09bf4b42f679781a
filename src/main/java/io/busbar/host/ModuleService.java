package io.busbar.host;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Compiler;
import io.busbar.engine.Library;
import io.busbar.engine.Link;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleInfo;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.wire.Ask;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Answers for the modules of this node: puts, describes, names and removes them. */
final class ModuleService {
  private static final int MOST_WAITING = 64;

  private final Vertx vertx;
  private final Library store;
  private final Compiler compiler;
  private final WorkerExecutor blocking;
  private final Events events;
  private final int mostBytes;
  private final Set<Promise<?>> unanswered = ConcurrentHashMap.newKeySet();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicLong starts = new AtomicLong();
  private volatile boolean closed;

  ModuleService(
      Vertx vertx,
      Library store,
      Compiler compiler,
      WorkerExecutor blocking,
      Events events,
      int mostBytes) {
    this.vertx = vertx;
    this.store = store;
    this.compiler = compiler;
    this.blocking = blocking;
    this.events = events;
    this.mostBytes = mostBytes;
  }

  Future<Body> handle(Ask ask) {
    Body body = ask.body();
    Reach who = ask.reach();
    return switch (ask.action()) {
      case "put" -> put(Codec.moduleBytes(body), name(body), who);
      case "get" -> get(ref(body), who);
      case "list" -> blocking(() -> Body.of("modules", list(who)));
      case "describe" -> describe(ref(body), who);
      case "tag" -> tag(ref(body), name(body), who);
      case "remove" -> remove(ref(body), who);
      default -> throw ask.unknownAction();
    };
  }

  /** Off the event loop; fails at once with {@code OVERLOADED} where too much waits already. */
  private <T> Future<T> blocking(Callable<T> work) {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      throw Failure.OVERLOADED.because("%d operations on modules wait on this node", MOST_WAITING);
    }
    return blockingAlways(work).onComplete(done -> waiting.decrementAndGet());
  }

  /** Off the event loop, however much waits: what an instance has used must be given back. */
  private <T> Future<T> blockingAlways(Callable<T> work) {
    Promise<T> answer = Promise.promise();
    unanswered.add(answer);
    if (closed) {
      close();
    } else {
      blocking.executeBlocking(work, false).onComplete(answer::tryComplete, answer::tryFail);
    }
    return answer.future().onComplete(done -> unanswered.remove(answer));
  }

  /** The threads are gone: what waited for one is answered with {@code UNAVAILABLE}. */
  void close() {
    closed = true;
    unanswered.forEach(
        answer -> answer.tryFail(Failure.UNAVAILABLE.because("the node is closing")));
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

  /** A module in memory, which whoever asked for it uses until it is released, and its binary. */
  private record Loaded(CompiledModule module, byte[] wasm) {}

  /** The same while it is parsed. */
  private record Loading(CompletableFuture<CompiledModule> module, byte[] wasm) {}

  /** Parses on the compiler's threads: this room's are for what does not take long. */
  private Future<Loaded> load(Callable<byte[]> binary, boolean metered) {
    Callable<Loading> load =
        () -> {
          byte[] wasm = binary.call();
          return new Loading(compiler.loading(wasm, metered), wasm);
        };
    return blocking(load)
        .compose(loading -> future(loading.module).map(module -> new Loaded(module, loading.wasm)));
  }

  /** The same for what somebody brings along, which may be text. */
  private Future<Loaded> load(byte[] wasmOrText, boolean metered) {
    checkSize(wasmOrText);
    return blocking(() -> compiler.binary(wasmOrText))
        .compose(this::future)
        .compose(wasm -> load(() -> wasm, metered));
  }

  private <T> Future<T> future(CompletableFuture<T> stage) {
    return Future.fromCompletionStage(stage, vertx.getOrCreateContext());
  }

  /** Does something with a module that was loaded, and releases it. */
  private <T> Future<T> using(CompiledModule module, Callable<T> work) {
    return Future.succeededFuture()
        .compose(loaded -> blocking(work))
        .onComplete(done -> compiler.release(module));
  }

  private Future<Body> put(byte[] bytes, Optional<ModuleRef.Named> name, Reach who) {
    return load(bytes, false)
        .compose(loaded -> using(loaded.module, () -> put(loaded.module, loaded.wasm, name, who)));
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

  private void checkSize(byte[] bytes) {
    if (bytes.length > mostBytes) {
      throw Failure.TOO_LARGE.because(
          "a module of %d bytes; this node takes at most %d", bytes.length, mostBytes);
    }
  }

  /** The modules of one instance: its own and those it links to; each is in use by this user. */
  record Used(CompiledModule module, List<Link> links, Library.Use use) {
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

  /**
   * Who takes modules into use.
   *
   * @param instance its key
   * @param owner whose it is; empty: the operator's
   * @param who is to reach the modules that its spec names
   * @param metered whether it takes them as metered ones
   * @param time within which it does
   */
  record Taker(
      String instance, Optional<String> owner, Reach who, boolean metered, Job.Time time) {}

  /** Takes the modules a spec names, or brings along, into use by one start of this instance. */
  Future<Used> use(InstanceSpec spec, Taker taker) {
    Library.Use use = new Library.Use(taker.instance, starts.incrementAndGet(), taker.owner);
    User user = new User(use, taker);
    return use(spec.module(), spec.links(), user)
        .map(tree -> new Used(tree.module, tree.links, use));
  }

  private record User(Library.Use use, Taker taker) {}

  /** A module in use with those it links to. */
  private record Tree(CompiledModule module, List<Link> links) {}

  private Future<Tree> use(ModuleRef ref, Map<String, LinkSpec> links, User user) {
    return use(ref, user)
        .compose(
            module ->
                links(links, user)
                    .map(used -> new Tree(module, used))
                    .recover(e -> givenBack(() -> release(module, user.use), e)));
  }

  /** One after the other; if one fails, those before it are given back. */
  private Future<List<Link>> links(Map<String, LinkSpec> specs, User user) {
    List<Link> links = new ArrayList<>();
    Future<Void> all = Future.succeededFuture();
    for (Map.Entry<String, LinkSpec> entry : specs.entrySet()) {
      LinkSpec spec = entry.getValue();
      all =
          all.compose(before -> use(spec.module(), spec.links(), user))
              .map(tree -> links.add(new Link(entry.getKey(), tree.module, tree.links)))
              .mapEmpty();
    }
    return all.map(links)
        .recover(e -> givenBack(() -> links.forEach(link -> release(link, user.use)), e));
  }

  private <T> Future<T> givenBack(Runnable release, Throwable e) {
    return blockingAlways(
            () -> {
              release.run();
              return null;
            })
        .transform(done -> Future.failedFuture(e));
  }

  private Future<CompiledModule> use(ModuleRef ref, User user) {
    Taker taker = user.taker;
    if (taker.time.isOver()) {
      throw taker.time.exceeded("never");
    }
    Future<Loaded> loaded =
        ref instanceof ModuleRef.Inline inline
            ? load(inline.bytes(), taker.metered)
            : load(() -> store.bytes(store.resolve(ref, taker.who)), taker.metered);
    return loaded.compose(
        module ->
            blockingAlways(() -> use(module, user.use))
                .onFailure(e -> compiler.release(module.module)));
  }

  private CompiledModule use(Loaded loaded, Library.Use use) {
    store.use(loaded.module.id(), loaded.wasm, use);
    return loaded.module;
  }

  /** Reads and compiles a module that an instance is about to use. */
  Future<Body> prepare(ModuleRef ref) {
    return load(() -> store.bytes(store.resolve(ref, Reach.OPERATOR)), false)
        .compose(loaded -> using(loaded.module, () -> Body.of("module", ref.toString())));
  }

  /** The instance is gone; modules that only it brought along go too. */
  Future<Void> unuse(Used used) {
    return blockingAlways(
        () -> {
          release(used.module(), used.use());
          used.links().forEach(link -> release(link, used.use()));
          return null;
        });
  }

  private void release(Link link, Library.Use use) {
    release(link.module(), use);
    link.links().forEach(inner -> release(inner, use));
  }

  private void release(CompiledModule module, Library.Use use) {
    try {
      if (store.unuse(module.id(), use)) {
        compiler.forget(module.id());
      }
    } finally {
      compiler.release(module);
    }
  }

  private Future<Body> get(ModuleRef ref, Reach who) {
    return blocking(
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
    return load(() -> store.bytes(store.resolve(ref, who)), false)
        .compose(loaded -> using(loaded.module, () -> Body.of(fields(loaded.module.info(), who))));
  }

  private Future<Body> tag(ModuleRef ref, Optional<ModuleRef.Named> name, Reach who) {
    if (name.isEmpty()) {
      throw Failure.BAD_REQUEST.because("`name` is missing");
    }
    return blocking(
        () -> {
          ModuleId id = store.resolve(ref, who);
          store.tag(name.get(), id, who);
          return Body.of(fields(store.stored(id, who)));
        });
  }

  private Future<Body> remove(ModuleRef ref, Reach who) {
    return blocking(
        () -> {
          Library.Removed removed = store.remove(ref, who);
          if (removed.deleted()) {
            compiler.forget(removed.id());
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
