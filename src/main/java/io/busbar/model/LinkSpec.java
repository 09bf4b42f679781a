package io.busbar.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Another module whose exports satisfy imports, and the modules it needs itself, by name. */
public record LinkSpec(ModuleRef module, Map<String, LinkSpec> links) {
  public LinkSpec {
    links = Collections.unmodifiableMap(new LinkedHashMap<>(links));
  }

  public static LinkSpec of(ModuleRef module) {
    return new LinkSpec(module, Map.of());
  }

  /** With one more module that this one needs. */
  public LinkSpec withLink(String name, LinkSpec link) {
    Map<String, LinkSpec> more = new LinkedHashMap<>(links);
    more.put(name, link);
    return new LinkSpec(module, more);
  }
}
