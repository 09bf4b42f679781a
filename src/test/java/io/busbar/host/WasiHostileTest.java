package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.client.StdioRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.WasiSpec;
import io.busbar.model.WasmException;
import io.vertx.core.buffer.Buffer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guests that want more of WASI than is good for the node. */
class WasiHostileTest {
  private static final int NOSYS = -52;
  private static TestNode node;

  @BeforeAll
  static void start() {
    node = TestNode.start();
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static WasiCalls guest() {
    byte[] text = "0123456789".getBytes(StandardCharsets.UTF_8);
    return new WasiCalls(node, WasiSpec.ISOLATED.withStdin(text).withFiles("/", Map.of("a", text)));
  }

  private static void assertTrapsOutOfBounds(WasiCalls guest, String function, Object... params) {
    Failing.with(
        Failure.TRAP, "wasm trap: out of bounds memory access", () -> guest.call(function, params));
  }

  @Test
  void giantReads_areTraps() {
    WasiCalls guest = guest();
    int file = guest.open("a", 0, 0, WasiCalls.READ);
    for (int descriptor : List.of(0, file)) {
      for (int length : List.of(Integer.MAX_VALUE, -1, Integer.MIN_VALUE, 4 << 16)) {
        guest.slice(16, length);
        assertTrapsOutOfBounds(guest, "fd_read", descriptor, 0, 1, 8);
      }
    }
    guest.slice(16, Integer.MAX_VALUE);
    assertTrapsOutOfBounds(guest, "fd_pread", file, 0, 1, 0L, 8);
    assertTrapsOutOfBounds(guest, "fd_write", 1, 0, 1, 8);
    assertEquals(-28, guest.call("fd_read", file, 0, Integer.MAX_VALUE, 8));
    assertEquals("0123456789", guest.read(file, 4096));
  }

  /** 1,024 slices that are the whole memory each: one buffer of ours carries them all. */
  @Test
  void manyOverlappingSlices_allocateNothing() {
    WasiCalls guest = guest();
    int file = guest.open("big", 0, WasiCalls.CREATE, WasiCalls.READ | WasiCalls.WRITE);
    Buffer slices = Buffer.buffer();
    for (int i = 0; i < 1024; i++) {
      slices.appendIntLE(65_536).appendIntLE(3 << 16);
    }
    guest.put(1024, slices);
    assertTrue(guest.call("fd_write", file, 1024, 1024, 8) < 0); // no space for 192 MiB
    guest.seek(file, 0, 0);
    assertEquals(0, guest.call("fd_read", file, 1024, 1024, 8));
  }

  @Test
  void randomEverywhere_isATrap() {
    WasiCalls guest = guest();
    assertTrapsOutOfBounds(guest, "random_get", 0, Integer.MAX_VALUE);
    assertTrapsOutOfBounds(guest, "random_get", -1, 1);
    assertEquals(0, guest.call("random_get", 0, 4 << 16));
  }

  @Test
  void sockets_areRefused() {
    assertEquals(NOSYS, guest().call("sock_shutdown", 1, 0));
    assertEquals(NOSYS, guest().call("proc_raise", 9));
  }

  /** A poll's subscription to the clock that never ends, and one that ends soon. */
  private static Buffer sleep(long nanos) {
    return Buffer.buffer(new byte[48])
        .setLongLE(0, 7)
        .setIntLE(16, 1)
        .setLongLE(24, nanos)
        .setLongLE(32, 0);
  }

  @Test
  void sleepers_wakeUp_orStopAtTheDeadline() {
    WasiCalls guest = guest();
    guest.put(1024, sleep(5_000_000));
    assertEquals(0, guest.call("poll_oneoff", 1024, 2048, 1, 64));
    assertEquals(1, guest.result());
    assertEquals(7, guest.get(2048, 8).getLongLE(0));
    for (long forever : List.of(Long.MAX_VALUE, -1L)) {
      guest.put(1024, sleep(forever));
      InstanceRef hurried = guest.instance().withTimeout(Duration.ofMillis(100));
      WasmException late =
          Failing.with(
              Failure.DEADLINE, () -> hurried.call("poll_oneoff", 1024, 2048, 1, 64).await());
      assertEquals("interrupted", late.details().get("ran"));
    }
    assertEquals(0, guest.call("sched_yield")); // the interrupt has not stayed with the thread
    assertEquals(-28, guest.call("poll_oneoff", 1024, 2048, 0, 64));
    assertEquals(-28, guest.call("poll_oneoff", 1024, 2048, 1 << 20, 64));
  }

  /** Both machines let go of a guest that waits, or that ends in the middle of its calls. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void waitsAndExits_leaveTheGuestUsable(Compiler.Mode mode) {
    try (TestNode own = TestNode.start(mode)) {
      InstanceRef guest =
          own.start(
              TestNode.inline("wasi_program").withWasi(WasiSpec.ISOLATED.withStdinOpen(true)));
      InstanceRef hurried = guest.withTimeout(Duration.ofMillis(100));
      Failing.with(Failure.DEADLINE, () -> hurried.call("_start").await());
      guest.stdio().write(Buffer.buffer("x")).await();
      guest.stdio().closeStdin().await();
      Failing.with(Failure.EXIT, () -> guest.call("echo_then_exit", 7).await());
      assertEquals(List.of(), guest.call("echo_then_exit", 0).await());
      assertEquals("x", guest.stdio().stdout().await().bytes().toString());
    }
  }

  @Test
  void poll_forStdin_endsWithTheFirstByte() {
    WasiCalls guest = new WasiCalls(node, WasiSpec.ISOLATED.withStdinOpen(true));
    guest.put(1024, Buffer.buffer(new byte[48]).setLongLE(0, 9).setByte(8, (byte) 1));
    guest.put(1072, sleep(20_000_000));
    assertEquals(0, guest.call("poll_oneoff", 1024, 2048, 2, 64));
    assertEquals(7, guest.get(2048, 8).getLongLE(0));
    var poll = guest.instance().call("poll_oneoff", 1024, 2048, 1, 64);
    guest.instance().stdio().write(Buffer.buffer("abc")).await();
    assertEquals(List.of(0), poll.await());
    assertEquals(9, guest.get(2048, 8).getLongLE(0));
    assertEquals(3, guest.get(2064, 8).getLongLE(0));
  }

  @Test
  void sleeper_isCancelled_whenItsInstanceStops() {
    WasiCalls guest = guest();
    guest.put(1024, sleep(Long.MAX_VALUE));
    var call = guest.instance().call("poll_oneoff", 1024, 2048, 1, 64);
    guest.instance().stop().await();
    Failing.with(Failure.CANCELLED, call::await);
  }

  /** 128 MB, eight times what the heap may have grown by. */
  @Test
  void flood_leavesTheHeapFlat() {
    flood(128 << 10);
  }

  @Test
  @Tag("slow")
  void floodOfAGigabyte_leavesTheHeapFlat() {
    flood(1 << 20);
  }

  /** So many writes of a kilobyte: nothing of them is kept but the first megabyte. */
  private static void flood(int writes) {
    try (TestNode own = TestNode.start(Compiler.Mode.COMPILED)) {
      InstanceRef guest =
          own.start(TestNode.inline("wasi_program").withWasi(WasiSpec.ISOLATED))
              .withTimeout(Duration.ZERO);
      long before = heap();
      guest.call("flood", writes).await();
      assertTrue(heap() - before < 16L << 20);
      StdioRef.Output kept = guest.stdio().stdout().await();
      assertEquals(1 << 20, kept.bytes().length());
      assertTrue(kept.truncated());
    }
  }

  private static long heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  /** Files are looked up at every depth, the last ones where there is no stack left for it. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void exhaustedStack_leavesFilesUsable(Compiler.Mode mode) {
    String wat =
        """
        (module
          (import "wasi_snapshot_preview1" "path_filestat_get"
            (func $stat (param i32 i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "a")
          (func $stat_a (export "stat") (result i32)
            (call $stat
              (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 64)))
          (func $deeper (export "deeper") (param i32) (result i32)
            (drop (call $stat_a))
            (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1))))
        """;
    WasiSpec wasi = WasiSpec.ISOLATED.withFiles("/", Map.of("a", new byte[0]));
    try (TestNode own = TestNode.start(mode)) {
      InstanceRef guest =
          own.start(TestNode.inlineText(wat).withWasi(wasi)).withTimeout(Duration.ZERO);
      for (int i = 0; i < 3; i++) {
        Failing.with(
            Failure.TRAP, "wasm trap: call stack exhausted", () -> guest.call("deeper", 0).await());
        assertEquals(List.of(0), guest.call("stat").await());
      }
    }
  }

  @Test
  void environmentOfTheNode_isNeverSeen() {
    InstanceRef guest =
        node.start(
            TestNode.inline("wasi_program").withWasi(WasiSpec.ISOLATED.withEnv("GIVEN", "1")));
    guest.call("print_env").await();
    String seen = guest.stdio().stdout().await().bytes().toString();
    assertEquals("GIVEN=1\0", seen);
    System.getenv().keySet().forEach(name -> assertFalse(seen.contains(name + "=")));
  }

  @Test
  void contents_areNotDescribed() {
    WasiCalls guest = guest();
    String described = guest.instance().describe().await().getJsonObject("spec").encode();
    assertTrue(described.contains("\"files\":{\"a\":10}"), described);
    assertTrue(described.contains("\"stdin\":10"), described);
  }
}
