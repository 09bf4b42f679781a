package io.busbar.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * All that is needed to build an instance, here or anywhere.
 *
 * @param id the instance's name; none: the host makes one
 * @param module what to run
 * @param imports the functions the guest may call
 * @param links other modules whose exports satisfy imports, by the name they are imported under
 * @param wasi what the guest sees of the world; none: it has no WASI
 * @param limits those asked for; the node completes them, and refuses more than its own
 * @param afterTrap what happens after a call that a trap, a limit or an interrupt left in its
 *     middle
 * @param home where it may live, and what becomes of it when its node is lost
 * @param address whether the instance has an event-bus address of its own; none: the node's rule
 */
public record InstanceSpec(
    Optional<String> id,
    ModuleRef module,
    List<ImportSpec> imports,
    Map<String, LinkSpec> links,
    Optional<WasiSpec> wasi,
    Limits limits,
    AfterTrap afterTrap,
    Home home,
    Optional<Boolean> address) {

  public InstanceSpec {
    id.ifPresent(name -> Names.check("instance id", name));
    Objects.requireNonNull(module, "module");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(afterTrap, "afterTrap");
    Objects.requireNonNull(home, "home");
    imports = List.copyOf(imports);
    links = Collections.unmodifiableMap(new LinkedHashMap<>(links));
  }

  /** An instance of this module: {@code sha256:<hex>}, {@code name} or {@code name:version}. */
  public static InstanceSpec of(String module) {
    return of(ModuleRef.parse(module));
  }

  public static InstanceSpec of(ModuleRef module) {
    return new InstanceSpec(
        Optional.empty(),
        module,
        List.of(),
        Map.of(),
        Optional.empty(),
        Limits.NONE,
        AfterTrap.KEEP,
        Home.ANYWHERE,
        Optional.empty());
  }

  public InstanceSpec withId(String id) {
    return new InstanceSpec(
        Optional.of(id), module, imports, links, wasi, limits, afterTrap, home, address);
  }

  /** The same, of another module: how a name is pinned to the digest it stood for. */
  public InstanceSpec withModule(ModuleRef module) {
    return new InstanceSpec(id, module, imports, links, wasi, limits, afterTrap, home, address);
  }

  /** One more import, answered at this address. */
  public InstanceSpec withImport(String from, String name, Signature signature, String at) {
    return withImport(new ImportSpec(from, name, signature, at));
  }

  public InstanceSpec withImport(ImportSpec spec) {
    List<ImportSpec> more = new ArrayList<>(imports);
    more.add(spec);
    return new InstanceSpec(id, module, more, links, wasi, limits, afterTrap, home, address);
  }

  /** The same with other imports. */
  public InstanceSpec withImports(List<ImportSpec> imports) {
    return new InstanceSpec(id, module, imports, links, wasi, limits, afterTrap, home, address);
  }

  /** The same with other links. */
  public InstanceSpec withLinks(Map<String, LinkSpec> links) {
    return new InstanceSpec(id, module, imports, links, wasi, limits, afterTrap, home, address);
  }

  /** One more linked module, its exports to be imported under this name. */
  public InstanceSpec withLink(String name, LinkSpec link) {
    Map<String, LinkSpec> more = new LinkedHashMap<>(links);
    more.put(name, link);
    return new InstanceSpec(id, module, imports, more, wasi, limits, afterTrap, home, address);
  }

  /** With WASI, and what the guest sees through it. */
  public InstanceSpec withWasi(WasiSpec wasi) {
    return new InstanceSpec(
        id, module, imports, links, Optional.of(wasi), limits, afterTrap, home, address);
  }

  public InstanceSpec withLimit(Limit limit, long value) {
    return new InstanceSpec(
        id, module, imports, links, wasi, limits.with(limit, value), afterTrap, home, address);
  }

  public InstanceSpec withAfterTrap(AfterTrap afterTrap) {
    return new InstanceSpec(id, module, imports, links, wasi, limits, afterTrap, home, address);
  }

  public InstanceSpec withHome(Home home) {
    return new InstanceSpec(id, module, imports, links, wasi, limits, afterTrap, home, address);
  }

  public InstanceSpec withAddress(boolean address) {
    return new InstanceSpec(
        id, module, imports, links, wasi, limits, afterTrap, home, Optional.of(address));
  }
}
