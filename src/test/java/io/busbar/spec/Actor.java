package io.busbar.spec;

import io.busbar.client.InstanceRef;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleId;
import io.busbar.model.ModuleRef;
import io.vertx.core.json.JsonObject;
import java.util.Map;

/**
 * A module of a script brought to life, with those it imports from.
 *
 * @param description what the node says of the module
 * @param links the actors it imports from, by the name it imports them under
 * @param problem why there is none; {@link Verdict#PASSED} if there is one
 */
record Actor(
    ModuleId module,
    JsonObject description,
    Map<String, Actor> links,
    InstanceRef instance,
    Verdict problem) {
  static Actor missing(Verdict problem) {
    return new Actor(null, null, Map.of(), null, problem);
  }

  /** What another module says to link to it. */
  LinkSpec link() {
    LinkSpec link = LinkSpec.of(new ModuleRef.Digest(module));
    for (Map.Entry<String, Actor> inner : links.entrySet()) {
      link = link.withLink(inner.getKey(), inner.getValue().link());
    }
    return link;
  }
}
