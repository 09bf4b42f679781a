package io.busbar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import io.busbar.host.Host;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings are read strictly, and the file in conf/ says what holds without it. */
class ConfigTest {
  @Test
  void shippedFile_isTheStandard() throws IOException {
    JsonObject shipped = new JsonObject(Files.readString(Path.of("conf/busbar.json")));
    Config read = Config.from(shipped.copy().put("node", "n"));
    JsonObject machine = new JsonObject().put("node", "n");
    machine.put(
        "workers",
        new JsonObject().put("rights", shipped.getJsonObject("workers").getInteger("rights")));
    assertEquals(Config.from(machine), read);
  }

  @Test
  void settings_areRead() {
    Config config =
        Config.from(
            new JsonObject(
                """
                {"node":"n1","data":"d","bus":{"prefix":"w","instanceAddresses":false},
                 "limits":{"mailbox":7},"engine":{"machine":"interpreted"},
                 "http":{"port":0}}
                """));
    assertEquals("n1", config.host().node());
    assertEquals("w.instance.x", config.host().addresses().instance("x"));
    assertEquals(false, config.host().addressed());
    assertEquals(7, config.host().limits().get(Limit.MAILBOX));
    assertEquals(1 << 27, config.host().limits().get(Limit.MEMORY_BYTES));
    assertEquals(Compiler.Mode.INTERPRETED, config.compiler().mode());
    assertEquals(0, config.http().port());
  }

  @Test
  void memoryOfGuests_isAShareOfTheHeapOrANumber() {
    long heap = Runtime.getRuntime().maxMemory();
    assertEquals((long) (heap * 0.6), Config.standard().host().quota().all().bytes());
    assertEquals(
        (long) (heap * 0.25),
        Config.from(new JsonObject("{\"memory\":{\"heapShare\":0.25}}"))
            .host()
            .quota()
            .all()
            .bytes());
    assertEquals(
        new Host.Quota(
            new Host.Share(5_000_000, 7),
            new Host.Share(4_000_000, 3),
            Map.of("acme", new Host.Share(4_000_000, 5), "b c", new Host.Share(1, 3)),
            heap / 8),
        Config.from(
                new JsonObject(
                    """
                    {"memory":{"heapShare":0.5,"maxBytes":5000000},"instances":{"max":7},
                     "tenants":{"instances":3,"memoryBytes":4000000,
                      "of":{"acme":{"instances":5},"b c":{"memoryBytes":1}}}}
                    """))
            .host()
            .quota());
    assertRefused(
        "`memory.heapShare` must be more than 0 and at most 1, not 1.5",
        "{\"memory\":{\"heapShare\":1.5}}");
    assertRefused(
        "`heapShare` must be a number. Given `String`.", "{\"memory\":{\"heapShare\":\"all\"}}");
    assertRefused(
        "`maxBytes` must be 1 to " + heap + ", not " + Long.MAX_VALUE,
        "{\"memory\":{\"maxBytes\":" + Long.MAX_VALUE + "}}");
    assertRefused("unknown setting `tenants.calls`", "{\"tenants\":{\"calls\":1}}");
    assertRefused(
        "unknown setting `tenants.of.acme.of`", "{\"tenants\":{\"of\":{\"acme\":{\"of\":{}}}}}");
    assertRefused("`acme` must be an object. Given `1`.", "{\"tenants\":{\"of\":{\"acme\":1}}}");
    assertRefused(
        "`instances` must be 1 to 10000000, not 0",
        "{\"tenants\":{\"of\":{\"acme\":{\"instances\":0}}}}");
  }

  @Test
  void mistakes_areNamed(@TempDir Path folder) throws IOException {
    assertRefused("unknown setting `colour`", "{\"colour\":1}");
    assertRefused("unknown setting `bus.prefx`", "{\"bus\":{\"prefx\":\"w\"}}");
    assertRefused("unknown setting `limits.colour`", "{\"limits\":{\"colour\":1}}");
    assertRefused("`port` must be 0 to 65535, not 70000", "{\"http\":{\"port\":70000}}");
    assertRefused(
        "`machine` must be auto, compiled or interpreted. Given `fast`.",
        "{\"engine\":{\"machine\":\"fast\"}}");
    assertRefused("`limits.stack` must be at least 1024, not 512", "{\"limits\":{\"stack\":512}}");
    assertRefused("`bus` must be an object. Given `String`.", "{\"bus\":\"x\"}");
    Path file = Files.writeString(folder.resolve("bad.json"), "{");
    Failing.with(Failure.BAD_REQUEST, () -> Config.read(file));
    Failing.with(Failure.BAD_REQUEST, () -> Config.read(folder.resolve("none.json")));
  }

  private static void assertRefused(String text, String json) {
    Failing.with(Failure.BAD_REQUEST, text, () -> Config.from(new JsonObject(json)));
  }
}
