package io.busbar.gateway;

import io.busbar.model.Failure;
import java.util.concurrent.atomic.AtomicLong;

/** What all clients of a gateway may have sent at once that is not answered yet. */
final class Room {
  /** What costs no more than a connection does. */
  private static final long SMALL = 4 << 10;

  private final long most;
  private final AtomicLong taken = new AtomicLong();

  /** Of so many bytes. */
  Room(long most) {
    this.most = most;
  }

  /**
   * Sets room aside; fails with {@code OVERLOADED} where there is none.
   *
   * @return what gives it back, to be run once
   */
  Runnable take(long bytes) {
    if (bytes <= SMALL) {
      return () -> {};
    }
    if (taken.addAndGet(bytes) > most) {
      taken.addAndGet(-bytes);
      throw Failure.OVERLOADED.because("the node has no room for more request bodies at present");
    }
    return () -> taken.addAndGet(-bytes);
  }

  /** Bytes of it that are taken. */
  long taken() {
    return taken.get();
  }
}
