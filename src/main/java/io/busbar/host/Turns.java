package io.busbar.host;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The lanes that wait for a right to run: their users take turns, however many lanes one has, and
 * each has so many running at most. The operator's lanes are one user's without that bound.
 *
 * <p>Whoever owns it guards it.
 */
final class Turns {
  private final int mostOfUser;
  private final Map<Optional<String>, User> users = new LinkedHashMap<>(); // the next one first

  Turns(int mostOfUser) {
    this.mostOfUser = mostOfUser;
  }

  private static final class User {
    final Deque<Lane> ready = new ArrayDeque<>();
    int running;

    boolean isGone() {
      return ready.isEmpty() && running == 0;
    }
  }

  void add(Lane lane) {
    users.computeIfAbsent(lane.user(), user -> new User()).ready.add(lane);
  }

  /** Whether none waits that may run. */
  boolean isEmpty() {
    for (Map.Entry<Optional<String>, User> entry : users.entrySet()) {
      if (mayRun(entry)) {
        return false;
      }
    }
    return true;
  }

  private boolean mayRun(Map.Entry<Optional<String>, User> entry) {
    User user = entry.getValue();
    return !user.ready.isEmpty() && (entry.getKey().isEmpty() || user.running < mostOfUser);
  }

  /** The lane whose turn it is, which runs from now on; null if there is none. */
  Lane poll() {
    Iterator<Map.Entry<Optional<String>, User>> entries = users.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<Optional<String>, User> entry = entries.next();
      if (mayRun(entry)) {
        Optional<String> name = entry.getKey();
        User user = entry.getValue();
        entries.remove();
        users.put(name, user); // the last one now
        user.running++;
        return user.ready.poll();
      }
    }
    return null;
  }

  /** The lane runs no more. */
  void done(Lane lane) {
    User user = users.get(lane.user());
    user.running--;
    if (user.isGone()) {
      users.remove(lane.user());
    }
  }
}
