package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What traps and what comes and goes leaves nothing behind. */
class LeakTest {
  private static final long MARGIN = 8 << 20; // bytes: what the JVM itself may need meanwhile

  /** What is retained, in bytes; classes go with the second collection. */
  private static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  private static void trap(InstanceRef guest, int times) {
    for (int i = 0; i < times; i++) {
      Failing.with(Failure.TRAP, () -> guest.call("trap").await());
    }
  }

  private static void traps(Compiler.Mode mode, int times) {
    try (TestNode node = TestNode.start(mode)) {
      InstanceRef guest =
          node.startText(
              "(module (func (export \"trap\") "
                  + "(i32.const 1) ".repeat(100)
                  + "(unreachable)))");
      trap(guest, times / 10);
      long before = heap();
      trap(guest, times);
      long more = heap() - before;
      assertTrue(more < MARGIN, () -> times + " traps left " + more + " bytes");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void traps_leaveNothing(Compiler.Mode mode) {
    traps(mode, 10_000);
  }

  @Tag("slow")
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void manyTraps_leaveNothing(Compiler.Mode mode) {
    traps(mode, 100_000);
  }

  /** Each round has a module of its own: put, started, called, stopped, removed. */
  private static void rounds(TestNode node, int from, int times) {
    for (int i = from; i < from + times; i++) {
      String wat = "(module (memory 1) (func (export \"f\") (result i32) (i32.const " + i + ")))";
      node.client().put(wat.getBytes(StandardCharsets.UTF_8), "round").await();
      InstanceRef guest = node.start(InstanceSpec.of("round").withId("round"));
      assertEquals(List.of(i), guest.call("f").await());
      guest.stop().await();
      node.client().remove("round").await();
    }
  }

  private static void rounds(int times) {
    ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
    try (TestNode node = TestNode.start(Compiler.Mode.COMPILED)) {
      rounds(node, 0, times / 10);
      long before = heap();
      int loaded = classes.getLoadedClassCount();
      rounds(node, times, times);
      long more = heap() - before;
      int left = classes.getLoadedClassCount() - loaded;
      assertTrue(more < MARGIN, () -> times + " rounds left " + more + " bytes");
      assertTrue(left < times / 4, () -> times + " rounds left " + left + " classes");
      assertEquals(List.of(), node.client().modules().await());
      var memory = node.client().nodes().await().get(0).getJsonObject("memory");
      assertEquals(0, memory.getLong("reserved"));
    }
  }

  @Test
  void modulesThatComeAndGo_leaveNothing() {
    rounds(200);
  }

  @Tag("slow")
  @Test
  void manyModulesThatComeAndGo_leaveNothing() {
    rounds(1_000);
  }
}
