package io.busbar.spec.text;

import java.util.HashMap;
import java.util.Map;

/** The indices of one kind of thing, and the names they go by. */
final class Space {
  private final Map<String, Integer> names = new HashMap<>();
  private int size;

  /** The index of one more; its name may be null. */
  int add(String name) {
    if (name != null) {
      names.put(name, size);
    }
    return size++;
  }

  int size() {
    return size;
  }

  /** The index that is meant: a number, or a name; fails if the name is unknown. */
  int index(String text) {
    if (!text.startsWith("$")) {
      return Lane.of("i32", text).bits().intValueExact();
    }
    Integer index = names.get(text);
    if (index == null) {
      throw new IllegalArgumentException("unknown name " + text);
    }
    return index;
  }
}
