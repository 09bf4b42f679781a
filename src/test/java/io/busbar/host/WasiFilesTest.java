package io.busbar.host;

import static io.busbar.host.WasiCalls.CREATE;
import static io.busbar.host.WasiCalls.DIRECTORY;
import static io.busbar.host.WasiCalls.EXCLUSIVE;
import static io.busbar.host.WasiCalls.FIRST_PREOPEN;
import static io.busbar.host.WasiCalls.FOLLOW;
import static io.busbar.host.WasiCalls.READ;
import static io.busbar.host.WasiCalls.TRUNCATE;
import static io.busbar.host.WasiCalls.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.WasiSpec;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a guest can and cannot do to files, call by call; error numbers are those of WASI. */
class WasiFilesTest {
  private static final int BADF = -8;
  private static final int EXIST = -20;
  private static final int FBIG = -22;
  private static final int INVAL = -28;
  private static final int ISDIR = -31;
  private static final int LOOP = -32;
  private static final int MFILE = -33;
  private static final int NAMETOOLONG = -37;
  private static final int NOENT = -44;
  private static final int NOTDIR = -54;
  private static final int NOTEMPTY = -55;
  private static final int PERM = -63;
  private static final int ROFS = -69;
  private static final int SPIPE = -70;

  @TempDir static Path folder;
  private static TestNode node;
  private static Path box;

  @BeforeAll
  static void start() throws Exception {
    JsonObject wasi = new JsonObject().put("roots", List.of(folder.toString()));
    node = TestNode.start(Config.from(new JsonObject().put("wasi", wasi)));
    box = Files.createDirectory(folder.resolve("box"));
    Files.createDirectory(folder.resolve("box-evil"));
    Files.writeString(folder.resolve("box-evil/secret.txt"), "secret");
    Files.createDirectory(box.resolve("in"));
    Files.writeString(box.resolve("in/a.txt"), "a");
    Files.createSymbolicLink(box.resolve("dirlink"), folder.resolve("box-evil"));
    Files.createSymbolicLink(box.resolve("updir"), Path.of("../box-evil"));
    Files.createSymbolicLink(box.resolve("filelink"), folder.resolve("box-evil/secret.txt"));
    Files.createSymbolicLink(box.resolve("upfile"), Path.of("in/../../box-evil/secret.txt"));
    Files.createSymbolicLink(box.resolve("dangling"), Path.of("none"));
    Files.createSymbolicLink(box.resolve("loop"), Path.of("pool"));
    Files.createSymbolicLink(box.resolve("pool"), Path.of("loop"));
    Files.createSymbolicLink(box.resolve("good"), Path.of("in/a.txt"));
    Files.createSymbolicLink(box.resolve("goodd"), Path.of("./in"));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static WasiCalls inMemory() {
    return new WasiCalls(
        node,
        WasiSpec.ISOLATED.withFiles("/box", Map.of("a", "12345".getBytes(), "d/b", new byte[0])));
  }

  private static WasiCalls real(boolean readOnly) {
    return new WasiCalls(
        node,
        WasiSpec.ISOLATED.withPreopen(
            new WasiSpec.Preopen("/box", Optional.of(box.toString()), Map.of(), readOnly)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "..",
        "../x",
        "../box-evil/secret.txt",
        "in/../../box-evil/secret.txt",
        "./../box-evil/secret.txt",
        "in/../../box/in/a.txt",
        "/etc/passwd",
        "//etc/passwd",
        "/",
        "in/a.txt/../../../box-evil/secret.txt",
        "in/a.txt\0",
        "\0",
        "",
        "none/../../x",
        "dirlink/secret.txt",
        "updir/secret.txt",
        "updir/../box/in/a.txt",
        "loop/x"
      })
  void paths_thatLeave_areRefused(String path) {
    for (WasiCalls guest : List.of(real(false), inMemory())) {
      for (int lookup : List.of(0, FOLLOW)) {
        for (int how : List.of(0, CREATE, CREATE | TRUNCATE, DIRECTORY)) {
          int opened = guest.open(path, lookup, how, how == DIRECTORY ? 0 : READ | WRITE);
          assertTrue(opened < 0, path + " was opened as " + opened);
        }
        assertTrue(guest.stat(path, lookup) < 0);
      }
      assertTrue(guest.onPath("path_create_directory", path) < 0);
      assertTrue(guest.onPath("path_unlink_file", path) < 0);
      assertTrue(guest.rename("in", path) < 0);
    }
    assertFalse(Files.exists(folder.resolve("x")));
  }

  @Test
  void links_leadNowhereOutside() throws Exception {
    WasiCalls guest = real(false);
    for (int lookup : List.of(0, FOLLOW)) {
      assertEquals(PERM, guest.open("dirlink/secret.txt", lookup, 0, READ));
      assertEquals(PERM, guest.open("dirlink/pwned.txt", lookup, CREATE, WRITE));
      assertEquals(PERM, guest.open("dirlink/", lookup, 0, 0));
      assertEquals(PERM, guest.open("updir/secret.txt", lookup, 0, READ));
      assertEquals(LOOP, guest.open("loop/x", lookup, 0, READ));
    }
    assertEquals(PERM, guest.open("filelink", FOLLOW, 0, READ));
    assertEquals(LOOP, guest.open("filelink", 0, 0, READ));
    assertEquals(PERM, guest.open("upfile", FOLLOW, 0, READ));
    assertEquals(LOOP, guest.open("loop", FOLLOW, 0, READ));
    assertEquals(NOENT, guest.open("dangling", FOLLOW, 0, READ));
    assertEquals(PERM, guest.stat("filelink", FOLLOW));
    assertEquals(0, guest.stat("filelink", 0));
    assertEquals(String.valueOf(PERM), guest.readLink("filelink"));
    assertEquals("none", guest.readLink("dangling"));
    assertEquals(PERM, guest.rename("filelink", "moved"));
    assertEquals(PERM, guest.symlink("in", "made"));
    assertEquals(PERM, guest.link("in/a.txt", "made"));
    assertFalse(Files.exists(folder.resolve("box-evil/pwned.txt")));
  }

  @Test
  void links_inside_areFollowed() {
    WasiCalls guest = real(true);
    assertEquals("a", guest.read(guest.open("good", FOLLOW, 0, READ), 10));
    assertEquals("a", guest.read(guest.open("goodd/a.txt", FOLLOW, 0, READ), 10));
    assertEquals("a", guest.read(guest.open("goodd/../in/a.txt", 0, 0, READ), 10));
  }

  @Test
  void subdirectories_areTheTopOfWhatIsOpenedThere() {
    WasiCalls guest = inMemory();
    int directory = guest.open("d", 0, DIRECTORY, 0);
    assertEquals(PERM, guest.openAt(directory, "../a", 0, 0, READ));
    assertTrue(guest.openAt(directory, "b", 0, 0, READ) > 0);
  }

  @Test
  void readOnly_changesNothing() throws Exception {
    WasiCalls guest = real(true);
    assertEquals(ROFS, guest.open("in/a.txt", 0, 0, WRITE));
    assertEquals(ROFS, guest.open("in/a.txt", 0, TRUNCATE, READ));
    assertEquals(ROFS, guest.open("new", 0, CREATE, READ));
    assertEquals(ROFS, guest.onPath("path_create_directory", "new"));
    assertEquals(ROFS, guest.onPath("path_unlink_file", "in/a.txt"));
    assertEquals(ROFS, guest.onPath("path_remove_directory", "in"));
    assertEquals(ROFS, guest.rename("in/a.txt", "b"));
    assertEquals(ROFS, guest.symlink("in", "b"));
    int file = guest.open("in/a.txt", 0, 0, READ);
    assertEquals(BADF, guest.write(file, "x"));
    assertEquals(BADF, guest.call("fd_filestat_set_size", file, 0L));
    assertEquals(ROFS, guest.call("fd_filestat_set_times", file, 0L, 0L, 5));
    assertEquals("a", Files.readString(box.resolve("in/a.txt")));
  }

  @Test
  void files_areReadWrittenAndSought() {
    WasiCalls guest = inMemory();
    int file = guest.open("a", 0, 0, READ | WRITE);
    assertEquals("123", guest.read(file, 3));
    assertEquals("45", guest.read(file, 100_000));
    assertEquals("", guest.read(file, 3));
    assertEquals(0, guest.seek(file, -2, 2));
    assertEquals(3, guest.longResult(0));
    assertEquals(2, guest.write(file, "xy"));
    assertEquals(0, guest.seek(file, 0, 0));
    assertEquals("123xy", guest.read(file, 10));
    assertEquals(INVAL, guest.seek(file, -9, 0));
    assertEquals(SPIPE, guest.seek(1, 0, 0));
    assertEquals(0, guest.call("fd_filestat_set_size", file, 2L));
    assertEquals(0, guest.call("fd_filestat_get", file, 64));
    assertEquals(4, guest.get(64 + 16, 1).getByte(0));
    assertEquals(2, guest.longResult(32));
    assertEquals(0, guest.call("fd_close", file));
    assertEquals(BADF, guest.call("fd_close", file));
  }

  @Test
  void append_writesAtTheEnd() {
    WasiCalls guest = inMemory();
    int file = guest.open("a", 0, 0, READ | WRITE);
    assertEquals(0, guest.call("fd_fdstat_set_flags", file, 1));
    assertEquals(1, guest.write(file, "6"));
    guest.seek(file, 0, 0);
    assertEquals("123456", guest.read(file, 10));
  }

  @Test
  void directories_areListedMadeMovedAndRemoved() {
    WasiCalls guest = inMemory();
    assertEquals(". .. a d ", guest.list(FIRST_PREOPEN));
    assertEquals(0, guest.onPath("path_create_directory", "e"));
    assertEquals(EXIST, guest.onPath("path_create_directory", "e"));
    assertEquals(0, guest.rename("a", "e/c"));
    assertEquals(". .. d e ", guest.list(FIRST_PREOPEN));
    assertEquals(NOTEMPTY, guest.onPath("path_remove_directory", "e"));
    assertEquals(ISDIR, guest.onPath("path_unlink_file", "e"));
    assertEquals(NOTDIR, guest.onPath("path_remove_directory", "e/c"));
    assertEquals(INVAL, guest.rename("e", "e/f"));
    assertEquals(ISDIR, guest.rename("e/c", "d"));
    assertEquals(NOTDIR, guest.rename("d", "e/c"));
    assertEquals(0, guest.onPath("path_unlink_file", "e/c"));
    assertEquals(0, guest.onPath("path_remove_directory", "e"));
    assertEquals(NOENT, guest.onPath("path_unlink_file", "e"));
    assertEquals(INVAL, guest.onPath("path_remove_directory", "."));
    assertEquals(NOTDIR, guest.open("d/b/", 0, 0, READ));
    assertEquals(NOTDIR, guest.open("d/b", 0, DIRECTORY, 0));
    assertEquals(ISDIR, guest.open("d", 0, 0, READ | WRITE));
    assertEquals(EXIST, guest.open("d/b", 0, CREATE | EXCLUSIVE, WRITE));
    assertEquals(NAMETOOLONG, guest.stat("x".repeat(300), 0));
    assertEquals(NAMETOOLONG, guest.stat("x/".repeat(3000), 0));
  }

  @Test
  void links_inMemory_stayThere() {
    WasiCalls guest = inMemory();
    assertEquals(0, guest.symlink("d/b", "s"));
    assertEquals("d/b", guest.readLink("s"));
    assertTrue(guest.open("s", FOLLOW, 0, READ) > 0);
    assertEquals(LOOP, guest.open("s", 0, 0, READ));
    assertEquals(PERM, guest.symlink("/0/a", "t"));
    assertEquals(0, guest.symlink("../../etc/passwd", "t"));
    assertEquals(PERM, guest.open("t", FOLLOW, 0, READ));
    assertEquals(0, guest.link("a", "hard"));
    assertEquals("12345", guest.read(guest.open("hard", 0, 0, READ), 10));
  }

  @Test
  void memory_forFiles_isBounded() {
    WasiCalls guest = inMemory();
    int file = guest.open("big", 0, CREATE, READ | WRITE);
    assertEquals(FBIG, guest.call("fd_filestat_set_size", file, (16L << 20) + 1));
    assertEquals(FBIG, guest.call("fd_filestat_set_size", file, Long.MAX_VALUE));
    assertEquals(FBIG, guest.call("fd_allocate", file, 1L << 40, 1L));
    guest.slice(0, 65_536);
    assertEquals(FBIG, guest.call("fd_pwrite", file, 0, 1, Long.MAX_VALUE - 10, 64));
    int error = 0;
    for (int i = 0; error == 0 && i < 1000; i++) {
      error = guest.call("fd_write", file, 0, 1, 64);
    }
    assertTrue(error < 0);
    Failing.with(
        Failure.TOO_LARGE,
        () ->
            node.start(
                TestNode.inline("wasi_calls")
                    .withWasi(WasiSpec.ISOLATED.withFiles("/", Map.of("f", new byte[100_000])))
                    .withLimit(Limit.FILE_BYTES, 50_000)));
  }

  @Test
  void openFiles_areCounted() {
    WasiCalls guest = inMemory();
    int last = 0;
    for (int i = 0; last >= 0 && i < 1000; i++) {
      last = guest.open("a", 0, 0, READ);
    }
    assertEquals(MFILE, last);
    assertEquals(0, guest.call("fd_close", 10));
    assertEquals(10, guest.open("a", 0, 0, READ));
  }

  @Test
  void preopens_tellTheirNames() {
    WasiCalls guest = inMemory();
    assertEquals(0, guest.call("fd_prestat_get", 3, 64));
    assertEquals(4, guest.get(68, 4).getIntLE(0));
    assertEquals(0, guest.call("fd_prestat_dir_name", 3, 128, 4));
    assertEquals(Buffer.buffer("/box"), guest.get(128, 4));
    assertEquals(BADF, guest.call("fd_prestat_get", 4, 64));
  }
}
