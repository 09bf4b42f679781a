package io.busbar.chaos;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;

/**
 * All that a process of a trial is told: who it is, where it meets the others, where it logs.
 *
 * @param cluster another for each trial
 * @param log calls if it is the driver, else executions; one a line
 */
record Place(
    String name,
    String cluster,
    String host,
    int port,
    List<String> join,
    Tuning tuning,
    Path log) {
  static Place parse(String text) {
    JsonObject json = new JsonObject(text);
    return new Place(
        json.getString("name"),
        json.getString("cluster"),
        json.getString("host"),
        json.getInteger("port"),
        json.getJsonArray("join").stream().map(String::valueOf).toList(),
        new Tuning(json.getInteger("size"), json.getInteger("suspectMillis")),
        Path.of(json.getString("log")));
  }

  String text() {
    return new JsonObject()
        .put("name", name)
        .put("cluster", cluster)
        .put("host", host)
        .put("port", port)
        .put("join", new JsonArray(join))
        .put("size", tuning.size())
        .put("suspectMillis", tuning.suspectMillis())
        .put("log", log.toString())
        .encode();
  }
}
