package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasi.WasiOptions;
import com.dylibso.chicory.wasi.WasiPreview1;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.Parser;
import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.Until;
import io.busbar.engine.wasi.Output;
import io.busbar.engine.wasi.Stdio;
import io.busbar.engine.wasi.Wasi;
import io.busbar.model.Failure;
import io.busbar.model.WasiSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the bare engine's WASI gives away, each time with what a guest gets instead. */
@Timeout(60)
class BareWasiTest {
  private static final int FIRST_PREOPEN = 3;
  private static final int FOLLOW = 1;
  private static final long READ = 1 << 1;
  private static final int PATH = 1024;
  private static final int RESULT = 64;
  private static final int KEPT = 1 << 20;

  @TempDir Path folder;
  private Path box;
  private ByteArrayOutputStream out;
  private final Stdio stdio =
      new Stdio("in".getBytes(StandardCharsets.UTF_8), false, KEPT, Budget.unbounded());

  @BeforeEach
  void fill() throws IOException {
    box = Files.createDirectory(folder.resolve("box"));
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Files.writeString(outside.resolve("secret.txt"), "secret");
    Files.createSymbolicLink(box.resolve("directory"), outside);
    Files.createSymbolicLink(box.resolve("file"), outside.resolve("secret.txt"));
    Files.writeString(box.resolve("a.txt"), "a");
  }

  private Instance bare() {
    out = new ByteArrayOutputStream();
    WasiOptions options =
        WasiOptions.builder()
            .withStdin(new ByteArrayInputStream("in".getBytes(StandardCharsets.UTF_8)), false)
            .withStdout(out, false)
            .withDirectory("/", box)
            .build();
    WasiPreview1 wasi = WasiPreview1.builder().withOptions(options).build();
    return Instance.builder(Parser.parse(Compiler.toBinary(Guests.text("wasi_calls"))))
        .withImportValues(ImportValues.builder().addFunction(wasi.toHostFunctions()).build())
        .build();
  }

  private static int call(Instance bare, String function, long... params) {
    return -(int) bare.export(function).apply(params)[0];
  }

  private static int open(Instance bare, String path) {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    bare.memory().write(PATH, bytes);
    int error =
        call(bare, "path_open", FIRST_PREOPEN, FOLLOW, PATH, bytes.length, 0, READ, 0, 0, RESULT);
    return error < 0 ? error : bare.memory().readInt(RESULT);
  }

  private static void slice(Instance bare, int address, int length) {
    bare.memory().writeI32(0, address);
    bare.memory().writeI32(4, length);
  }

  private Guest ours(Ours ours) {
    WasiSpec spec =
        WasiSpec.ISOLATED.withPreopen(
            new WasiSpec.Preopen("/", Optional.of(box.toString()), Map.of(), false));
    CompiledModule module =
        ours.load(new String(Guests.text("wasi_calls"), StandardCharsets.UTF_8));
    return Guest.start(
        Guest.Plan.of(module, "guest")
            .withWasi(new Wasi.Plan(spec, stdio, List.of(folder), 1 << 20)),
        null);
  }

  private static int call(Guest guest, String function, Object... params) {
    return -(Integer) guest.call(function, List.of(params)).get(0);
  }

  private static int open(Guest guest, String path) {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    guest.write("memory", PATH, bytes);
    int error =
        call(guest, "path_open", FIRST_PREOPEN, FOLLOW, PATH, bytes.length, 0, READ, 0L, 0, RESULT);
    return error < 0
        ? error
        : ByteBuffer.wrap(guest.read("memory", RESULT, 4)).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  private static void slice(Guest guest, int address, int length) {
    ByteBuffer slice = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    guest.write("memory", 0, slice.putInt(address).putInt(length).array());
  }

  /** ENGINE 5, audit 004: links lead out of the directory a guest was given. */
  @Test
  void links_leadNowhere() {
    Instance bare = bare();
    for (String path : List.of("directory/secret.txt", "file")) {
      int opened = open(bare, path);
      assertTrue(opened > FIRST_PREOPEN, path);
      slice(bare, 2048, 6);
      assertEquals(0, call(bare, "fd_read", opened, 0, 1, 8));
      assertEquals("secret", bare.memory().readString(2048, 6));
    }
    try (Ours ours = new Ours(Compiler.Mode.COMPILED);
        Guest guest = ours(ours)) {
      assertTrue(open(guest, "directory/secret.txt") < 0);
      assertTrue(open(guest, "file") < 0);
      assertTrue(open(guest, "a.txt") > FIRST_PREOPEN);
    }
  }

  /** ENGINE 5, audit 005, and 1.7: the guest chooses how much the host allocates. */
  @Test
  void lengthsOfSlices_areCheckedBeforeAnythingIsAllocated() {
    Instance bare = bare();
    slice(bare, 16, -1);
    assertThrows(NegativeArraySizeException.class, () -> call(bare, "fd_read", 0, 0, 1, 8));
    slice(bare, 16, Integer.MAX_VALUE);
    assertThrows(OutOfMemoryError.class, () -> call(bare, "fd_read", 0, 0, 1, 8));
    try (Ours ours = new Ours(Compiler.Mode.COMPILED);
        Guest guest = ours(ours)) {
      for (int length : List.of(-1, Integer.MAX_VALUE, Integer.MIN_VALUE)) {
        slice(guest, 16, length);
        Failing.with(
            Failure.TRAP,
            "wasm trap: out of bounds memory access",
            () -> call(guest, "fd_read", 0, 0, 1, 8));
      }
      slice(guest, 16, 8);
      assertEquals(0, call(guest, "fd_read", 0, 0, 1, 8));
    }
  }

  /** ENGINE 1.7: nothing but the operating system bounds what a guest has open. */
  @Test
  void openFiles_areBounded() {
    Instance bare = bare();
    for (int i = 0; i < 1_200; i++) {
      assertTrue(open(bare, "a.txt") > 0);
    }
    try (Ours ours = new Ours(Compiler.Mode.COMPILED);
        Guest guest = ours(ours)) {
      int opened = 0;
      while (opened < 1_200 && open(guest, "a.txt") > 0) {
        opened++;
      }
      assertTrue(opened < 1_100, opened + " are open");
    }
  }

  private static byte[] sleepForever() {
    ByteBuffer subscription = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
    return subscription.putInt(16, 1).putLong(24, Long.MAX_VALUE >> 1).array();
  }

  /** ENGINE 1.7: an interrupt ends a sleep with an exception like any other, and is forgotten. */
  @Test
  void interruptedSleep_isACancelledCall() {
    Instance bare = bare();
    bare.memory().write(1024, sleepForever());
    Interrupted first = new Interrupted(() -> call(bare, "poll_oneoff", 1024, 2048, 1, RESULT));
    assertEquals(ChicoryException.class, first.thrown.getClass());
    assertFalse(first.flag);
    try (Ours ours = new Ours(Compiler.Mode.COMPILED);
        Guest guest = ours(ours)) {
      guest.write("memory", 1024, sleepForever());
      Interrupted second = new Interrupted(() -> call(guest, "poll_oneoff", 1024, 2048, 1, RESULT));
      Failing.with(
          Failure.CANCELLED,
          () -> {
            throw second.thrown;
          });
      assertFalse(second.flag);
    }
  }

  /** A call that is interrupted once it sleeps. */
  private static final class Interrupted {
    private Throwable thrown;
    private boolean flag;

    Interrupted(Runnable call) {
      Thread thread =
          new Thread(
              () -> {
                thrown = assertThrows(Throwable.class, call::run);
                flag = Thread.interrupted();
              });
      thread.start();
      Until.isTrue(() -> thread.getState() == Thread.State.TIMED_WAITING);
      thread.interrupt();
      Until.isTrue(() -> !thread.isAlive());
    }
  }

  /** HOSTILE 2.7: what a guest writes is kept to the last byte. */
  @Test
  void output_isBounded() {
    Instance bare = bare();
    slice(bare, 0, 65_536);
    for (int i = 0; i < 64; i++) {
      assertEquals(0, call(bare, "fd_write", 1, 0, 1, 8));
      slice(bare, 0, 65_536);
    }
    assertEquals(64 * 65_536, out.size());
    try (Ours ours = new Ours(Compiler.Mode.COMPILED);
        Guest guest = ours(ours)) {
      for (int i = 0; i < 64; i++) {
        slice(guest, 0, 65_536);
        assertEquals(0, call(guest, "fd_write", 1, 0, 1, 8));
      }
      Output.Chunk kept = stdio.stdout().read(Integer.MAX_VALUE);
      assertEquals(KEPT, kept.bytes().length);
      assertTrue(kept.truncated());
    }
  }

  /** Functions WASI has no use for here are an error number, not a Java exception. */
  @Test
  void whatIsNotOffered_saysSo() {
    Instance bare = bare();
    assertThrows(RuntimeException.class, () -> call(bare, "proc_raise", 9));
    try (Ours ours = new Ours(Compiler.Mode.COMPILED);
        Guest guest = ours(ours)) {
      assertEquals(-52, call(guest, "proc_raise", 9));
      assertEquals(-52, call(guest, "sock_shutdown", 1, 0));
      Failing.with(
          Failure.TRAP,
          "wasm trap: out of bounds memory access",
          () -> call(guest, "random_get", 0, Integer.MAX_VALUE));
    }
  }
}
