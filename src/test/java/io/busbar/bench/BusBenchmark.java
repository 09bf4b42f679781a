package io.busbar.bench;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.MessageCodec;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The yardstick: one request that is echoed, over the bare bus of one JVM. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
public class BusBenchmark {
  private static final int CALLS = 6400;

  /** What is sent, and where it is answered. */
  public enum Echo {
    /** JSON, which the bus copies; on the consumer's event loop. */
    JSON(new JsonObject().put("left", 20).put("right", 22), false),
    /** An object that crosses as it is; on the consumer's event loop. */
    OBJECT(new Pair(20, 22), false),
    /** An object that crosses as it is; by {@code executeBlocking}. */
    BLOCKING(new Pair(20, 22), true);

    private final Object body;
    private final boolean blocking;

    Echo(Object body, boolean blocking) {
      this.body = body;
      this.blocking = blocking;
    }
  }

  private record Pair(int left, int right) {}

  @Param({"1", "64"})
  public int inFlight;

  @Param public Echo echo;

  private Vertx vertx;
  private Asker asker;

  @Setup
  public void start() {
    vertx = Vertx.vertx();
    vertx.eventBus().registerDefaultCodec(Pair.class, new AsItIs());
    Answerer answerer = new Answerer(echo.blocking);
    vertx.deployVerticle(answerer).await();
    asker = new Asker(vertx, answerer.thread, () -> vertx.eventBus().request("echo", echo.body));
  }

  @TearDown
  public void stop() {
    vertx.close().await();
  }

  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void echo() {
    asker.ask(CALLS, inFlight);
  }

  private static final class Answerer extends VerticleBase {
    private final boolean blocking;
    private volatile Thread thread;

    Answerer(boolean blocking) {
      this.blocking = blocking;
    }

    @Override
    public Future<?> start() {
      thread = Thread.currentThread();
      return vertx
          .eventBus()
          .consumer("echo", blocking ? this::answerBlocking : this::answer)
          .completion();
    }

    private void answer(Message<Object> message) {
      message.reply(message.body());
    }

    private void answerBlocking(Message<Object> message) {
      vertx.executeBlocking(message::body, false).onSuccess(message::reply);
    }
  }

  private static final class AsItIs implements MessageCodec<Pair, Pair> {
    @Override
    public Pair transform(Pair pair) {
      return pair;
    }

    @Override
    public String name() {
      return "pair";
    }

    @Override
    public byte systemCodecID() {
      return -1;
    }

    @Override
    public void encodeToWire(Buffer buffer, Pair pair) {
      throw new UnsupportedOperationException("one JVM only");
    }

    @Override
    public Pair decodeFromWire(int position, Buffer buffer) {
      throw new UnsupportedOperationException("one JVM only");
    }
  }
}
