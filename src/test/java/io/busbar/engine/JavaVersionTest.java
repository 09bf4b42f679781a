package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.ResourceBundle;
import org.junit.jupiter.api.Test;

class JavaVersionTest {
  /** Keeps what is logged. */
  private static final class Kept implements System.Logger {
    private final List<String> lines = new ArrayList<>();

    @Override
    public String getName() {
      return "kept";
    }

    @Override
    public boolean isLoggable(Level level) {
      return true;
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String text, Throwable thrown) {
      lines.add(level + " " + text);
    }

    @Override
    public void log(Level level, ResourceBundle bundle, String format, Object... params) {
      lines.add(level + " " + MessageFormat.format(format, params));
    }
  }

  private static List<String> said(String version) {
    Kept log = new Kept();
    JavaVersion.check(Runtime.Version.parse(version), log);
    return log.lines;
  }

  @Test
  void javaThatMayBeWrong_isNamed_withThoseThatAreNot() {
    assertEquals(
        List.of(
            "WARNING Java 17.0.15+6 can get unsigned comparisons in large compiled functions wrong,"
                + " seldom and silently: run nodes on Java 21 or 25"),
        said("17.0.15+6"));
  }

  @Test
  void javaThatIsRight_isNotMentioned() {
    assertEquals(List.of(), said("21.0.2"));
    assertEquals(List.of(), said("25"));
  }
}
