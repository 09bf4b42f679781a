package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.V128;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The body of a message: named fields, as Java values between our own rooms and as JSON for others.
 *
 * <p>As Java values it crosses the bus of one JVM as it is, never changed by anyone: numbers keep
 * their type and bytes are bytes. In JSON, bytes are base64, an i64 beyond ±(2⁵³−1) and a v128 are
 * strings, and NaN and the infinities are {@code "NaN"}, {@code "Infinity"}, {@code "-Infinity"}.
 */
public final class Body {
  /** A body without fields. */
  public static final Body EMPTY = new Body(Map.of(), false);

  private static final long MAX_SAFE_INTEGER = (1L << 53) - 1;

  /** What a JSON number beyond the doubles stands for: something no type accepts. */
  private static final BigDecimal TOO_LARGE = new BigDecimal("1e400");

  /** Bytes of the heap that a value takes beside what is in it. */
  private static final long ITEM = 64;

  private final Map<String, Object> fields;
  private final boolean json;

  private Body(Map<String, Object> fields, boolean json) {
    this.fields = fields;
    this.json = json;
  }

  /** A body of Java values; the map is not to be changed afterwards. */
  public static Body of(Map<String, Object> fields) {
    return new Body(Collections.unmodifiableMap(fields), false);
  }

  public static Body of(String key, Object value) {
    return of(Collections.singletonMap(key, value));
  }

  /** A body that came as JSON. */
  public static Body of(JsonObject json) {
    return new Body(json.getMap(), true);
  }

  /** Whatever came in a message; fails with {@code BAD_REQUEST} if it is not an object. */
  static Body from(Object body) {
    if (body == null) {
      return EMPTY;
    } else if (body instanceof Body ours) {
      return ours;
    } else if (body instanceof JsonObject object) {
      return of(object);
    }
    throw Failure.BAD_REQUEST.because("the body must be a JSON object. Given `%s`.", kind(body));
  }

  /** Whether it came as JSON, and the answer is to be JSON too. */
  boolean isJson() {
    return json;
  }

  /** The fields as Java values or JSON, as they came. */
  public Map<String, Object> fields() {
    return fields;
  }

  public boolean has(String key) {
    return fields.get(key) != null;
  }

  /** The field as it is; JSON objects and arrays as maps and lists. */
  public Object value(String key) {
    return json ? plain(fields.get(key)) : fields.get(key);
  }

  /** A field that must be a string. */
  public String string(String key) {
    return optionalString(key).orElseThrow(() -> missing(key));
  }

  private static RuntimeException missing(String key) {
    return Failure.BAD_REQUEST.because("`%s` is missing", key);
  }

  public Optional<String> optionalString(String key) {
    Object value = fields.get(key);
    if (value == null || value instanceof String) {
      return Optional.ofNullable((String) value);
    }
    throw wrong(key, "a string", value);
  }

  private static RuntimeException wrong(String key, String wanted, Object given) {
    return Failure.BAD_REQUEST.because("`%s` must be %s. Given `%s`.", key, wanted, shown(given));
  }

  private static String shown(Object given) {
    return given instanceof Number ? given.toString() : kind(given);
  }

  public Optional<Boolean> optionalBoolean(String key) {
    Object value = fields.get(key);
    if (value == null || value instanceof Boolean) {
      return Optional.ofNullable((Boolean) value);
    }
    throw wrong(key, "true or false", value);
  }

  public Optional<Double> optionalNumber(String key) {
    Object value = fields.get(key);
    if (value == null || value instanceof Number) {
      return Optional.ofNullable((Number) value).map(Number::doubleValue);
    }
    throw wrong(key, "a number", value);
  }

  /** A field that must be a whole number, 0 or more. */
  public long whole(String key) {
    Object value = fields.get(key);
    if (value == null) {
      throw missing(key);
    }
    if (value instanceof Integer || value instanceof Long) {
      long number = ((Number) value).longValue();
      if (number >= 0) {
        return number;
      }
    }
    throw wrong(key, "a whole number, 0 or more", value);
  }

  /** A field that must be a list; empty if it is not there. */
  public List<Object> list(String key) {
    if (!fields.containsKey(key)) {
      return List.of();
    }
    Object value = value(key);
    if (value instanceof List<?> list) {
      return Collections.unmodifiableList(list);
    }
    throw wrong(key, "a list", value);
  }

  /** A field that must be an object; empty if it is not there. */
  public Body object(String key) {
    Object value = fields.get(key);
    if (value == null) {
      return EMPTY;
    } else if (value instanceof JsonObject object) {
      return of(object);
    } else if (value instanceof Map<?, ?> map) {
      return new Body(strings(map), json);
    }
    throw wrong(key, "an object", value);
  }

  /** An item of one of this body's lists, which must be an object. */
  public Body item(Object item) {
    if (item instanceof Map<?, ?> map) {
      return new Body(strings(map), json);
    }
    throw Failure.BAD_REQUEST.because("each item must be an object. Given `%s`.", shown(item));
  }

  @SuppressWarnings("unchecked") // JSON has no other keys, and our own maps have none
  private static Map<String, Object> strings(Map<?, ?> map) {
    return (Map<String, Object>) map;
  }

  /** A field that must be bytes: base64, its alphabet either one, in JSON. */
  public byte[] bytes(String key) {
    Object value = fields.get(key);
    if (value == null) {
      throw missing(key);
    } else if (value instanceof byte[] bytes) {
      return bytes;
    } else if (value instanceof Buffer buffer) {
      return buffer.getBytes();
    } else if (value instanceof String text) {
      return decode(key, text);
    }
    throw wrong(key, "base64", value);
  }

  private static byte[] decode(String key, String text) {
    try {
      return Base64.getDecoder().decode(text.replace('-', '+').replace('_', '/'));
    } catch (IllegalArgumentException e) {
      throw Failure.BAD_REQUEST.because("`%s` must be base64. Given `%s`.", key, Names.shown(text));
    }
  }

  /** What kind of thing a caller gave, in the words of JSON. */
  static String kind(Object value) {
    if (value == null) {
      return "Null";
    } else if (value instanceof String) {
      return "String";
    } else if (value instanceof Boolean) {
      return "Boolean";
    } else if (value instanceof Number) {
      return "Number";
    } else if (value instanceof JsonArray || value instanceof List) {
      return "Array";
    } else if (value instanceof JsonObject || value instanceof Map) {
      return "Object";
    }
    return value instanceof Buffer || value instanceof byte[] ? "Bytes" : "Unknown";
  }

  /** A JSON value as plain Java: maps, lists, strings, numbers that were really written. */
  private static Object plain(Object value) {
    if (value instanceof JsonArray array) {
      return plainList(array.getList());
    } else if (value instanceof List<?> list) {
      return plainList(list);
    } else if (value instanceof JsonObject object) {
      return object.getMap();
    } else if (value instanceof Double number && number.isInfinite()) {
      return TOO_LARGE;
    }
    return value;
  }

  private static List<Object> plainList(List<?> values) {
    List<Object> plain = new ArrayList<>(values.size());
    for (Object value : values) {
      plain.add(plain(value));
    }
    return plain;
  }

  /** The fields as they would be read, for another node to read them alike. */
  Map<String, Object> plain() {
    return json ? plainMap(fields) : fields;
  }

  private static Map<String, Object> plainMap(Map<?, ?> fields) {
    Map<String, Object> map = new LinkedHashMap<>();
    fields.forEach((key, value) -> map.put((String) key, deep(value)));
    return map;
  }

  private static Object deep(Object value) {
    if (value instanceof JsonObject object) {
      return plainMap(object.getMap());
    } else if (value instanceof Map<?, ?> map) {
      return plainMap(map);
    } else if (value instanceof JsonArray array) {
      return deep(array.getList());
    } else if (value instanceof List<?> list) {
      return list.stream().map(Body::deep).toList();
    }
    return plain(value);
  }

  /** The fields as JSON. */
  public JsonObject toJson() {
    return new JsonObject(json ? fields : jsonMap(fields));
  }

  private static Map<String, Object> jsonMap(Map<?, ?> fields) {
    Map<String, Object> map = new LinkedHashMap<>();
    fields.forEach((key, value) -> map.put((String) key, json(value)));
    return map;
  }

  private static Object json(Object value) {
    if (value instanceof Integer || value instanceof String || value == null) {
      return value;
    } else if (value instanceof Long number) {
      boolean safe = number >= -MAX_SAFE_INTEGER && number <= MAX_SAFE_INTEGER;
      return safe ? (Object) number : number.toString();
    } else if (value instanceof Double || value instanceof Float) {
      double number = ((Number) value).doubleValue();
      return Double.isFinite(number) ? (Object) number : Double.toString(number);
    } else if (value instanceof V128 vector) {
      return vector.toString();
    } else if (value instanceof byte[] bytes) {
      return Base64.getEncoder().encodeToString(bytes);
    } else if (value instanceof List<?> list) {
      List<Object> values = new ArrayList<>(list.size());
      list.forEach(item -> values.add(json(item)));
      return values;
    }
    return value instanceof Map<?, ?> map ? jsonMap(map) : value;
  }

  /** About how many bytes of the heap it takes: its texts and bytes, and a little for each item. */
  public long weight() {
    return weight(fields);
  }

  private static long weight(Object value) {
    long weight = ITEM;
    if (value instanceof CharSequence text) {
      weight += text.length();
    } else if (value instanceof byte[] bytes) {
      weight += bytes.length;
    } else if (value instanceof JsonObject object) {
      weight += weight(object.getMap());
    } else if (value instanceof JsonArray array) {
      weight += weight(array.getList());
    } else if (value instanceof List<?> list) {
      for (Object item : list) {
        weight += weight(item);
      }
    } else if (value instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        weight += ITEM + weight(entry.getValue());
      }
    }
    return weight;
  }

  @Override
  public String toString() {
    return Names.shown(toJson().encode());
  }
}
