package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Where askers may have Busbar send something, an answer or the call of an import: nowhere Busbar,
 * but not the asker, may write.
 *
 * @param addresses our own, which are all refused
 * @param deny further addresses; one that ends in {@code *} stands for all that start like it
 */
public record SendPolicy(Addresses addresses, List<String> deny) {
  private static final int MOST_BYTES = 512;
  private static final String REPLIES = "__vertx";

  public SendPolicy {
    deny = List.copyOf(deny);
  }

  /**
   * Fails with {@code BAD_REQUEST} where nothing may be sent to this address.
   *
   * @param what the address is to the asker, for the message
   */
  public void check(String what, String address) {
    if (address.isEmpty()) {
      throw Failure.BAD_REQUEST.because("bad %s: it is empty", what);
    }
    if (address.getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
      throw Failure.BAD_REQUEST.because(
          "bad %s `%s`: longer than %d bytes", what, Names.shown(address), MOST_BYTES);
    }
    if (address.startsWith(REPLIES) || addresses.isOwn(address) || denied(address)) {
      throw Failure.BAD_REQUEST.because(
          "bad %s `%s`: nothing may be sent there", what, Names.shown(address));
    }
  }

  private boolean denied(String address) {
    return deny.stream()
        .anyMatch(
            rule ->
                rule.endsWith("*")
                    ? address.startsWith(rule.substring(0, rule.length() - 1))
                    : address.equals(rule));
  }
}
