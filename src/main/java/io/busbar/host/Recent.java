package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.model.Reach;
import io.busbar.model.WasmException;
import io.busbar.wire.Ask;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The last operations that ran in an instance: at most 64, and nothing is held for them before the
 * first.
 */
final class Recent {
  private static final int MOST = 64;

  /** A longer name is told by its beginning. */
  private static final int LONGEST_NAME = 128;

  private Slot[] slots; // a ring; null before the first; this and the next guarded by this
  private long count;

  /** One operation, until another takes its place. */
  private static final class Slot {
    long at; // epoch milliseconds
    long micros;
    long fuel; // negative: not metered
    String action;
    String function; // null: it calls none
    String user; // null: the operator
    String status;
  }

  /** An operation that ran is answered, or has failed. */
  synchronized void add(Ask ask, Throwable thrown) {
    if (slots == null) {
      slots = new Slot[MOST];
    }
    int place = (int) (count++ % MOST);
    Slot slot = slots[place] == null ? new Slot() : slots[place];
    long nanos = ask.age().toNanos();
    slot.at = System.currentTimeMillis() - TimeUnit.NANOSECONDS.toMillis(nanos);
    slot.micros = TimeUnit.NANOSECONDS.toMicros(nanos);
    slot.fuel = ask.spent().orElse(-1);
    slot.action = ask.action();
    slot.function = function(ask);
    slot.user = ask.user().orElse(null);
    slot.status = status(thrown);
    slots[place] = slot;
  }

  private static String function(Ask ask) {
    if (!(ask.body().value("function") instanceof String name)) {
      return null;
    }
    return name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME) + "…";
  }

  private static String status(Throwable thrown) {
    if (thrown == null) {
      return "ok";
    }
    return (thrown instanceof WasmException said ? said.failure() : Failure.INTERNAL).name();
  }

  /** Oldest first; who only may use what is another's is told of their own. */
  synchronized List<Object> toldTo(Reach who, Optional<String> owner) {
    boolean isAll = who.isOperator() || who.user().equals(owner);
    List<Object> told = new ArrayList<>();
    for (long n = Math.max(0, count - MOST); n < count; n++) {
      Slot slot = slots[(int) (n % MOST)];
      if (isAll || who.user().equals(Optional.ofNullable(slot.user))) {
        told.add(fields(slot));
      }
    }
    return told;
  }

  private static Map<String, Object> fields(Slot slot) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("at", slot.at);
    fields.put("action", slot.action);
    if (slot.function != null) {
      fields.put("function", slot.function);
    }
    fields.put("micros", slot.micros);
    fields.put("status", slot.status);
    if (slot.fuel >= 0) {
      fields.put("fuel", slot.fuel);
    }
    return fields;
  }
}
