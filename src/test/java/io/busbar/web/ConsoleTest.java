package io.busbar.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Guests;
import io.busbar.TestCluster;
import io.busbar.TestNode;
import io.busbar.Until;
import io.busbar.client.InstanceRef;
import io.busbar.gateway.Credentials;
import io.busbar.gateway.HttpGateway;
import io.busbar.gateway.Permissions;
import io.busbar.gateway.Roles;
import io.busbar.model.Home;
import io.busbar.model.WasiSpec;
import io.busbar.wire.Addresses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The console in a real browser, clicked through; nothing may be complained about meanwhile. */
class ConsoleTest {
  private static final Path GUEST = Path.of("src/test/resources/guests/console.wat");

  private static Browser browser;

  private final TestNode node = TestNode.start();
  private HttpGateway gateway;

  @BeforeAll
  static void open() {
    browser = Browser.open();
  }

  @AfterAll
  static void quit() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void start() {
    gateway = gateway(HttpGateway.Options.dev("127.0.0.1", 0));
  }

  @AfterEach
  void stop() {
    List<String> complaints = browser.complaints();
    browser.leave();
    gateway.close().await();
    node.close();
    assertEquals(List.of(), complaints);
  }

  private HttpGateway gateway(HttpGateway.Options options) {
    return HttpGateway.open(
            node.vertx(), options, Addresses.STANDARD, 1 << 20, Duration.ofMinutes(1))
        .await();
  }

  private InstanceRef startCalc() {
    return node.start(TestNode.inline("console").withId("calc"));
  }

  /** The page with an instance selected. */
  private InstanceRef openCalc() {
    InstanceRef calc = startCalc();
    browser.go(gateway.port());
    browser.click("#instances a", "calc");
    browser.find("#call-function");
    return calc;
  }

  private static void call(String function, String... params) {
    browser.choose("#call-function", function);
    for (int i = 0; i < params.length; i++) {
      browser.fill("#param-" + i, params[i]);
    }
    browser.click("#panel-call button.primary");
  }

  @Test
  void module_isPut_started_andCalled() {
    browser.go(gateway.port());
    browser.find("#connection", "connected");
    browser.fill("#put-version", "1.2");
    browser.file("#file", GUEST);
    browser.find("#selection-title", "console:1.2");
    browser.find("#selection td", "(i64, f64) → (f64, i64)");
    browser.fill("#start-id", "calc");
    browser.fill("#start-fuel", "1000000");
    browser.fill("#start-memory", "2");
    browser.click("#start");
    browser.find("#selection-title", "calc");
    call("sum", "50", "-8");
    assertEquals("42", browser.find("#outcome .value").getText());
    browser.find("#outcome", "4 fuel");
    assertTrue(node.client().instance("calc").describe().await().encode().contains("2097152"));
  }

  @Test
  void fileThatIsDropped_isPut() {
    browser.go(gateway.port());
    browser.find("#connection", "connected");
    browser.value(
        """
        (() => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["(module)"], "dropped here.wat"));
          const drop = new DragEvent("drop", { bubbles: true, dataTransfer });
          document.getElementById("drop").dispatchEvent(drop);
        })()
        """);
    browser.find("#notice", "dropped-here is put.");
    browser.find("#modules a", "dropped-here");
  }

  @Test
  void trap_isShownInFull() {
    openCalc();
    call("divide", "1", "0");
    browser.find("#outcome .failure-name", "TRAP 4220");
    browser.find("#outcome .failure-text", "wasm trap: integer divide by zero");
    browser.find("#outcome .frames", "console!divide");
    browser.click("#outcome summary");
    browser.find("#outcome .json", "\"trap\": \"integer divide by zero\"");
  }

  @Test
  void paramsThatDoNotFit_areToldWhereTheyAre_andNothingIsAsked() {
    InstanceRef calc = openCalc();
    call("sum", "2147483648", "1.5");
    assertEquals("does not fit i32", browser.find("#param-0-problem").getText());
    assertEquals("must be a whole number", browser.find("#param-1-problem").getText());
    assertEquals("param-0", browser.focused().getDomAttribute("id"));
    browser.fill("#param-0", "0x7fffffff");
    browser.fill("#param-1", "-2147483648");
    browser.click("#panel-call button.primary");
    browser.find("#outcome .value", "-1");
    call("swap", "9007199254740993", "nan");
    browser.find("#outcome .value", "NaN");
    browser.find("#outcome .value", "9007199254740993");
    assertEquals(2, calc.describe().await().getJsonObject("counters").getInteger("operations"));
  }

  @Test
  void callThatGoesOn_isCancelled() {
    InstanceRef calc = openCalc();
    browser.choose("#call-function", "spin");
    browser.click("#panel-call summary");
    browser.fill("#call-timeout", "60000");
    browser.click("#panel-call button.primary");
    Until.isTrue(() -> calc.describe().await().getBoolean("running"));
    browser.click("#panel-call button", "Cancel");
    browser.find("#outcome .failure-name", "AbortError");
    Until.isTrue(() -> !calc.describe().await().getBoolean("running"));
  }

  @Test
  void globals_areWatchedAndSet() {
    InstanceRef calc = openCalc();
    browser.click("#tab-globals");
    browser.find(".globals .value", "42");
    browser.find(".globals .value", "9007199254740993");
    calc.call("count_up").await();
    browser.find(".globals .value", "43");
    browser.fill(".globals input", "7");
    browser.click(".globals button");
    browser.find(".globals .value", "7");
    assertEquals(7, calc.global("count").await());
  }

  @Test
  void memory_isShownPagedAndWritten() {
    InstanceRef calc = openCalc();
    browser.click("#tab-memory");
    browser.find(
        ".hex tr", "0x00000 3c 73 63 72 69 70 74 3e  61 6c 65 72 74 28 31 29 <script>alert(1)");
    browser.find("#memory-size", "1 page, 64 KiB; shown: 0x00000 to 0x001ff");
    browser.fill("#write-offset", "0x10");
    browser.fill("#write-data", "Hi!");
    browser.click("#write");
    browser.find(".hex mark", "48");
    assertEquals("Hi!", calc.memory().read(16, 3).await().toString());
    browser.click("#memory-text");
    browser.find("pre.text", "<script>alert(1)Hi!");
    browser.click("#memory-next");
    browser.find("#memory-size", "shown: 0x00200 to");
    browser.fill("#memory-offset", "65535");
    browser.find("#memory-offset").sendKeys(Keys.ENTER);
    browser.find("#memory-size", "shown: 0x0ffff to 0x0ffff");
    browser.fill("#grow-pages", "1");
    browser.click("button", "Grow");
    browser.find("#memory-size", "2 pages, 128 KiB");
  }

  @Test
  void whatHappensElsewhere_isSeenAsItHappens_andInstancesAreStopped() {
    browser.go(gateway.port());
    browser.find("#connection", "connected");
    browser.find("#events-note", "Nothing has happened yet.");
    startCalc();
    browser.find("#events li", "instance.started");
    browser.click("#instances a", "calc");
    browser.click("#stop");
    browser.find("#dialog", "Stop calc?").sendKeys(Keys.ESCAPE);
    browser.find("#instances a", "calc");
    browser.click("#stop");
    browser.click("#dialog-ok");
    browser.find("#events li", "instance.stopped");
    browser.find("#instances-note", "None yet");
    browser.awaitNone("#instances a", "calc");
    browser.find("#selection", "Nothing is selected");
    browser.click("#events-clear");
    browser.find("#events-note", "Nothing has happened yet.");
  }

  @Test
  void lastOperations_areDrawn() {
    openCalc();
    call("sum", "1", "2");
    browser.find("#outcome .value", "3");
    browser.click("#tab-live");
    browser.find("#panel-live", "sum");
    assertTrue(browser.find("svg.graph").getAccessibleName().startsWith("Time of the last"));
  }

  @Test
  void output_isFollowed_andStdinIsFed() {
    node.start(TestNode.inlineText(ECHO).withId("echo").withWasi(publishing()));
    browser.go(gateway.port());
    browser.click("#instances a", "echo");
    browser.click("#tab-output");
    browser.fill("#stdin", "<b>hello</b>");
    browser.find("#stdin").sendKeys(Keys.ENTER);
    browser.find("#notice", "13 bytes written to stdin.");
    node.client().instance("echo").call("_start").await();
    browser.find("#output", "<b>hello</b>");
  }

  private static WasiSpec publishing() {
    return WasiSpec.ISOLATED.withStdinOpen(true).withPublish(true);
  }

  private static final String ECHO =
      """
      (module
        (import "wasi_snapshot_preview1" "fd_read"
          (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write"
          (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (i32.store (i32.const 0) (i32.const 64))
          (i32.store (i32.const 4) (i32.const 100))
          (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
          (i32.store (i32.const 4) (i32.load (i32.const 8)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
      """;

  @Test
  void badModule_isTold(@TempDir Path folder) throws Exception {
    Path bad = Files.writeString(folder.resolve("<img src=x onerror=alert(1)>.wasm"), "no wasm");
    browser.go(gateway.port());
    browser.find("#connection", "connected");
    browser.file("#file", bad);
    browser.find("#alert .failure-name", "INVALID_MODULE");
    browser.click("#alert button", "Dismiss");
    List<String> complaints = browser.complaints();
    assertEquals(1, complaints.size(), "only that the status is 400: " + complaints);
  }

  @Test
  void specThatIsNoJson_isTold_andImportsAreProposed() {
    node.client().put(Guests.text("import_test"), "imports").await();
    browser.go(gateway.port());
    browser.click("#modules a", "imports");
    WebElement rest = browser.find("#start-rest");
    assertTrue(rest.getDomProperty("value").contains("\"imported_sum3\""));
    rest.sendKeys("x");
    browser.click("#start");
    browser.find("#start-problem", "The rest is not JSON");
    browser.click("#remove");
    browser.click("#dialog-ok");
    browser.find("#notice", "imports is removed.");
    browser.awaitNone("#modules a", "imports");
  }

  // whom it is for

  @Test
  void namesOfGuests_areTextAndNothingElse() {
    openCalc();
    call("<img src=x onerror=alert(1)>");
    browser.find("#outcome .value", "7");
    call("__proto__");
    browser.find("#outcome .value", "8");
    browser.click("#tab-details");
    browser.find("#panel-details th", "<img src=x onerror=alert(1)>");
    assertEquals(0, browser.all("main img, main script").size());
  }

  @Test
  void keyboardAlone_isEnough() {
    node.client().put(Guests.text("console"), "console").await();
    browser.go(gateway.port());
    browser.find("#modules a", "console");
    browser.press(Keys.TAB);
    WebElement skip = browser.focused();
    assertEquals("Skip to the selection", skip.getText());
    Until.isTrue(() -> skip.getLocation().getY() >= 0);
    browser.press(Keys.ENTER);
    assertEquals("selection", browser.focused().getDomAttribute("id"));
    browser.go(gateway.port());
    browser.find("#modules a", "console");
    browser.tabTo("console");
    browser.press(Keys.ENTER);
    browser.find("#start");
    assertEquals("selection-title", browser.focused().getDomAttribute("id"));
    browser.tabTo("Id");
    browser.press("calc", Keys.ENTER);
    browser.find("#call-function");
    browser.tabTo("Call");
    assertEquals("tab", browser.focused().getDomAttribute("role"));
    browser.tabTo("Function");
    browser.press(Keys.DOWN, Keys.UP);
    browser.tabTo("param 0");
    assertNotEquals("none", browser.value("getComputedStyle(document.activeElement).outlineStyle"));
    browser.press("50", Keys.TAB, "-8", Keys.ENTER);
    browser.find("#outcome .value", "42");
    browser.find("#tab-call").sendKeys(Keys.ARROW_RIGHT);
    browser.find("#panel-globals .value", "42");
    browser.press(Keys.END);
    browser.find("#panel-details");
    assertEquals("tab-details", browser.focused().getDomAttribute("id"));
  }

  @Test
  void whatCanBeUsed_hasAName() {
    openCalc();
    for (String tab : List.of("call", "globals", "memory", "live", "details")) {
      browser.click("#tab-" + tab);
      browser.find("#panel-" + tab + " > *");
      for (WebElement used : browser.all("a, button, input, select, textarea, summary")) {
        if (used.isDisplayed()) {
          assertFalse(used.getAccessibleName().isBlank(), used.getDomProperty("outerHTML"));
        }
      }
    }
  }

  @Test
  void colours_followTheSystem_untilSomebodyChooses() {
    browser.prefer("dark");
    browser.go(gateway.port());
    assertEquals("rgb(23, 21, 19)", ground());
    browser.click("#theme");
    assertEquals("rgb(246, 244, 241)", ground());
    browser.reload();
    assertEquals("rgb(246, 244, 241)", ground());
    browser.prefer("light");
    browser.click("#theme");
    assertEquals("rgb(23, 21, 19)", ground());
  }

  private static Object ground() {
    browser.find("#theme");
    return browser.value("getComputedStyle(document.body).backgroundColor");
  }

  @Test
  void narrowPage_isNoWiderThanItsWindow() {
    openCalc();
    browser.size(360, 740);
    for (String tab : List.of("call", "globals", "memory", "live", "details")) {
      browser.click("#tab-" + tab);
      browser.find("#panel-" + tab + " > *");
      assertEquals(
          browser.value("document.documentElement.clientWidth"),
          browser.value("document.documentElement.scrollWidth"),
          tab);
    }
  }

  // where it runs

  @Test
  void instanceOfAnotherNode_isUsedLikeOnesOwn() {
    try (TestCluster cluster = TestCluster.of(2)) {
      HttpGateway http = cluster.http(0);
      cluster
          .client(0)
          .start(
              TestNode.inline("console")
                  .withId("far")
                  .withHome(Home.ANYWHERE.withLabel("odd", "yes")))
          .await();
      browser.go(http.port());
      browser.find("#nodes .row", "n0");
      browser.find("#nodes .row", "zone z1");
      browser.find("#instances a", "n1");
      browser.click("#instances a", "far");
      browser.find("#instance-state", "node n1");
      call("sum", "50", "-8");
      browser.find("#outcome .value", "42");
      cluster.client(1).start(TestNode.inline("console").withId("late")).await();
      browser.find("#events li", "late");
      browser.find("#instances a", "late");
      assertEquals(List.of(), browser.complaints());
      browser.leave();
      http.close().await();
    }
  }

  @Test
  void connectionThatBreaks_isMadeAnew() {
    int port = gateway.port();
    openCalc();
    gateway.close().await();
    browser.find("#connection", "connecting");
    gateway = gateway(HttpGateway.Options.dev("127.0.0.1", port));
    browser.find("#connection", "connected");
    call("sum", "1", "2");
    browser.find("#outcome .value", "3");
    browser.complaints(); // that there was no connection
  }

  @Test
  void token_isAskedFor_keptInTheTab_andForgotten() {
    String key = "acme.secret";
    Credentials.Key acme =
        new Credentials.Key(
            "acme", Credentials.Key.digest(key), Optional.of("acme"), Permissions.ALL);
    gateway.close().await();
    gateway =
        gateway(
            HttpGateway.Options.STANDARD
                .at("127.0.0.1", 0)
                .withCredentials(
                    new Credentials.Options(List.of(acme), Optional.empty(), new Roles(Map.of()))));
    browser.go(gateway.port());
    browser.fill("#token", "acme.wrong");
    browser.find("#token").sendKeys(Keys.ENTER);
    browser.find("#token-error", "e");
    browser.fill("#token", key);
    browser.find("#token").sendKeys(Keys.ENTER);
    browser.find("#connection", "connected as acme");
    browser.file("#file", GUEST);
    browser.find("#selection-title", "console");
    browser.reload();
    browser.find("#connection", "connected as acme");
    assertNull(browser.value("Object.values(localStorage).find((v) => v.includes('acme'))"));
    browser.click("#sign-out");
    browser.find("#token-dialog", "Token");
    browser.find("#connection", "closed");
  }
}
