package io.busbar.gateway;

import io.busbar.gateway.Rule.Subject;
import io.busbar.model.Failure;
import io.busbar.model.ImportSpec;
import io.busbar.model.Names;
import io.busbar.wire.Addresses;

/** Where imports lead: at which addresses clients may answer, and their guests ask. */
record Imports(Addresses addresses) {
  private static final int LONGEST_ADDRESS = 256;
  private static final String REPLIES = "__vertx";

  /** Before the name of a tenant: where its clients answer its guests' imports. */
  private static final String SERVED = "client.";

  /** Fails where the client may not answer this import. */
  void check(Client client, String address) {
    if (address.isEmpty() || address.length() > LONGEST_ADDRESS || isReserved(address)) {
      throw Failure.BAD_REQUEST.because("bad import `%s`", Names.shown(address));
    }
    if (!client.mayWithOwn(Subject.IMPORTS, address, "serve")) {
      throw Checks.forbidden("serve", "import `" + Names.shown(address) + "`");
    }
  }

  /** Whether messages at an address are for nodes, or answers. */
  private boolean isReserved(String address) {
    return addresses.isOwn(address) || address.startsWith(REPLIES);
  }

  /** The address on the bus where clients of the same tenant answer for imports. */
  static String served(Client client, String address) {
    return client
        .tenant()
        .map(tenant -> SERVED + tenant + "/" + address) // no tenant's name has a slash
        .orElse(address);
  }

  /** What the tenant's clients answer is where nobody else's guests ask, nor others answer. */
  ImportSpec checked(Client client, ImportSpec wanted) {
    String address = wanted.address();
    if (mayAsk(client, address)) {
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

  /** Whether guests of this client may ask there, where no clients of a tenant answer. */
  private boolean mayAsk(Client client, String address) {
    return !isReserved(address)
        && !address.startsWith(SERVED)
        && client.mayWithOperators(Subject.IMPORTS, address, "call");
  }
}
