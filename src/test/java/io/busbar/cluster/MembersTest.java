package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import com.hazelcast.nio.serialization.HazelcastSerializationException;
import io.busbar.TestCluster;
import io.busbar.WasmHost;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import io.vertx.spi.cluster.hazelcast.HazelcastClusterManager;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How members find each other, and what one of them cannot make another read. */
class MembersTest {
  private static HazelcastInstance hazelcast(TestCluster cluster, int node) {
    VertxInternal vertx = (VertxInternal) cluster.vertx(node);
    return ((HazelcastClusterManager) vertx.clusterManager()).getHazelcastInstance();
  }

  /** A class that is on the class path and would do something when it is read. */
  private static final class Smuggled implements Serializable {
    private static volatile boolean read;

    private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
      in.defaultReadObject();
      read = true;
    }
  }

  @Test
  void objectOfAnotherClass_isNotRead() {
    try (TestCluster cluster = TestCluster.of(2)) {
      IMap<String, Object> there = hazelcast(cluster, 1).getMap("busbar.smuggled");
      there.set("bare", new Smuggled());
      there.set("inside", new ArrayList<>(List.of(new Smuggled())));
      there.set("list", new ArrayList<>(List.of("text")));
      IMap<String, Object> here = hazelcast(cluster, 0).getMap("busbar.smuggled");
      for (String key : List.of("bare", "inside")) {
        assertThrows(HazelcastSerializationException.class, () -> here.get(key));
      }
      assertFalse(Smuggled.read);
      assertEquals(List.of("text"), here.get("list"));
      cluster.awaitNodes(2);
    }
  }

  /** As in Kubernetes, but that there each has an address of its own and all have one port. */
  @Test
  void members_areFoundByTheNameOfAService() {
    JsonObject service = new JsonObject().put("serviceDns", "localhost");
    try (TestCluster cluster = TestCluster.of(1, config -> find(config, service))) {
      int port = hazelcast(cluster, 0).getCluster().getLocalMember().getAddress().getPort();
      assumeTrue(port == 5701, "others use the port where the second looks for the first");
      WasmHost second = WasmHost.clustered(cluster.further("n1")).await();
      try {
        cluster.awaitNodes(2);
      } finally {
        second.close().await();
      }
    }
  }

  private static void find(JsonObject config, JsonObject service) {
    JsonObject settings = config.getJsonObject("cluster");
    settings.remove("join");
    settings.put("kubernetes", service).put("port", 0);
  }
}
