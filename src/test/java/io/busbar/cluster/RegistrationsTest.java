package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hazelcast.multimap.MultiMap;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.model.Home;
import io.vertx.core.internal.VertxInternal;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two nodes whose bus forgets where addresses are. */
class RegistrationsTest {
  @Test
  void forgottenAddresses_areAnnouncedAgain() {
    try (TestCluster cluster = TestCluster.of(2)) {
      cluster
          .client(0)
          .start(
              TestNode.inline("wasm_test")
                  .withId("calc")
                  .withHome(Home.ANYWHERE.withLabel("node", "n1")))
          .await();
      MultiMap<String, Object> known = registrations(cluster);
      List<String> forgotten =
          List.of("wasm.node.n1", "wasm.instance.calc", "wasm.instances", "wasm.modules");
      forgotten.forEach(address -> assertTrue(known.remove(address).size() > 0, address));
      Until.isTrue(
          () ->
              forgotten.stream().allMatch(known::containsKey)
                  && known.get("wasm.instances").size() == 2);
      assertEquals(List.of(3), cluster.client(0).instance("calc").call("sum", 1, 2).await());
      assertEquals(List.of(3), cluster.stranger(0).instance("calc").call("sum", 1, 2).await());
    }
  }

  private static MultiMap<String, Object> registrations(TestCluster cluster) {
    return ((HazelcastClusterManager) ((VertxInternal) cluster.vertx(0)).clusterManager())
        .getHazelcastInstance()
        .getMultiMap("__vertx.subs");
  }
}
