package io.busbar.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.TestCluster;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import io.vertx.openapi.contract.Operation;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The description of the API against what only nodes of a cluster answer. */
class OpenApiOnTwoNodesTest {
  private static final String SPEC =
      """
      {"id":"%s","module":{"wat":"(module (func (export \\"f\\")))"},"replicas":%d}
      """;

  private static TestCluster cluster;
  private static WebClient web;
  private static Described described;

  @BeforeAll
  static void start() {
    cluster = TestCluster.of(2);
    WebClientOptions there =
        new WebClientOptions().setDefaultHost("127.0.0.1").setDefaultPort(cluster.http(0).port());
    web = WebClient.create(cluster.vertx(0), there);
    String yaml = web.get("/api/v1/openapi.yaml").send().await().bodyAsString();
    described = Described.by(cluster.vertx(0), Described.parse(yaml));
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  /** The answer, which must be as described. */
  private static JsonObject ask(int status, String operation, String path, String body) {
    Operation asked = described.operation(operation);
    HttpMethod method = asked.getHttpMethod();
    HttpResponse<Buffer> answer =
        web.request(method, "/api/v1" + path).sendBuffer(Buffer.buffer(body)).await();
    assertEquals(status, answer.statusCode(), answer.bodyAsString());
    described.check(asked, answer);
    return answer.bodyAsJsonObject();
  }

  private static JsonObject ask(String operation, String path, String body) {
    return ask(200, operation, path, body);
  }

  @Test
  void copies_areAsDescribed() {
    ask(201, "startInstance", "/instances", SPEC.formatted("twins", 2));
    assertEquals(2, ask("describeInstance", "/instances/twins", "").getInteger("replicas"));
    ask("listInstances", "/instances", "");
    ask("callFunction", "/instances/twins/call/f", "");
    ask(400, "moveInstance", "/instances/twins/move", "{\"node\":\"n1\"}");
    ask("stopInstance", "/instances/twins", "");
  }

  @Test
  void movesAndDrains_areAsDescribed() {
    JsonObject started = ask(201, "startInstance", "/instances", SPEC.formatted("mover", 1));
    String other = started.getString("node").equals("n0") ? "n1" : "n0";
    String body = new JsonObject().put("node", other).encode();
    ask("callFunction", "/instances/mover/call/f", "");
    ask(409, "moveInstance", "/instances/mover/move", body);
    String fresh = new JsonObject().put("node", other).put("fresh", true).encode();
    assertEquals(other, ask("moveInstance", "/instances/mover/move", fresh).getString("node"));
    ask("describeInstance", "/instances/mover?recent=true", "");
    ask("listNodes", "/nodes", "");
    JsonObject drained = ask("drainNode", "/nodes/" + other + "/drain", "{\"fresh\":true}");
    assertEquals("mover", drained.getJsonArray("moved").getString(0));
    ask("listNodes", "/nodes", "");
    ask("listInstances", "/instances", "");
    ask("listModules", "/modules", "");
    ask("stopInstance", "/instances/mover", "");
  }
}
