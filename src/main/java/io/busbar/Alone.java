package io.busbar;

import io.busbar.client.Routes;
import io.busbar.host.Host;
import io.busbar.model.Reach;
import java.util.Optional;
import java.util.function.Consumer;

/** What a node that is alone knows of where instances live: which of them live here. */
final class Alone implements Routes {
  private final Host host;
  private final Place here;

  Alone(String node, Host host) {
    this.host = host;
    this.here = new Place(node, Optional.of(host.actions()));
  }

  /** Others may be at the common addresses too: this Vert.x may be one of several. */
  @Override
  public Optional<String> self() {
    return Optional.empty();
  }

  @Override
  public Optional<Place> place(String instance, Reach asker) {
    return host.isLive(instance, asker) ? Optional.of(here) : Optional.empty();
  }

  @Override
  public boolean isThere(String node) {
    return true;
  }

  @Override
  public long term(String node) {
    return 0;
  }

  @Override
  public void onLost(Consumer<String> told) {
    // no other node is known, so none is lost
  }
}
