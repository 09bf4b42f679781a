package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Where an asker may have its answer sent: nowhere Busbar, but not the asker, may write.
 *
 * @param addresses our own, which are all refused
 * @param deny further addresses; one that ends in {@code *} stands for all that start like it
 */
public record FromPolicy(Addresses addresses, List<String> deny) {
  private static final int MOST_BYTES = 512;
  private static final String REPLIES = "__vertx";

  public FromPolicy {
    deny = List.copyOf(deny);
  }

  /** Fails with {@code BAD_REQUEST} where no answer may be sent to this address. */
  void check(String from) {
    if (from.isEmpty()) {
      throw Failure.BAD_REQUEST.because("bad from: it is empty");
    }
    if (from.getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
      throw Failure.BAD_REQUEST.because(
          "bad from `%s`: longer than %d bytes", Names.shown(from), MOST_BYTES);
    }
    if (from.startsWith(REPLIES) || addresses.isOwn(from) || denied(from)) {
      throw Failure.BAD_REQUEST.because(
          "bad from `%s`: no answer may be sent there", Names.shown(from));
    }
  }

  private boolean denied(String from) {
    return deny.stream()
        .anyMatch(
            rule ->
                rule.endsWith("*")
                    ? from.startsWith(rule.substring(0, rule.length() - 1))
                    : from.equals(rule));
  }
}
