package io.busbar.chaos;

import com.hazelcast.config.Config;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.spi.cluster.hazelcast.ConfigUtil;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.concurrent.TimeUnit;

/**
 * A process that is a worker of the baseline: plain Vert.x with Hazelcast's defaults, which answers
 * requests at one address and leaves with care.
 */
final class PlainNode {
  static final String ADDRESS = "plain.mark";

  private PlainNode() {}

  public static void main(String[] args) {
    Place place = Place.parse(args[0]);
    Executions executions = Executions.to(place.log());
    Vertx vertx = join(place);
    MessageConsumer<Long> consumer =
        vertx
            .eventBus()
            .consumer(
                ADDRESS,
                message -> {
                  executions.ran(message.body());
                  message.reply(Question.answer(message.body()));
                });
    consumer.completion().await();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(vertx, consumer)));
    Child.say("ready");
    Child.listen(word -> {});
  }

  /** A second for what is still on its way to it. */
  private static void leave(Vertx vertx, MessageConsumer<Long> consumer) {
    consumer.unregister().compose(gone -> vertx.timer(1, TimeUnit.SECONDS)).await();
    vertx.close().await();
  }

  static Vertx join(Place place) {
    VertxOptions options = new VertxOptions();
    options.getEventBusOptions().setHost(place.host());
    return Vertx.builder()
        .with(options)
        .withClusterManager(new HazelcastClusterManager(config(place)))
        .buildClustered()
        .await();
  }

  /** What vertx-hazelcast brings along; only where members meet is another matter. */
  private static Config config(Place place) {
    Config config = ConfigUtil.loadConfig();
    config.setClusterName(place.cluster());
    config.setProperty("hazelcast.phone.home.enabled", "false");
    config.getNetworkConfig().setPort(place.port()).setPortAutoIncrement(false);
    config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface(place.host());
    config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
    config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
    config.getNetworkConfig().getJoin().getTcpIpConfig().setEnabled(true).setMembers(place.join());
    return config;
  }
}
