package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.wire.Body;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What all clients of a gateway may have sent at once that is not answered yet, and what is
 * answered to them and not written yet; those of one tenant half of it.
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

  /** For one request or question, and what is answered to it, until {@link Place#leave}. */
  Place place(Client client) {
    return new Place(client);
  }

  /** What one request or question has taken. */
  final class Place {
    private final Client client;
    private long bytes; // this and the next guarded by this
    private boolean left;

    private Place(Client client) {
      this.client = client;
    }

    /** Takes so much more; fails with {@code OVERLOADED} where there is not so much. */
    void take(long more) {
      if (more > SMALL) {
        takeLarge(more);
      }
    }

    private synchronized void takeLarge(long more) {
      if (!left) { // else nobody waits for it
        Room.this.take(client, more);
        bytes += more;
      }
    }

    /** So that its answer has room too: from now on where it is known how large that is. */
    Bus.Question taking(Bus.Question question) {
      if (question.action().equals("read-memory")) {
        take(length(question.body()));
        return question;
      }
      return question.looking(answer -> take(answer.weight()));
    }

    /** Where it is more than anybody can have, the node says so. */
    private long length(Body read) {
      return read.value("length") instanceof Number length
          ? Math.max(0, Math.min(length.longValue(), ofTenant))
          : 0;
    }

    /** It is answered; again does nothing. */
    synchronized void leave() {
      if (!left && bytes > 0) {
        Room.this.leave(client, bytes);
      }
      left = true;
    }
  }

  private void take(Client client, long bytes) {
    client.tenant().ifPresent(tenant -> take(tenant, bytes));
    if (taken.addAndGet(bytes) > most) {
      leave(client, bytes);
      throw Failure.OVERLOADED.because(
          "the node has no room for more requests and answers at present");
    }
  }

  private void take(String tenant, long bytes) {
    long all = tenants.merge(tenant, bytes, Long::sum);
    if (all > ofTenant) {
      leave(tenant, bytes);
      throw Failure.OVERLOADED.because(
          "requests and answers of tenant `%s` take %d bytes, and this one %d more; at most %d",
          tenant, all - bytes, bytes, ofTenant);
    }
  }

  private void leave(Client client, long bytes) {
    taken.addAndGet(-bytes);
    client.tenant().ifPresent(tenant -> leave(tenant, bytes));
  }

  private void leave(String tenant, long bytes) {
    tenants.computeIfPresent(tenant, (name, all) -> all == bytes ? null : all - bytes);
  }

  /** Bytes of it that are taken. */
  long taken() {
    return taken.get();
  }
}
