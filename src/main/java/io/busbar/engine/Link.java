package io.busbar.engine;

import java.util.List;

/** A module that others of a guest find under a name, and the modules it needs itself. */
public record Link(String name, CompiledModule module, List<Link> links) {
  public Link {
    links = List.copyOf(links);
  }
}
