package io.busbar.client;

import io.busbar.model.InstanceSpec;
import io.busbar.wire.Body;
import io.busbar.wire.Codec;
import io.vertx.core.Future;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The instance that waits for a callback, as that callback sees it from anywhere.
 *
 * <p>What it is asked runs at once, on the thread that waits. When the callback has answered, every
 * method fails with {@code NO_SUCH_CALLER}.
 */
public final class CallerRef extends ExportsRef {
  private final Bus bus;
  private final Bus.Origin origin;
  private final String id;

  CallerRef(Bus bus, Bus.Origin origin, String id) {
    this.bus = bus;
    this.origin = origin;
    this.id = id;
  }

  /** A caller at this address, with the instances whose calls wait, the last one its own. */
  public static CallerRef of(WasmClient client, String address, String chain) {
    Bus.Origin origin = new Bus.Origin(address, chain);
    return new CallerRef(client.bus(), origin, chain.substring(chain.lastIndexOf(',') + 1));
  }

  /** The id of the instance that waits. */
  public String id() {
    return id;
  }

  @Override
  Future<Body> ask(String action, Body body) {
    return bus.askCaller(origin.caller(), Bus.Question.of(action, body));
  }

  /** Another instance: a call to it that would come back to this one is refused at once. */
  public InstanceRef instance(String id) {
    return new InstanceRef(
        bus, id, Optional.empty(), OptionalLong.empty(), Optional.empty(), Optional.of(origin));
  }

  /** Starts another instance while this one waits. */
  public Future<InstanceRef> start(InstanceSpec spec) {
    return bus.askCaller(origin.caller(), Bus.Question.of("start", Codec.body(spec)).patient())
        .map(body -> instance(body.string("id")));
  }
}
