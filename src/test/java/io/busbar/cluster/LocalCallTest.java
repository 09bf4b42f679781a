package io.busbar.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.BusTraffic;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.client.WasmClient;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Calls of what lives on the caller's own node: they meet no socket and are never encoded. */
class LocalCallTest {
  private static final int CALLS = 1000;

  private static InstanceRef start(WasmClient client, String node, boolean address) {
    InstanceSpec spec = TestNode.inline("wasm_test").withAddress(address);
    return client.start(spec.withHome(Home.ANYWHERE.withLabel("node", node))).await();
  }

  private static void call(InstanceRef instance) {
    for (int i = 0; i < CALLS; i++) {
      assertEquals(List.of(i + 1), instance.call("sum", i, 1).await());
    }
  }

  @Test
  void call_ofTheOwnNode_staysInTheProcess() {
    try (TestCluster cluster = TestCluster.of(2, config -> {}, BusTraffic::options)) {
      BusTraffic traffic = BusTraffic.of(cluster.vertx(1));
      WasmClient client = cluster.client(1);
      InstanceRef own = start(client, "n1", true);
      InstanceRef hidden = start(client, "n1", false);
      InstanceRef remote = start(client, "n0", true);
      long before = traffic.messages();
      call(own);
      call(hidden);
      assertTrue(traffic.messages() - before < CALLS, "only pings cross the socket");
      long messages = traffic.messages();
      call(remote);
      assertTrue(traffic.messages() - messages >= 2 * CALLS, "those of another are counted");
    }
  }
}
