package io.busbar.engine;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The order in which linked modules are built: what one needs comes before it, each name once. */
final class Links {
  private final Map<String, Link> ordered = new LinkedHashMap<>();
  private final List<String> path = new ArrayList<>();

  private Links() {}

  /** Fails with {@code LINK} where a name leads back to itself, or stands for two modules. */
  static Collection<Link> inOrder(List<Link> links) {
    Links order = new Links();
    links.forEach(order::add);
    return order.ordered.values();
  }

  private void add(Link link) {
    if (path.contains(link.name())) {
      throw failed(
          Failure.LINK.because(
              "`%s` links to itself: %s → %s", link.name(), String.join(" → ", path), link.name()));
    }
    path.add(link.name());
    link.links().forEach(this::add);
    path.remove(path.size() - 1);
    Link known = ordered.putIfAbsent(link.name(), link);
    if (known != null && !known.module().id().equals(link.module().id())) {
      throw failed(Failure.LINK.because("`%s` names two modules", link.name()));
    }
  }

  /** What goes wrong with a linked module, as its guest's failure. */
  static WasmException failed(WasmException why) {
    return why.failure() == Failure.CANCELLED
        ? why
        : new WasmException(
            why.failure() == Failure.LIMIT ? Failure.LIMIT : Failure.LINK,
            "Could not instantiate linked module: " + why.getMessage(),
            why.details());
  }
}
