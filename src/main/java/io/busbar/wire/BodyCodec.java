package io.busbar.wire;

import io.busbar.model.Failure;
import io.busbar.model.V128;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageCodec;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a {@link Body} crosses the bus: in one JVM as the same object, between nodes as tagged
 * values.
 *
 * <p>Each value is one byte for its type and then itself, big-endian; strings (UTF-8), bytes, lists
 * and maps start with their length, four bytes.
 */
final class BodyCodec implements MessageCodec<Body, Body> {
  static final String NAME = "busbar.body";
  private static final int MOST_NESTED = 32;

  /** More than any operation may carry, and little enough for a node to hold. */
  private static final int MOST_BYTES = 64 << 20;

  /** Makes the bus know this codec; any number of times. */
  static void register(Vertx vertx) {
    EventBus bus = vertx.eventBus();
    synchronized (bus) {
      try {
        bus.registerCodec(new BodyCodec());
      } catch (IllegalStateException e) {
        return; // it is known
      }
    }
  }

  @Override
  public Body transform(Body body) {
    return body;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public byte systemCodecID() {
    return -1;
  }

  @Override
  public void encodeToWire(Buffer out, Body body) {
    encode(out, body.isJson() ? body.plain() : body.fields());
  }

  private static void encode(Buffer out, Object value) {
    if (value == null) {
      out.appendByte((byte) 'n');
    } else if (value instanceof Boolean flag) {
      out.appendByte((byte) (flag ? 't' : 'f'));
    } else if (value instanceof Integer number) {
      out.appendByte((byte) 'i').appendInt(number);
    } else if (value instanceof Long number) {
      out.appendByte((byte) 'l').appendLong(number);
    } else if (value instanceof Float number) {
      out.appendByte((byte) 'g').appendInt(Float.floatToRawIntBits(number));
    } else if (value instanceof Double number) {
      out.appendByte((byte) 'd').appendLong(Double.doubleToRawLongBits(number));
    } else if (value instanceof V128 vector) {
      out.appendByte((byte) 'v').appendLong(vector.high()).appendLong(vector.low());
    } else if (value instanceof byte[] bytes) {
      out.appendByte((byte) 'b').appendInt(bytes.length).appendBytes(bytes);
    } else if (value instanceof Number number) {
      appendText(out.appendByte((byte) 'B'), number.toString());
    } else if (value instanceof JsonArray array) {
      encode(out, array.getList());
    } else if (value instanceof JsonObject object) {
      encode(out, object.getMap());
    } else if (value instanceof List<?> list) {
      out.appendByte((byte) 'L').appendInt(list.size());
      list.forEach(item -> encode(out, item));
    } else if (value instanceof Map<?, ?> map) {
      out.appendByte((byte) 'M').appendInt(map.size());
      map.forEach((key, item) -> encode(appendText(out, (String) key), item));
    } else {
      appendText(out.appendByte((byte) 's'), value.toString());
    }
  }

  private static Buffer appendText(Buffer out, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return out.appendInt(bytes.length).appendBytes(bytes);
  }

  @Override
  public Body decodeFromWire(int position, Buffer in) {
    int length = in.length() - position; // the body is the last of a message
    if (length > MOST_BYTES) {
      throw Failure.TOO_LARGE.because(
          "a message of %d bytes; nodes take at most %d", length, MOST_BYTES);
    }
    Object value = new Reader(in, position).value(0);
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> fields = new LinkedHashMap<>();
      map.forEach((key, item) -> fields.put((String) key, item));
      return Body.of(fields);
    }
    throw new IllegalArgumentException("a body must be a map");
  }

  /** Reads values back; a length never makes it allocate more than the message holds. */
  private static final class Reader {
    private final Buffer in;
    private int at;

    Reader(Buffer in, int at) {
      this.in = in;
      this.at = at;
    }

    Object value(int depth) {
      if (depth > MOST_NESTED) {
        throw new IllegalArgumentException("a body nested deeper than " + MOST_NESTED);
      }
      byte tag = in.getByte(at++);
      return switch (tag) {
        case 'n' -> null;
        case 't' -> true;
        case 'f' -> false;
        case 'i' -> in.getInt(skip(4));
        case 'l' -> in.getLong(skip(8));
        case 'g' -> Float.intBitsToFloat(in.getInt(skip(4)));
        case 'd' -> Double.longBitsToDouble(in.getLong(skip(8)));
        case 'v' -> new V128(in.getLong(skip(8)), in.getLong(skip(8)));
        case 'b' -> bytes();
        case 'B' -> new BigDecimal(text());
        case 's' -> text();
        case 'L' -> list(depth);
        case 'M' -> map(depth);
        default -> throw new IllegalArgumentException("unknown tag " + tag);
      };
    }

    private int skip(int bytes) {
      int here = at;
      at += bytes;
      return here;
    }

    private int length() {
      int length = in.getInt(skip(4));
      if (length < 0 || length > in.length() - at) {
        throw new IllegalArgumentException("a length of " + length + " beyond the message");
      }
      return length;
    }

    private byte[] bytes() {
      int length = length();
      int start = skip(length);
      return in.getBytes(start, start + length);
    }

    private String text() {
      return new String(bytes(), StandardCharsets.UTF_8);
    }

    private List<Object> list(int depth) {
      int length = length();
      List<Object> list = new ArrayList<>();
      for (int i = 0; i < length; i++) {
        list.add(value(depth + 1));
      }
      return Collections.unmodifiableList(list);
    }

    private Map<String, Object> map(int depth) {
      int length = length();
      Map<String, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < length; i++) {
        String key = text();
        map.put(key, value(depth + 1));
      }
      return map;
    }
  }
}
