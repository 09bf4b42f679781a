package io.busbar.gateway;

import io.busbar.model.Failure;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What all clients of a gateway may have sent at once that is not answered yet; those of one tenant
 * half of it.
 */
final class Room {
  /** What costs no more than a connection does. */
  private static final long SMALL = 4 << 10;

  private final long most;
  private final long ofTenant;
  private final AtomicLong taken = new AtomicLong();
  private final Map<String, Long> tenants = new ConcurrentHashMap<>(); // what each has taken

  /** Of so many bytes, and for any tenant at least as many as one body may have. */
  Room(long most, long body) {
    this.most = most;
    this.ofTenant = Math.max(body, most / 2);
  }

  /**
   * Sets room aside; fails with {@code OVERLOADED} where there is none.
   *
   * @return what gives it back, to be run once
   */
  Runnable take(Client client, long bytes) {
    if (bytes <= SMALL) {
      return () -> {};
    }
    Runnable leaving = client.tenant().map(tenant -> take(tenant, bytes)).orElse(() -> {});
    if (taken.addAndGet(bytes) > most) {
      taken.addAndGet(-bytes);
      leaving.run();
      throw Failure.OVERLOADED.because("the node has no room for more request bodies at present");
    }
    return () -> {
      taken.addAndGet(-bytes);
      leaving.run();
    };
  }

  private Runnable take(String tenant, long bytes) {
    long all = tenants.merge(tenant, bytes, Long::sum);
    if (all > ofTenant) {
      leave(tenant, bytes);
      throw Failure.OVERLOADED.because(
          "tenant `%s` has sent %d bytes that are not answered yet; at most %d",
          tenant, all - bytes, ofTenant);
    }
    return () -> leave(tenant, bytes);
  }

  private void leave(String tenant, long bytes) {
    tenants.computeIfPresent(tenant, (name, all) -> all == bytes ? null : all - bytes);
  }

  /** Bytes of it that are taken. */
  long taken() {
    return taken.get();
  }
}
