package io.busbar.gateway;

import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Looks at what clients want to have started: its modules, and where its imports lead. */
final class Specs {
  /** Before the name of a tenant: where its clients answer its guests' imports. */
  private static final String SERVED = "client.";

  private static final String REPLIES = "__vertx";

  private final Quotas quotas;
  private final Addresses addresses;

  Specs(Quotas quotas, Addresses addresses) {
    this.quotas = quotas;
    this.addresses = addresses;
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
        spec.withImports(spec.imports().stream().map(wanted -> checked(client, wanted)).toList());
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

  /** What the tenant's clients answer is where nobody else's guests ask, nor others answer. */
  private ImportSpec checked(Client client, ImportSpec wanted) {
    String address = wanted.address();
    if (!isReserved(address) && client.mayWithOperators(Subject.IMPORTS, address, "call")) {
      return wanted;
    } else if (client.mayWithOwn(Subject.IMPORTS, address, "serve")) {
      return new ImportSpec(
          wanted.module(),
          wanted.name(),
          wanted.signature(),
          served(client, address),
          wanted.timeout());
    }
    throw Failure.FORBIDDEN.because(
        "import address `%s` of `%s` is not allowed", Names.shown(address), wanted.path());
  }

  /** Whether messages at an address are for nodes, answers, or the guests of one tenant. */
  private boolean isReserved(String address) {
    return addresses.isOwn(address) || address.startsWith(REPLIES) || address.startsWith(SERVED);
  }

  /** The address on the bus where clients of the same tenant answer for imports. */
  static String served(Client client, String address) {
    return client
        .tenant()
        .map(tenant -> SERVED + tenant + "/" + address) // no tenant's name has a slash
        .orElse(address);
  }
}
