package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.Yaml;

/** What lies in {@code deploy/} and {@code conf/} can be read, and the parts fit each other. */
class DeployTest {
  private static final Path DEPLOY = Path.of("deploy");
  private static final Path KUBERNETES = DEPLOY.resolve("kubernetes");

  @TempDir Path folder;

  private static JsonObject yaml(Path file) throws IOException {
    return new JsonObject(new Yaml().<Map<String, Object>>load(Files.readString(file)));
  }

  /** An object below others. */
  private static JsonObject at(JsonObject object, String... path) {
    JsonObject at = object;
    for (String key : path) {
      at = at.getJsonObject(key);
    }
    return at;
  }

  private static JsonObject only(JsonArray list) {
    assertEquals(1, list.size());
    return list.getJsonObject(0);
  }

  private static Config.Clustering cluster(String json) {
    Config.Clustering cluster = Config.from(new JsonObject(json)).cluster();
    assertTrue(cluster.enabled());
    assertTrue(cluster.tls().isPresent());
    return cluster;
  }

  @Test
  void exampleOfACluster_hasEverySetting() throws IOException {
    String text = Files.readString(Path.of("conf/cluster.json"));
    Set<String> known =
        new TreeSet<>(
            new JsonObject(Files.readString(Path.of("conf/busbar.json")))
                .getJsonObject("cluster")
                .fieldNames());
    known.add("tls"); // and `kubernetes` instead of `join`
    assertEquals(known, new TreeSet<>(new JsonObject(text).getJsonObject("cluster").fieldNames()));
    Config.Clustering cluster = cluster(text);
    assertEquals(cluster.members().size(), cluster.members().join().size());
  }

  @Test
  void yaml_isReadable() throws IOException {
    try (Stream<Path> files = Files.walk(DEPLOY)) {
      List<Path> all = files.filter(file -> file.toString().endsWith(".yaml")).toList();
      assertEquals(7, all.size());
      for (Path file : all) {
        assertTrue(!yaml(file).isEmpty(), file::toString);
      }
    }
  }

  @Test
  void kubernetes_fitsTogether() throws IOException {
    JsonObject service = yaml(KUBERNETES.resolve("service.yaml"));
    JsonObject nodes = yaml(KUBERNETES.resolve("statefulset.yaml"));
    Config.Clustering cluster =
        cluster(at(yaml(KUBERNETES.resolve("configmap.yaml")), "data").getString("busbar.json"));
    String name = at(service, "metadata").getString("name");
    assertEquals(Optional.of(name), cluster.members().serviceDns());
    assertEquals(name, at(nodes, "spec").getString("serviceName"));
    assertEquals(cluster.members().size(), at(nodes, "spec").getInteger("replicas"));
    Set<Integer> ports = Set.of(cluster.members().port(), cluster.busPort());
    JsonObject policy = yaml(KUBERNETES.resolve("networkpolicy.yaml"));
    JsonObject rule = only(at(policy, "spec").getJsonArray("ingress"));
    JsonObject container = only(at(nodes, "spec", "template", "spec").getJsonArray("containers"));
    assertEquals(ports, numbers(at(service, "spec").getJsonArray("ports"), "port"));
    assertEquals(ports, numbers(rule.getJsonArray("ports"), "port"));
    assertEquals(ports, numbers(container.getJsonArray("ports"), "containerPort"));
    JsonObject labels = at(nodes, "spec", "template", "metadata", "labels");
    assertEquals(labels, at(nodes, "spec", "selector", "matchLabels"));
    assertEquals(labels, at(service, "spec", "selector"));
    assertEquals(labels, at(policy, "spec", "podSelector", "matchLabels"));
    assertEquals(labels, at(only(rule.getJsonArray("from")), "podSelector", "matchLabels"));
    JsonObject budget = yaml(KUBERNETES.resolve("disruption.yaml"));
    assertEquals(labels, at(budget, "spec", "selector", "matchLabels"));
  }

  private static Set<Integer> numbers(JsonArray list, String key) {
    Set<Integer> numbers = new TreeSet<>();
    list.forEach(item -> numbers.add(((JsonObject) item).getInteger(key)));
    return numbers;
  }

  @Test
  void kustomization_namesEveryOtherFile() throws IOException {
    JsonArray named = yaml(KUBERNETES.resolve("kustomization.yaml")).getJsonArray("resources");
    Set<String> there = new TreeSet<>(Set.of("kustomization.yaml"));
    named.forEach(file -> there.add((String) file));
    try (Stream<Path> files = Files.list(KUBERNETES)) {
      assertEquals(there, new TreeSet<>(files.map(file -> file.getFileName().toString()).toList()));
    }
  }

  @Test
  void compose_namesItsNodes() throws IOException {
    JsonObject compose = yaml(DEPLOY.resolve("compose.yaml"));
    Config.Clustering cluster = cluster(at(compose, "configs", "node").getString("content"));
    Set<String> names = at(compose, "services").fieldNames();
    assertEquals(
        names.stream().map(name -> name + ":" + cluster.members().port()).toList(),
        cluster.members().join());
    assertEquals(names.size(), cluster.members().size());
    for (String name : names) {
      JsonObject node = at(compose, "services", name);
      assertEquals("busbar", node.getString("image"));
      assertEquals(name, node.getJsonArray("command").getString(4));
      assertTrue(
          node.getJsonArray("volumes")
              .contains("./tls/" + name + ".key:/etc/busbar/tls/node.key:ro"));
    }
  }

  @Test
  void image_hasTheFlagsOfTheUnit() throws IOException {
    String image = Files.readString(DEPLOY.resolve("Containerfile"));
    String unit = Files.readString(DEPLOY.resolve("busbar.service"));
    String start = unit.substring(unit.indexOf("ExecStart="), unit.indexOf("-jar"));
    List<String> flags =
        Arrays.stream(start.split("[\\s\\\\]+")).filter(word -> word.startsWith("-XX:")).toList();
    assertEquals(2, flags.size());
    for (String flag : flags) {
      assertTrue(image.contains('"' + flag + '"'), flag);
    }
  }

  private int run(Map<String, String> env, String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(env);
    builder.redirectOutput(folder.resolve("said").toFile());
    return builder.start().waitFor();
  }

  private boolean isThere(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private String said() {
    try {
      return Files.readString(folder.resolve("said"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void certificatesOfTheScript_areTaken_andStay() throws Exception {
    assumeTrue(isThere("bash", "-c", "true") && isThere("openssl", "version"), "no openssl");
    String script = DEPLOY.resolve("make-tls.sh").toString();
    Path tls = folder.resolve("tls");
    assertEquals(0, run(Map.of(), "bash", script, tls.toString(), "n1", "n2"), this::said);
    assertEquals(0, run(Map.of(), "bash", script, tls.toString(), "n3"), this::said);
    for (String name : new String[] {"n1", "n2", "n3"}) {
      new Tls(tls.resolve(name + ".crt"), tls.resolve(name + ".key"), tls.resolve("ca.crt"))
          .check();
    }
    Map<Path, byte[]> before = files(tls);
    assertEquals(7 + 1, before.size(), "and the CA's key");
    for (String[] names :
        new String[][] {{"n4", "n1"}, {"n4", "n4"}, {"ca"}, {"../n4"}, {"-n4"}, {""}, {}}) {
      String[] command =
          Stream.concat(Stream.of("bash", script, tls.toString()), Arrays.stream(names))
              .toArray(String[]::new);
      assertEquals(1, run(Map.of(), command), () -> String.join(" ", command));
      assertTrue(said().startsWith("make-tls.sh: "), this::said);
    }
    Map<Path, byte[]> after = files(tls);
    assertEquals(before.keySet(), after.keySet());
    before.forEach((file, bytes) -> assertTrue(Arrays.equals(bytes, after.get(file))));
  }

  private static Map<Path, byte[]> files(Path folder) throws IOException {
    Map<Path, byte[]> all = new HashMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        all.put(file, Files.readAllBytes(file));
      }
    }
    return all;
  }

  @Test
  void nodeThatAnswers_isHealthy() throws Exception {
    assumeTrue(isThere("bash", "-c", "true"), "no bash");
    String script = DEPLOY.resolve("healthy.sh").toString();
    int port;
    try (TestCluster cluster = TestCluster.of(1)) {
      port = cluster.http(0).port();
      Map<String, String> env = Map.of("BUSBAR_PORT", String.valueOf(port));
      assertEquals(0, run(env, "bash", script));
    }
    assertNotEquals(0, run(Map.of("BUSBAR_PORT", String.valueOf(port)), "bash", script));
  }
}
