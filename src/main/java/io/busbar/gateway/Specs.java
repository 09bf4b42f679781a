package io.busbar.gateway;

import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Looks at what clients want to have started: its modules, and where its imports lead. */
final class Specs {
  private final Quotas quotas;
  private final Imports imports;

  Specs(Quotas quotas, Imports imports) {
    this.quotas = quotas;
    this.imports = imports;
  }

  /**
   * A spec as it goes to the nodes.
   *
   * @param shared whether it may use the operator's modules
   */
  record Asked(Body body, boolean shared) {}

  /** Fails where the client may not start what the spec names. */
  Asked check(Client client, Body body) {
    if (client.tenant().isEmpty() && client.permissions() == Permissions.ALL) {
      return new Asked(body, false); // the operator, who needs nothing looked at or changed
    }
    InstanceSpec spec = Codec.spec(body);
    boolean shared = shared(client, spec);
    spec =
        spec.withImports(
            spec.imports().stream().map(wanted -> imports.checked(client, wanted)).toList());
    OptionalLong fuel = quotas.fuelOfInstance(client);
    if (fuel.isPresent() && !spec.limits().has(Limit.FUEL)) {
      spec = spec.withLimit(Limit.FUEL, fuel.getAsLong());
    }
    return new Asked(Codec.body(spec), shared);
  }

  /**
   * Whether it may use the operator's modules: rules about these must admit each that it names, or
   * rules about the tenant's own each.
   */
  private boolean shared(Client client, InstanceSpec spec) {
    List<String> names = new ArrayList<>();
    collect(spec.module(), spec.links(), names);
    names.forEach(name -> checkModule(client, "start", name));
    boolean shared =
        client.tenant().isPresent()
            && names.stream()
                .filter(name -> !name.isEmpty()) // brought along, so it is nobody's
                .allMatch(name -> client.mayWithShared(Subject.MODULES, name, "start"));
    if (!shared
        && !names.stream().allMatch(name -> client.mayWithOwn(Subject.MODULES, name, "start"))) {
      throw Failure.FORBIDDEN.because(
          "modules of the operator's cannot be linked with those of a tenant's own");
    }
    return shared;
  }

  private static void collect(ModuleRef ref, Map<String, LinkSpec> links, List<String> names) {
    names.add(ref instanceof ModuleRef.Inline ? "" : ref.toString());
    links.values().forEach(link -> collect(link.module(), link.links(), names));
  }

  /** Fails where the client may not do that with a module of this name; without one, empty. */
  void checkModule(Client client, String operation, String name) {
    if (client.may(Subject.MODULES, name, operation)) {
      return;
    }
    String shown = name.isEmpty() ? "without a name" : "`" + Names.shown(name) + "`";
    if (name.isEmpty() || operation.equals("put") || client.knows(Subject.MODULES, name)) {
      throw Failure.FORBIDDEN.because("`%s` of module %s is not allowed", operation, shown);
    }
    throw noSuchModule(name);
  }

  private static WasmException noSuchModule(String name) {
    return Failure.NO_SUCH_MODULE.because("module `%s` not found", Names.shown(name));
  }
}
