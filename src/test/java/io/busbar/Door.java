package io.busbar;

import io.busbar.client.InstanceRef;
import io.busbar.client.MemoryRef;
import io.busbar.engine.Compiler;
import io.busbar.engine.Guest;
import io.busbar.model.V128;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** One way to an instance; the same scenarios go through each. Numbers come as Long and Double. */
interface Door extends AutoCloseable {
  List<Object> call(String function, Object... params);

  boolean exists(String function);

  Object global(String name);

  Object setGlobal(String name, Object value);

  long pages();

  byte[] read(long offset, long length);

  void write(long offset, byte[] bytes);

  long grow(long pages);

  @Override
  void close();

  /** A value as every door can show it. */
  static Object plain(Object value) {
    if (value instanceof Integer || value instanceof Long) {
      return ((Number) value).longValue();
    } else if (value instanceof Float || value instanceof Double) {
      return ((Number) value).doubleValue();
    }
    return value instanceof V128 ? value.toString() : value;
  }

  private static List<Object> plain(List<?> values) {
    List<Object> plain = new ArrayList<>();
    values.forEach(value -> plain.add(plain(value)));
    return plain;
  }

  /** The engine alone, on a thread with the stack that guests have on a node. */
  final class Direct implements Door {
    private final ExecutorService thread =
        Executors.newSingleThreadExecutor(r -> new Thread(null, r, "direct", 8 << 20));
    private final Compiler compiler;
    private final Guest guest;

    Direct(byte[] wat, Compiler.Mode mode) {
      compiler = new Compiler(Compiler.Options.STANDARD.withMode(mode));
      guest =
          on(
              () ->
                  Guest.start(Guest.Plan.of(compiler.load(Compiler.toBinary(wat)), "guest"), null));
    }

    private <T> T on(Callable<T> work) {
      try {
        return thread.submit(work).get();
      } catch (ExecutionException e) {
        throw (WasmException) e.getCause();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public List<Object> call(String function, Object... params) {
      return Door.plain(on(() -> guest.call(function, Arrays.asList(params))));
    }

    @Override
    public boolean exists(String function) {
      return guest.exists(function);
    }

    @Override
    public Object global(String name) {
      return Door.plain(on(() -> guest.global(name)));
    }

    @Override
    public Object setGlobal(String name, Object value) {
      return Door.plain(on(() -> guest.setGlobal(name, value)));
    }

    @Override
    public long pages() {
      return on(() -> guest.pages(null));
    }

    @Override
    public byte[] read(long offset, long length) {
      return on(() -> guest.read(null, offset, length));
    }

    @Override
    public void write(long offset, byte[] bytes) {
      on(
          () -> {
            guest.write(null, offset, bytes);
            return null;
          });
    }

    @Override
    public long grow(long pages) {
      return on(() -> guest.grow(null, pages));
    }

    @Override
    public void close() {
      thread.shutdownNow();
      compiler.close();
    }
  }

  /** The Java client. */
  final class Client implements Door {
    private final TestNode node;
    private final InstanceRef instance;
    private final MemoryRef memory;

    Client(byte[] wat, Compiler.Mode mode) {
      node = TestNode.start(mode);
      instance = node.startText(new String(wat, java.nio.charset.StandardCharsets.UTF_8));
      memory = instance.memory();
    }

    @Override
    public List<Object> call(String function, Object... params) {
      return Door.plain(instance.call(function, params).await());
    }

    @Override
    public boolean exists(String function) {
      return instance.exists(function).await();
    }

    @Override
    public Object global(String name) {
      return Door.plain(instance.global(name).await());
    }

    @Override
    public Object setGlobal(String name, Object value) {
      return Door.plain(instance.setGlobal(name, value).await());
    }

    @Override
    public long pages() {
      return memory.pages().await();
    }

    @Override
    public byte[] read(long offset, long length) {
      return memory.read(offset, length).await().getBytes();
    }

    @Override
    public void write(long offset, byte[] bytes) {
      memory.write(offset, Buffer.buffer(bytes)).await();
    }

    @Override
    public long grow(long pages) {
      return memory.grow(pages).await();
    }

    @Override
    public void close() {
      node.close();
    }
  }

  /** Bare bus messages, their answers sent to an address of our own. */
  final class From implements Door {
    private static final String ANSWERS = "test.answers";

    private final TestNode node;
    private final String address;
    private final LinkedBlockingQueue<Message<JsonObject>> answers = new LinkedBlockingQueue<>();
    private int asked;

    From(byte[] wat, Compiler.Mode mode) {
      node = TestNode.start(mode);
      MessageConsumer<JsonObject> consumer =
          node.vertx().eventBus().consumer(ANSWERS, answers::add);
      consumer.completion().await();
      JsonObject spec =
          new JsonObject()
              .put("id", "guest")
              .put("module", new JsonObject().put("wat", new String(wat)));
      ask("wasm.instances", "start", spec);
      address = "wasm.instance.guest";
    }

    private JsonObject ask(String action, JsonObject body) {
      return ask(address, action, body);
    }

    private JsonObject ask(String to, String action, JsonObject body) {
      String id = "ask-" + ++asked;
      DeliveryOptions options =
          new DeliveryOptions()
              .addHeader("action", action)
              .addHeader("from", ANSWERS)
              .addHeader("id", id);
      // through text, as it would come from another node
      node.vertx().eventBus().send(to, new JsonObject(body.encode()), options);
      Message<JsonObject> answer = next();
      if (!id.equals(answer.headers().get("id")) || !ANSWERS.equals(answer.headers().get("from"))) {
        throw new AssertionError("not the answer to " + id + ": " + answer.headers());
      }
      if ("error".equals(answer.headers().get("status"))) {
        throw Failures.from(Body.of(answer.body()));
      }
      return new JsonObject(answer.body().encode());
    }

    private Message<JsonObject> next() {
      try {
        Message<JsonObject> answer = answers.poll(20, TimeUnit.SECONDS);
        if (answer == null) {
          throw new AssertionError("no answer");
        }
        return answer;
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public List<Object> call(String function, Object... params) {
      JsonArray list = new JsonArray();
      for (Object param : params) {
        list.add(param instanceof V128 ? param.toString() : param);
      }
      JsonObject body = new JsonObject().put("function", function).put("params", list);
      return Door.plain(ask("call", body).getJsonArray("results").getList());
    }

    @Override
    public boolean exists(String function) {
      return ask("exists", new JsonObject().put("function", function)).getBoolean("exists");
    }

    @Override
    public Object global(String name) {
      return Door.plain(ask("get-global", new JsonObject().put("global", name)).getValue("value"));
    }

    @Override
    public Object setGlobal(String name, Object value) {
      JsonObject body = new JsonObject().put("global", name).put("value", value);
      return Door.plain(ask("set-global", body).getValue("value"));
    }

    @Override
    public long pages() {
      return ask("memory", new JsonObject()).getLong("pages");
    }

    @Override
    public byte[] read(long offset, long length) {
      JsonObject body = new JsonObject().put("offset", offset).put("length", length);
      return Base64.getDecoder().decode(ask("read-memory", body).getString("bytes"));
    }

    @Override
    public void write(long offset, byte[] bytes) {
      String base64 = Base64.getEncoder().encodeToString(bytes);
      ask("write-memory", new JsonObject().put("offset", offset).put("bytes", base64));
    }

    @Override
    public long grow(long pages) {
      return ask("grow-memory", new JsonObject().put("pages", pages)).getLong("previous");
    }

    @Override
    public void close() {
      node.close();
    }
  }
}
