package io.busbar.gateway;

import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.wire.Addresses;
import io.vertx.core.json.JsonObject;
import java.util.Optional;

/** What clients may hear of what is published on the bus: their tenant's, and what is shared. */
record Hearing(Addresses addresses) {
  private static final String SUBSCRIBE = "subscribe";
  private static final String READ = "read-stdout";

  /** Fails where the client may not hear what is published there. */
  void check(Client client, String address) {
    if (isEvents(address)) {
      Checks.any(client, Subject.EVENTS, SUBSCRIBE);
    } else {
      Checks.instance(client, writer(address), READ);
    }
  }

  private boolean isEvents(String address) {
    return address.equals(addresses.events());
  }

  /** The instance whose output is published there. */
  private String writer(String address) {
    String prefix = addresses.stdio("");
    if (!address.startsWith(prefix)) {
      throw Failure.FORBIDDEN.because("nothing may be heard at `%s`", Names.shown(address));
    }
    return Names.check("instance id", address.substring(prefix.length()));
  }

  /** Whether this is for the client, who listens there. */
  boolean isFor(Client client, String address, Topics.News news) {
    return isEvents(address)
        ? mayHear(client, Subject.EVENTS, news.event().getString("event", ""), SUBSCRIBE, news)
            && knows(client, news.event())
        : mayHear(client, Subject.INSTANCES, writer(address), READ, news);
  }

  private static boolean mayHear(
      Client client, Subject subject, String name, String operation, Topics.News news) {
    Optional<String> tenant = client.tenant();
    boolean isOwn = tenant.isEmpty() || tenant.equals(news.user());
    return isOwn
        ? client.mayWithOwn(subject, name, operation)
        : news.user().isEmpty() && client.mayWithShared(subject, name, operation);
  }

  /** What happened to an instance is for whom knows the instance. */
  private static boolean knows(Client client, JsonObject event) {
    return !(event.getValue("id") instanceof String id) || client.knows(Subject.INSTANCES, id);
  }
}
