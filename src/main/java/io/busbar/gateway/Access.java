package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.Future;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Asks the bus in a client's name, and refuses what the client may not do: the one way from any
 * door of the gateway to the bus.
 *
 * <p>What is there but not for this client is answered like what is not there. The nodes look at
 * whose an instance or module is; here is looked at what the client may do with its name.
 */
final class Access {
  private final Addresses addresses;
  private final InstanceAccess instances;
  private final ModuleAccess modules;
  private final NodeAccess nodes;

  Access(Bus bus, Quotas quotas, Imports imports) {
    Costs costs = new Costs(quotas);
    Specs specs = new Specs(quotas, imports);
    this.addresses = bus.addresses();
    this.instances = new InstanceAccess(bus, costs, specs);
    this.modules = new ModuleAccess(bus, costs, specs);
    this.nodes = new NodeAccess(bus, costs);
  }

  /** Asks at one of the addresses of the protocol that clients may ask at. */
  Future<Body> at(Client client, String address, Bus.Question question) {
    Optional<String> instance = instanceAt(address);
    return instance.isPresent()
        ? instance(client, instance.get(), question)
        : attempt(() -> common(client, address, question));
  }

  /** The instance whose own address this is; empty where it is none. */
  Optional<String> instanceAt(String address) {
    String own = addresses.instance("");
    return address.startsWith(own)
        ? Optional.of(address.substring(own.length()))
        : Optional.empty();
  }

  private Future<Body> common(Client client, String address, Bus.Question question) {
    if (address.equals(addresses.instances())) {
      return InstanceAccess.isOfOne(question)
          ? instance(client, question.body().string("id"), question)
          : instances.ask(client, question);
    } else if (address.equals(addresses.modules())) {
      return modules.ask(client, question);
    } else if (address.equals(addresses.nodes())) {
      return nodes.ask(client, question);
    }
    throw Failure.FORBIDDEN.because("nothing may be asked at `%s`", Names.shown(address));
  }

  /** Asks one instance. */
  Future<Body> instance(Client client, String id, Bus.Question question) {
    return attempt(() -> instances.ask(client, id, question))
        .recover(e -> Future.failedFuture(told(id, e)));
  }

  /** The same words whether it is absent, another's, or on which node it was looked for. */
  private static Throwable told(String id, Throwable thrown) {
    WasmException failure = Failures.from(thrown);
    return failure.failure() == Failure.NO_SUCH_INSTANCE
        ? WasmException.noSuchInstance(id).with("instance", id)
        : failure;
  }

  /** Asks the instance that waits for an answer of this client. */
  Future<Body> caller(Client client, String id, Bus.Origin origin, Bus.Question question) {
    return attempt(() -> instances.askCaller(client, id, origin, question));
  }

  /** What is refused at once fails like what is refused later. */
  private static Future<Body> attempt(Supplier<Future<Body>> asking) {
    try {
      return asking.get();
    } catch (WasmException e) {
      return Future.failedFuture(e);
    }
  }

  /** Nobody waits for what a client has asked there any more; what runs already goes on. */
  void abandon(Client client, String id, String operation) {
    instances.abandon(client, id, operation);
  }
}
