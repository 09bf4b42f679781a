package io.busbar.engine.wasi;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Waits for time to pass or stdin to have bytes; an interrupt ends it. */
final class PollCall {
  private static final int MOST = 1024;
  private static final int EVENT = 32; // bytes
  private static final int CLOCK = 0;
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final long FOREVER = TimeUnit.DAYS.toNanos(365);

  private final Descriptors open;
  private final Clock clock;
  private final Abi abi;

  private PollCall(Descriptors open, Clock clock, Abi abi) {
    this.open = open;
    this.clock = clock;
    this.abi = abi;
  }

  static void into(Table table, Descriptors open, Clock clock, Abi abi) {
    PollCall calls = new PollCall(open, clock, abi);
    table.add("poll_oneoff", "iiii", calls::poll);
  }

  /** Something that happened to what a subscription is about. */
  private record Event(int subscription, int type, int errno, int bytes) {}

  private void poll(WasiCall call) throws Errno.Thrown, InterruptedException {
    int count = call.i32(2);
    if (count <= 0 || count > MOST) {
      throw Errno.INVAL.thrown();
    }
    call.check(call.i32(0), count * abi.subscriptionSize());
    call.check(call.i32(1), count * EVENT);
    List<Event> events = descriptors(call, count);
    if (events.isEmpty()) {
      events = await(call, count);
    }
    for (int i = 0; i < events.size(); i++) {
      put(call, call.i32(1) + i * EVENT, events.get(i));
    }
    call.putInt(call.i32(3), events.size());
  }

  private void put(WasiCall call, int at, Event event) {
    long userdata = call.readLong(subscription(call, event.subscription));
    call.zero(at, EVENT);
    call.putLong(at, userdata);
    call.putShort(at + 8, event.errno);
    call.putByte(at + 10, event.type);
    call.putLong(at + 16, event.bytes);
  }

  private int subscription(WasiCall call, int index) {
    return call.i32(0) + index * abi.subscriptionSize();
  }

  private int type(WasiCall call, int index) throws Errno.Thrown {
    int type = call.readByte(subscription(call, index) + 8);
    if (type > WRITE) {
      throw Errno.INVAL.thrown();
    }
    return type;
  }

  /** The descriptors that are ready now. */
  private List<Event> descriptors(WasiCall call, int count) throws Errno.Thrown {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int type = type(call, i);
      if (type != CLOCK) {
        Event event = ready(i, type, call.readInt(subscription(call, i) + 16));
        if (event != null) {
          events.add(event);
        }
      }
    }
    return events;
  }

  /** What there is to say about a descriptor; null where a read would wait. */
  private Event ready(int index, int type, int number) {
    try {
      Descriptor descriptor = open.get(number);
      if (type == READ && descriptor instanceof Descriptor.In in) {
        int bytes = in.stream().available();
        return bytes > 0 || in.stream().isClosed() ? new Event(index, type, 0, bytes) : null;
      }
      return new Event(index, type, 0, type == READ ? 1 : 0);
    } catch (Errno.Thrown e) {
      return new Event(index, type, e.errno.number, 0);
    }
  }

  /** Nothing is ready: until stdin is, if that is asked for, or the first clock is due. */
  private List<Event> await(WasiCall call, int count) throws Errno.Thrown, InterruptedException {
    long start = System.nanoTime();
    long wait = FOREVER;
    for (int i = 0; i < count; i++) {
      if (type(call, i) == CLOCK) {
        wait = Math.min(wait, nanos(call, i));
      }
    }
    Input stdin = stdin(call, count);
    if (stdin == null) {
      TimeUnit.NANOSECONDS.sleep(wait);
    } else if (stdin.await(wait)) {
      return descriptors(call, count);
    }
    return due(call, count, Math.max(wait, System.nanoTime() - start));
  }

  /** The stdin that a subscription waits for; null if none does. */
  private Input stdin(WasiCall call, int count) throws Errno.Thrown {
    for (int i = 0; i < count; i++) {
      if (type(call, i) == READ
          && open.get(call.readInt(subscription(call, i) + 16)) instanceof Descriptor.In in) {
        return in.stream();
      }
    }
    return null;
  }

  /** Nanoseconds until a clock's subscription is due. */
  private long nanos(WasiCall call, int index) throws Errno.Thrown {
    int at = subscription(call, index) + abi.clockOffset();
    long timeout = call.readLong(at + 8);
    long now = clock.now(call.readInt(at));
    boolean absolute = (call.readShort(at + 24) & 1) != 0;
    long left = absolute && timeout >= 0 ? timeout - now : timeout;
    return timeout < 0 ? FOREVER : Math.min(FOREVER, Math.max(0, left));
  }

  private List<Event> due(WasiCall call, int count, long waited) throws Errno.Thrown {
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      boolean isClock = type(call, i) == CLOCK;
      boolean absolute = (call.readShort(subscription(call, i) + abi.clockOffset() + 24) & 1) != 0;
      if (isClock && nanos(call, i) <= (absolute ? Clock.RESOLUTION : waited)) {
        events.add(new Event(i, CLOCK, 0, 0));
      }
    }
    return events;
  }
}
