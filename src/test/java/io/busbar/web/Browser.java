package io.busbar.web;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.logging.Level;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.Select;
import org.openqa.selenium.support.ui.WebDriverWait;

/** Chromium without a window, used as a person would. */
final class Browser implements AutoCloseable {
  private static final Program DRIVER = new Program("chromedriver", "busbar.require.chromium");
  private static final Program CHROMIUM = new Program("chromium", "busbar.require.chromium");
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration GLANCE = Duration.ofMillis(50);

  private final ChromeDriver driver;

  private Browser(ChromeDriver driver) {
    this.driver = driver;
  }

  static Browser open() {
    File driver = DRIVER.path().toFile();
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(CHROMIUM.path().toFile());
    options.addArguments("--headless=new", "--no-sandbox", "--disable-dev-shm-usage");
    options.setCapability("goog:loggingPrefs", logs);
    ChromeDriverService service =
        new ChromeDriverService.Builder().usingDriverExecutable(driver).usingAnyFreePort().build();
    return new Browser(new ChromeDriver(service, options));
  }

  void go(int port) {
    size(1280, 900);
    driver.get("http://127.0.0.1:" + port + "/");
  }

  /** Goes to no page at all: nothing is asked of any node. */
  void leave() {
    driver.get("about:blank");
  }

  void reload() {
    driver.navigate().refresh();
  }

  void size(int width, int height) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /** As if the system preferred these colours. */
  void prefer(String scheme) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  // looking

  /** The first that can be seen, as soon as there is one. */
  WebElement find(String css) {
    return until(css, () -> visible(css));
  }

  /** The first that can be seen whose text has this in it. */
  WebElement find(String css, String text) {
    return until(
        css + " with " + text,
        () ->
            driver.findElements(By.cssSelector(css)).stream()
                .filter(element -> element.isDisplayed() && element.getText().contains(text))
                .findFirst());
  }

  private Optional<WebElement> visible(String css) {
    return driver.findElements(By.cssSelector(css)).stream()
        .filter(WebElement::isDisplayed)
        .findFirst();
  }

  private WebElement until(String what, Supplier<Optional<WebElement>> look) {
    return new WebDriverWait(driver, PATIENCE, GLANCE)
        .ignoring(StaleElementReferenceException.class)
        .withMessage(() -> what + " in\n" + driver.findElement(By.tagName("body")).getText())
        .until(d -> look.get().orElse(null));
  }

  void awaitNone(String css, String text) {
    new WebDriverWait(driver, PATIENCE, GLANCE)
        .ignoring(StaleElementReferenceException.class)
        .withMessage("no " + css + " with " + text)
        .until(
            d ->
                d.findElements(By.cssSelector(css)).stream()
                    .noneMatch(element -> element.getText().contains(text)));
  }

  List<WebElement> all(String css) {
    return driver.findElements(By.cssSelector(css));
  }

  /** What an expression of JavaScript gives. */
  Object value(String expression) {
    return driver.executeScript("return " + expression);
  }

  // doing

  void click(String css) {
    click(find(css));
  }

  void click(String css, String text) {
    click(find(css, text));
  }

  /** In the middle of the window, where no bar lies over it. */
  private void click(WebElement element) {
    driver.executeScript("arguments[0].scrollIntoView({ block: \"center\" })", element);
    element.click();
  }

  void fill(String css, String text) {
    WebElement input = find(css);
    input.clear();
    input.sendKeys(text);
  }

  void choose(String css, String option) {
    WebElement select = find(css);
    String text =
        select.findElements(By.tagName("option")).stream()
            .map(WebElement::getText)
            .filter(shown -> shown.startsWith(option))
            .findFirst()
            .orElseThrow();
    new Select(select).selectByVisibleText(text);
  }

  /** Chooses a file in an input that need not be seen. */
  void file(String css, Path file) {
    driver.findElement(By.cssSelector(css)).sendKeys(file.toAbsolutePath().toString());
  }

  // by keyboard alone

  WebElement focused() {
    return driver.switchTo().activeElement();
  }

  void press(CharSequence... keys) {
    new Actions(driver).sendKeys(keys).perform();
  }

  /** Goes on with Tab until something is reached that has this accessible name. */
  void tabTo(String name) {
    for (int i = 0; i < 60; i++) {
      press(Keys.TAB);
      if (focused().getAccessibleName().startsWith(name)) {
        return;
      }
    }
    throw new AssertionError("`" + name + "` is not reached by Tab");
  }

  /** What the page complained about since this was last asked. */
  List<String> complaints() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .filter(entry -> entry.getLevel().intValue() >= Level.WARNING.intValue())
        .map(LogEntry::getMessage)
        .toList();
  }

  @Override
  public void close() {
    driver.quit();
  }
}
