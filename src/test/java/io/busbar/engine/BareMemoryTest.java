package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.ByteArrayMemory;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.types.MemoryLimits;
import io.busbar.Failing;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.Limits;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the bare engine gets wrong with memories, each time with what a guest does instead. */
@Timeout(60)
class BareMemoryTest {
  private static final String OUT_OF_MEMORY = "out of bounds memory access";

  private static final String BULK =
      """
      (module
        (memory (export "memory") 1)
        (func (export "fill") (param i32 i32)
          (memory.fill (local.get 0) (i32.const 7) (local.get 1)))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "notify") (param i32) (result i32)
          (memory.atomic.notify (local.get 0) (i32.const 1))))
      """;

  /** ENGINE 5, audit 001; 1.6: it fills to the end, and then a page that is not there is null. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void fill_beyondTheSum_isATrapThatHasWrittenNothing(Compiler.Mode mode) {
    Instance bare = Bare.instance(mode, BULK);
    String said = Bare.said(bare, "fill", 100, Integer.MAX_VALUE);
    assertTrue(said.startsWith("NullPointerException"), said);
    assertEquals("[7]", Bare.said(bare, "load", 65_535));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(BULK);
      assertEquals(OUT_OF_MEMORY, Ours.said(guest, "fill", 100, Integer.MAX_VALUE));
      assertEquals(OUT_OF_MEMORY, Ours.said(guest, "fill", 65_535, 2));
      assertEquals(OUT_OF_MEMORY, Ours.said(guest, "fill", -1, 0));
      assertEquals("[0]", Ours.said(guest, "load", 100));
      assertEquals("[0]", Ours.said(guest, "load", 65_535));
      assertEquals("[]", Ours.said(guest, "fill", 65_536, 0));
    }
  }

  private static final String STORES =
      """
      (module
        (memory (export "memory") 1)
        (func (export "i32.store8") (param i32) (i32.store8 offset=18 (local.get 0) (i32.const 9)))
        (func (export "i64.store8") (param i32) (i64.store8 offset=18 (local.get 0) (i64.const 9)))
        (func (export "i64.store32") (param i32) (i64.store32 offset=18 (local.get 0) (i64.const 9)))
        (func (export "far") (param i32)
          (i32.store8 offset=0xffffffff (local.get 0) (i32.const 9)))
        (func (export "i32.store16") (param i32) (i32.store16 offset=18 (local.get 0) (i32.const 9)))
        (func (export "i64.store16") (param i32) (i64.store16 offset=18 (local.get 0) (i64.const 9)))
        (func (export "i64.store") (param i32) (i64.store offset=18 (local.get 0) (i64.const 9)))
        (func (export "f32.store") (param i32) (f32.store offset=18 (local.get 0) (f32.const 9)))
        (func (export "f64.store") (param i32) (f64.store offset=18 (local.get 0) (f64.const 9)))
        (func (export "i32.store") (param i32) (i32.store offset=18 (local.get 0) (i32.const 9))))
      """;

  /** ENGINE 5, audit 001: past 4 GiB the address of a narrow store is inside again. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void stores_beyondTheSum_areTraps(Compiler.Mode mode) {
    List<String> narrow = List.of("i32.store8", "i64.store8", "i64.store32");
    if (mode == Compiler.Mode.INTERPRETED) {
      Instance bare = Bare.instance(mode, STORES);
      for (String store : narrow) {
        assertEquals("[]", Bare.said(bare, store, -9));
        assertEquals(9, bare.memory().read(9));
        bare.memory().writeByte(9, (byte) 0);
      }
      assertEquals("[]", Bare.said(bare, "far", 5));
      assertEquals(9, bare.memory().read(4));
    }
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(STORES);
      for (String store :
          List.of(
              "i32.store8",
              "i64.store8",
              "i64.store32",
              "far",
              "i32.store16",
              "i64.store16",
              "i64.store",
              "f32.store",
              "f64.store",
              "i32.store")) {
        for (int address : List.of(-9, -18, -1, Integer.MAX_VALUE, Integer.MIN_VALUE)) {
          assertEquals(OUT_OF_MEMORY, Ours.said(guest, store, address), store);
        }
      }
      assertArrayEquals(new byte[65_536], guest.read("memory", 0, 65_536));
      assertEquals("[]", Ours.said(guest, "i64.store32", 65_536 - 18 - 4));
    }
  }

  /** The other bulk instructions: the same words for each way to miss the memory or the segment. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void copyAndInit_beyondTheSum_areTraps(Compiler.Mode mode) {
    String wat =
        """
        (module (memory $a 1) (memory $b 1) (data $d "abcdef")
          (func (export "copy") (param i32 i32 i32)
            (memory.copy $a $a (local.get 0) (local.get 1) (local.get 2)))
          (func (export "across") (param i32 i32 i32)
            (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
          (func (export "init") (param i32 i32 i32)
            (memory.init $a $d (local.get 0) (local.get 1) (local.get 2))))
        """;
    int most = Integer.MAX_VALUE;
    int[][] calls = {
      {-1, 0, 0},
      {0, -1, 0},
      {0, 0, -1},
      {most, 0, 2},
      {0, most, 2},
      {0, 0, most},
      {1, 1, most},
      {65_535, 0, 2}
    };
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(wat);
      for (String function : List.of("copy", "across", "init")) {
        for (int[] call : calls) {
          assertEquals(
              OUT_OF_MEMORY, Ours.said(guest, function, call[0], call[1], call[2]), function);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void notify_outsideOrUnaligned_isATrap(Compiler.Mode mode) {
    Instance bare = Bare.instance(mode, BULK);
    assertEquals("[0]", Bare.said(bare, "notify", 65_536));
    assertEquals("[0]", Bare.said(bare, "notify", 1));
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(BULK);
      assertEquals(OUT_OF_MEMORY, Ours.said(guest, "notify", 65_536));
      assertEquals(OUT_OF_MEMORY, Ours.said(guest, "notify", -4));
      assertEquals("unaligned atomic", Ours.said(guest, "notify", 1));
      assertEquals("[0]", Ours.said(guest, "notify", 65_532));
    }
  }

  /** ENGINE 3.4: without a declared maximum each instance pays for 32,767 pointers to pages. */
  @Test
  void emptyMemory_costsWhatItHolds() {
    ByteArrayMemory bare = new ByteArrayMemory(new MemoryLimits(1));
    assertEquals(32_767, ((Object[]) Bare.field(bare, ByteArrayMemory.class, "pages")).length);
    GuestMemory ours = new GuestMemory(new MemoryLimits(1), Budget.unbounded());
    assertEquals(65_536, ((byte[]) Bare.field(ours, GuestMemory.class, "data")).length);
  }

  private static final String TWO =
      """
      (module (memory 1) (memory (export "second") 1 20000)
        (func (export "grow") (param i32) (result i32) (memory.grow 1 (local.get 0))))
      """;

  /** ENGINE 1.4: the bare limits are for the first memory alone. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void limits_areForAllMemories(Compiler.Mode mode) {
    Instance bare =
        Bare.builder(mode, Bare.module(TWO)).withMemoryLimits(new MemoryLimits(1, 2)).build();
    assertEquals("[1]", Bare.said(bare, "grow", 50));
    try (Ours ours = new Ours(mode)) {
      Limits limits = Limits.STANDARD.with(Limit.MEMORY_BYTES, 2 << 16);
      Guest guest = Guest.start(Guest.Plan.of(ours.load(TWO), "guest").withLimits(limits), null);
      assertEquals("[-1]", Ours.said(guest, "grow", 50));
      assertEquals("[-1]", Ours.said(guest, "grow", 2));
      assertEquals("[1]", Ours.said(guest, "grow", 1));
      assertEquals("[-1]", Ours.said(guest, "grow", 1));
    }
  }

  /** The engine allocates what a module declares; this asks first. */
  @Test
  void declaredPages_areRefusedBeforeTheyAreMade() {
    String wat = "(module (memory 16000))";
    int[] asked = {0};
    Bare.builder(Compiler.Mode.INTERPRETED, Bare.module(wat))
        .withMemoryFactory(
            limits -> {
              asked[0] = limits.initialPages();
              return new ByteArrayMemory(new MemoryLimits(0));
            })
        .build();
    assertEquals(16_000, asked[0]);
    try (Ours ours = new Ours(Compiler.Mode.INTERPRETED)) {
      Limits limits = Limits.STANDARD.with(Limit.MEMORY_BYTES, 1 << 20);
      Guest.Plan plan = Guest.Plan.of(ours.load(wat), "guest").withLimits(limits);
      Failing.with(
          Failure.LIMIT,
          "memory minimum size of 16000 pages exceeds memory limits",
          () -> Guest.start(plan, null));
    }
  }

  private static final String WAITING =
      """
      (module (memory 1 1 shared)
        (func (export "wait") (param i64) (result i32)
          (memory.atomic.wait32 (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "everywhere") (local i32)
          (loop $next
            (drop (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0)))
            (local.set 0 (i32.add (local.get 0) (i32.const 4)))
            (br_if $next (i32.lt_u (local.get 0) (i32.const 65536)))))
        (func (export "differs") (result i32)
          (memory.atomic.wait32 (i32.const 0) (i32.const 1) (i64.const -1))))
      """;

  /** ENGINE 5, atomic wait: the bare memory keeps a state for each address, for ever. */
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  void atomicWait_lastsUntilItsTimeOrAnInterrupt(Compiler.Mode mode) throws Exception {
    Instance bare =
        Bare.builder(mode, Bare.module(WAITING)).withMemoryFactory(ByteArrayMemory::new).build();
    Bare.said(bare, "everywhere");
    Map<?, ?> states = (Map<?, ?>) Bare.field(bare.memory(), ByteArrayMemory.class, "waitStates");
    assertEquals(16_384, states.size());
    try (Ours ours = new Ours(mode)) {
      Guest guest = ours.start(WAITING);
      assertEquals("[2]", Ours.said(guest, "wait", 1_000_000L));
      assertEquals("[2]", Ours.said(guest, "wait", 0L));
      assertEquals("[1]", Ours.said(guest, "differs"));
      assertEquals("[]", Ours.said(guest, "everywhere"));
      for (long forever : List.of(Long.MAX_VALUE, -1L)) {
        CountDownLatch started = new CountDownLatch(1);
        Thread waiting =
            new Thread(
                () -> {
                  started.countDown();
                  Failing.with(Failure.CANCELLED, () -> guest.call("wait", List.of(forever)));
                });
        Throwable[] failed = {null};
        waiting.setUncaughtExceptionHandler((thread, e) -> failed[0] = e);
        waiting.start();
        started.await();
        waiting.interrupt();
        waiting.join(10_000);
        assertTrue(!waiting.isAlive());
        if (failed[0] != null) {
          throw new AssertionError(failed[0]);
        }
      }
    }
  }

  /** Data that the host reads is checked as unsigned, and told in the protocol's words. */
  @Test
  void hostAccess_outside_isARefusal() {
    try (Ours ours = new Ours(Compiler.Mode.INTERPRETED)) {
      Guest guest = ours.start(BULK);
      Instance bare = Bare.instance(Compiler.Mode.INTERPRETED, BULK);
      assertThrows(RuntimeException.class, () -> bare.memory().readBytes(0, Integer.MAX_VALUE));
      Failing.with(Failure.OUT_OF_BOUNDS, () -> guest.read("memory", 0, Integer.MAX_VALUE));
      Failing.with(Failure.OUT_OF_BOUNDS, () -> guest.read("memory", 1L << 32, 1));
      Failing.with(Failure.OUT_OF_BOUNDS, () -> guest.read("memory", -1, 1));
    }
  }
}
