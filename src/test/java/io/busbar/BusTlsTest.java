package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.client.WasmClient;
import io.busbar.model.Home;
import io.busbar.model.InstanceSpec;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes that know each other by their certificates, and others who would like to. */
class BusTlsTest {
  private static final byte STRING = 9; // the bus's number for that kind of body

  @TempDir static Path folder;
  private static TestCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    JsonObject ours = TestCa.in(folder.resolve("ours")).node("node");
    JsonObject theirs = TestCa.in(folder.resolve("theirs")).node("node");
    cluster =
        TestCluster.of(
            2,
            config -> {
              boolean stranger = config.getString("node").equals("stranger");
              config.getJsonObject("cluster").put("tls", stranger ? theirs : ours);
            });
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static InstanceSpec on(String node, String id) {
    return TestNode.inline("wasm_test").withId(id).withHome(Home.ANYWHERE.withLabel("node", node));
  }

  private static void assertNodesCallEachOther(String id) {
    for (int node = 0; node < 2; node++) {
      String there = id + node;
      cluster.client(1 - node).start(on("n" + node, there)).await();
      for (WasmClient client : List.of(cluster.client(1 - node), cluster.stranger(1 - node))) {
        assertEquals(List.of(42), client.instance(there).call("sum", 50, -8).await());
      }
      cluster.client(node).instance(there).stop().await();
    }
  }

  @Test
  void nodesOfOneCa_callEachOther() {
    assertNodesCallEachOther("ours");
  }

  /** What the bus writes for {@code send(address, body)}, length first. */
  private static byte[] frame(String address, String body) {
    Buffer frame = Buffer.buffer().appendByte((byte) 1).appendByte(STRING).appendByte((byte) 0);
    text(frame, address).appendInt(0); // no address for replies
    text(frame, "stranger").appendInt(4); // no headers
    text(frame, body);
    return Buffer.buffer().appendInt(frame.length()).appendBuffer(frame).getBytes();
  }

  private static Buffer text(Buffer frame, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return frame.appendInt(bytes.length).appendBytes(bytes);
  }

  private static BlockingQueue<String> heard(Vertx vertx, String address) {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    vertx
        .eventBus()
        .<String>consumer(address, message -> heard.add(message.body()))
        .completion()
        .await();
    return heard;
  }

  private static Socket busOf(Vertx vertx) throws IOException {
    int port = ((VertxInternal) vertx).clusterManager().getNodeInfo().port();
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
    return socket;
  }

  /** Until the other end has closed it. */
  private static void write(Socket socket, byte[] frame) throws IOException {
    try (socket) {
      OutputStream out = socket.getOutputStream();
      out.write(frame);
      out.flush();
      socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }
  }

  @Test
  void forgedFrame_isHeardWithoutTls() throws Exception {
    try (TestCluster open = TestCluster.of(1)) {
      BlockingQueue<String> heard = heard(open.vertx(0), "my.open");
      try (Socket socket = busOf(open.vertx(0))) {
        socket.getOutputStream().write(frame("my.open", "forged"));
        assertEquals("forged", heard.poll(20, TimeUnit.SECONDS));
      }
    }
  }

  @Test
  void forgedFrame_isNotHeardWithTls() throws Exception {
    BlockingQueue<String> heard = heard(cluster.vertx(0), "my.closed");
    write(busOf(cluster.vertx(0)), frame("my.closed", "forged"));
    byte[] endless = Buffer.buffer().appendInt(1 << 30).appendBytes(new byte[1 << 16]).getBytes();
    try {
      write(busOf(cluster.vertx(0)), endless);
    } catch (IOException e) {
      assertTrue(heard.isEmpty(), "closed while it was written");
    }
    assertHears("my.closed", heard);
  }

  @Test
  void forgedFrame_ofOneWithoutCertificate_isNotHeard() throws Exception {
    BlockingQueue<String> heard = heard(cluster.vertx(0), "my.known");
    SSLContext anyone = SSLContext.getInstance("TLSv1.3");
    anyone.init(null, new TrustManager[] {new Believing()}, null);
    Socket plain = busOf(cluster.vertx(0));
    Socket socket =
        anyone.getSocketFactory().createSocket(plain, "localhost", plain.getPort(), true);
    assertThrows(IOException.class, () -> write(socket, frame("my.known", "forged")));
    assertHears("my.known", heard);
  }

  /** What a node sends, and nothing else before. */
  private static void assertHears(String address, BlockingQueue<String> heard)
      throws InterruptedException {
    cluster.vertx(1).eventBus().send(address, "ours");
    assertEquals("ours", heard.poll(20, TimeUnit.SECONDS));
    assertTrue(heard.isEmpty(), heard::toString);
    assertNodesCallEachOther("after-");
  }

  private static final class Believing implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  @Test
  void nodeOfAnotherCa_neitherCallsNorIsCalled() throws Exception {
    cluster.client(0).start(on("n0", "ours")).await();
    WasmHost stranger = WasmHost.clustered(cluster.further("stranger")).await();
    try {
      assertSilent(stranger.client(), "ours");
      stranger.client().start(on("stranger", "theirs")).await();
      assertEquals(
          List.of(3), stranger.client().instance("theirs").call("sum", 1, 2).await(), "in itself");
      assertSilent(cluster.client(1), "theirs");
    } finally {
      stranger.close().await();
    }
    cluster.awaitNodes(2);
    cluster.client(1).instance("ours").stop().await();
    assertNodesCallEachOther("left-");
  }

  private static void assertSilent(WasmClient client, String id) {
    Failing.any(
        () -> client.instance(id).withTimeout(Duration.ofMillis(200)).call("sum", 1, 2).await());
  }
}
