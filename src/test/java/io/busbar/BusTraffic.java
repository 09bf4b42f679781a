package io.busbar;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.metrics.MetricsOptions;
import io.vertx.core.spi.VertxMetricsFactory;
import io.vertx.core.spi.metrics.EventBusMetrics;
import io.vertx.core.spi.metrics.VertxMetrics;
import java.util.concurrent.atomic.LongAdder;

/** What the event bus of a Vert.x with metrics has written to its sockets and read from them. */
public final class BusTraffic implements VertxMetrics {
  private final LongAdder messages = new LongAdder();

  /** Found by Vert.x; one that wants no metrics gets none. */
  public static final class Factory implements VertxMetricsFactory {
    @Override
    public VertxMetrics metrics(VertxOptions options) {
      return options.getMetricsOptions().isEnabled() ? new BusTraffic() : null;
    }
  }

  /** Options with which a Vert.x counts. */
  public static VertxOptions options() {
    return new VertxOptions().setMetricsOptions(new MetricsOptions().setEnabled(true));
  }

  /** Of a Vert.x with those options. */
  public static BusTraffic of(Vertx vertx) {
    return (BusTraffic) ((VertxInternal) vertx).metrics();
  }

  /** Messages and replies that were encoded and sent, or received and decoded. */
  public long messages() {
    return messages.sum();
  }

  @Override
  public EventBusMetrics<Void> createEventBusMetrics() {
    return new EventBusMetrics<>() {
      @Override
      public void messageWritten(String address, int size) {
        messages.increment();
      }

      @Override
      public void messageRead(String address, int size) {
        messages.increment();
      }
    };
  }
}
