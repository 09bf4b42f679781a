package io.busbar.host;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Library;
import io.busbar.engine.Link;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Reach;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** The modules that instances of this node run, from their starts to their ends. */
final class ModuleUses {
  private final Library store;
  private final ModuleLoader loader;
  private final AtomicLong starts = new AtomicLong();

  ModuleUses(Library store, ModuleLoader loader) {
    this.store = store;
    this.loader = loader;
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
    return loader
        .blockingAlways(
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
    Future<ModuleLoader.Loaded> loaded =
        ref instanceof ModuleRef.Inline inline
            ? loader.load(inline.bytes(), taker.metered)
            : loader.load(() -> store.bytes(store.resolve(ref, taker.who)), taker.metered);
    return loaded.compose(
        module ->
            loader
                .blockingAlways(() -> use(module, user.use))
                .onFailure(e -> loader.release(module.module())));
  }

  private CompiledModule use(ModuleLoader.Loaded loaded, Library.Use use) {
    store.use(loaded.module().id(), loaded.wasm(), use);
    return loaded.module();
  }

  /** Reads and compiles a module that an instance is about to use. */
  Future<Body> prepare(ModuleRef ref) {
    return loader
        .load(() -> store.bytes(store.resolve(ref, Reach.OPERATOR)), false)
        .compose(loaded -> loader.using(loaded.module(), () -> Body.of("module", ref.toString())));
  }

  /** The instance is gone; modules that only it brought along go too. */
  Future<Void> unuse(Used used) {
    return loader.blockingAlways(
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
        loader.forget(module.id());
      }
    } finally {
      loader.release(module);
    }
  }
}
