package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.client.StdioRef;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasiSpec;
import io.busbar.model.WasmException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guests that read, write, list, wait and exit through WASI, asked over the bus. */
class WasiTest {
  @TempDir static Path root;
  private static TestNode node;

  @BeforeAll
  static void start() {
    JsonObject wasi = new JsonObject().put("roots", List.of(root.toString()));
    node = TestNode.start(Config.from(new JsonObject().put("wasi", wasi)));
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  private static InstanceRef program(WasiSpec wasi) {
    return node.start(TestNode.inline("wasi_program").withWasi(wasi));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String output(InstanceRef guest) {
    return guest.stdio().stdout().await().bytes().toString(StandardCharsets.UTF_8);
  }

  /** Calls a function with a path; what it printed. */
  private static String run(InstanceRef guest, String function, String path) {
    guest.memory().write(256, Buffer.buffer(path)).await();
    assertEquals(List.of(), guest.call(function, 256, utf8(path).length).await());
    return output(guest);
  }

  @Test
  void noWasi_itsImportsAreUnknown() {
    Failing.with(
        Failure.LINK,
        "unknown import: `wasi_snapshot_preview1::args_sizes_get` has not been defined",
        () -> node.start("wasi_program"));
  }

  @Test
  void unknownFunction_isUnknownImport_andOtherType_isIncompatible() {
    String import1 = "(module (import \"wasi_snapshot_preview1\" \"%s\" (func)))";
    Failing.with(
        Failure.LINK,
        "unknown import: `wasi_snapshot_preview1::sock_dance` has not been defined",
        () ->
            node.start(
                TestNode.inlineText(import1.formatted("sock_dance")).withWasi(WasiSpec.ISOLATED)));
    Failing.with(
        Failure.LINK,
        "incompatible import type for `wasi_snapshot_preview1::sock_accept`",
        () ->
            node.start(
                TestNode.inlineText(import1.formatted("sock_accept")).withWasi(WasiSpec.ISOLATED)));
  }

  @Test
  void isolated_seesNothing() {
    InstanceRef guest = program(WasiSpec.ISOLATED);
    guest.call("print_env").await();
    guest.call("print_args").await();
    guest.call("_start").await();
    assertEquals("", output(guest));
    assertEquals("Could not find directory\n", run(guest, "list_files", "src"));
  }

  @Test
  void argsAndEnv_areThoseOfTheSpec() {
    InstanceRef guest =
        program(
            WasiSpec.ISOLATED.withArgs("hello", "from über").withEnv("A", "1").withEnv("B", ""));
    guest.call("print_args").await();
    assertEquals("hello\0from über\0", output(guest));
    guest.call("print_env").await();
    assertEquals("A=1\0B=\0", output(guest));
  }

  @Test
  void clock_isTheNodes_inMilliseconds() {
    InstanceRef guest = program(WasiSpec.ISOLATED);
    long before = System.currentTimeMillis();
    long now = (Long) guest.call("now").await().get(0);
    assertEquals(0, now % 1_000_000);
    assertTrue(now / 1_000_000 >= before && now / 1_000_000 <= System.currentTimeMillis());
    assertNotEquals(guest.call("random").await(), guest.call("random").await());
  }

  @Test
  void singleFunctions_areOverriddenByImports() {
    node.host()
        .function(
            "wasi.fixed.clock",
            (caller, args) -> {
              byte[] nanos = new byte[8];
              nanos[4] = 10;
              caller.write(null, (Integer) args.get(2), nanos);
              return List.of(0);
            })
        .function(
            "wasi.fixed.random",
            (caller, args) -> {
              byte[] bytes = new byte[(Integer) args.get(1)];
              bytes[0] = 4;
              caller.write(null, (Integer) args.get(0), bytes);
              return List.of(0);
            });
    ValueType i32 = ValueType.I32;
    InstanceSpec spec =
        TestNode.inline("wasi_program")
            .withWasi(WasiSpec.ISOLATED)
            .withImport(
                "wasi_snapshot_preview1",
                "clock_time_get",
                Signature.of(List.of(i32, ValueType.I64, i32), List.of(i32)),
                "wasi.fixed.clock")
            .withImport(
                "wasi_snapshot_preview1",
                "random_get",
                Signature.of(List.of(i32, i32), List.of(i32)),
                "wasi.fixed.random");
    InstanceRef guest = node.start(spec);
    assertEquals(List.of(10L << 32), guest.call("now").await());
    assertEquals(List.of(4L), guest.call("random").await());
  }

  @Test
  void echo_giveStdin_getsStdout() {
    InstanceRef guest = program(WasiSpec.ISOLATED.withStdin(utf8("Hey! It compiles! Ship it!\n")));
    assertEquals(List.of(), guest.call("_start").await());
    assertEquals("Hey! It compiles! Ship it!\n", output(guest));
    assertEquals("", output(guest)); // reading consumes
  }

  @Test
  void invoke_ofACommand_isStdinInAndStdoutOut() {
    InstanceRef guest = program(WasiSpec.ISOLATED.withStdin(utf8("kept")).withStdinOpen(true));
    assertEquals("hello", guest.invokeText("_start", "hello").await());
    assertEquals("", guest.invokeText("_start", "").await());
    Buffer bytes = Buffer.buffer(new byte[] {(byte) 0xff, 0, 1});
    assertEquals(bytes, guest.invoke("_start", bytes).await());
    assertEquals("", output(guest), "nothing of it went to the streams");
    guest.stdio().closeStdin().await();
    guest.call("_start").await();
    assertEquals("kept", output(guest), "what the streams held is there afterwards");
  }

  @Test
  void stdin_canBeWritten_whileTheGuestWaitsForIt() throws Exception {
    InstanceRef guest = program(WasiSpec.ISOLATED.withStdin(utf8("a")).withStdinOpen(true));
    StdioRef stdio = guest.stdio();
    var call = guest.call("_start");
    assertEquals("a", awaitOutput(stdio));
    stdio.write(Buffer.buffer("b")).await();
    assertEquals("b", awaitOutput(stdio));
    assertFalse(call.isComplete());
    stdio.write(Buffer.buffer(new byte[] {(byte) 0xff, 0, (byte) 0xfe})).await();
    stdio.closeStdin().await();
    assertEquals(List.of(), call.await());
    assertEquals(
        Buffer.buffer(new byte[] {(byte) 0xff, 0, (byte) 0xfe}), stdio.stdout().await().bytes());
    Failing.with(
        Failure.CONFLICT, "stdin is closed", () -> stdio.write(Buffer.buffer("c")).await());
    stdio.closeStdin().await();
  }

  /** Asks until there is some: output comes when the guest writes it. */
  private static String awaitOutput(StdioRef stdio) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    String text = "";
    while (text.isEmpty() && System.nanoTime() < until) {
      text = stdio.stdout().await().bytes().toString();
    }
    return text;
  }

  @Test
  void stdin_isBounded() {
    InstanceRef guest =
        node.start(
            TestNode.inline("wasi_program")
                .withWasi(WasiSpec.ISOLATED.withStdinOpen(true))
                .withLimit(Limit.STREAM_BYTES, 10));
    guest.stdio().write(Buffer.buffer("123456")).await();
    Failing.with(
        Failure.OVERLOADED,
        "stdin is full: 6 bytes wait to be read, 5 more do not fit",
        () -> guest.stdio().write(Buffer.buffer("12345")).await());
    Failing.with(
        Failure.TOO_LARGE,
        "11 bytes for stdin; it holds at most 10",
        () -> guest.stdio().write(Buffer.buffer("12345678901")).await());
    guest.stdio().write(Buffer.buffer("7890")).await();
    guest.stdio().closeStdin().await();
    guest.call("_start").await();
    assertEquals("1234567890", output(guest));
  }

  @Test
  void stdinWait_stopsAtTheDeadline_andTheGuestGoesOn() {
    InstanceRef guest = program(WasiSpec.ISOLATED.withStdinOpen(true));
    WasmException late =
        Failing.with(
            Failure.DEADLINE,
            () -> guest.withTimeout(Duration.ofMillis(200)).call("_start").await());
    assertEquals("interrupted", late.details().get("ran"));
    guest.stdio().write(Buffer.buffer("x")).await();
    guest.stdio().closeStdin().await();
    guest.call("_start").await();
    assertEquals("x", output(guest));
  }

  @Test
  void exit_isAFailure_unlessItIsZero() {
    InstanceRef guest = program(WasiSpec.ISOLATED.withStdin(utf8("bye")));
    assertEquals(List.of(), guest.call("echo_then_exit", 0).await());
    assertEquals("bye", output(guest));
    WasmException exit =
        Failing.with(
            Failure.EXIT, "the guest exited with 3", () -> guest.call("echo_then_exit", 3).await());
    assertEquals(3, exit.details().get("exit"));
    assertEquals(List.of(), guest.call("_start").await());
  }

  @Test
  void floods_areCut_withAMark() {
    InstanceRef guest = program(WasiSpec.ISOLATED);
    guest.withTimeout(Duration.ZERO).call("flood", 8 << 10).await();
    StdioRef.Output kept = guest.stdio().stdout().await();
    assertEquals(1 << 20, kept.bytes().length());
    assertTrue(kept.truncated());
    assertFalse(kept.more());
    guest.call("flood", 1).await();
    StdioRef.Output next = guest.stdio().stdout().await();
    assertEquals(1024, next.bytes().length());
    assertFalse(next.truncated());
  }

  @Test
  void output_isPublished_inOrder() throws Exception {
    BlockingQueue<JsonObject> published = new LinkedBlockingQueue<>();
    node.vertx()
        .eventBus()
        .<JsonObject>consumer("wasm.stdio.loud", message -> published.add(message.body()));
    byte[] text = utf8("0123456789".repeat(10_000));
    InstanceRef guest =
        node.start(
            TestNode.inline("wasi_program")
                .withId("loud")
                .withWasi(WasiSpec.ISOLATED.withStdin(text).withPublish(true)));
    guest.call("_start").await();
    Buffer all = Buffer.buffer();
    while (all.length() < text.length) {
      JsonObject chunk = published.poll(20, TimeUnit.SECONDS);
      assertEquals("stdout", chunk.getString("stream"));
      assertFalse(chunk.containsKey("truncated"));
      all.appendBytes(chunk.getBinary("bytes"));
    }
    assertEquals(Buffer.buffer(text), all);
  }

  @Test
  void files_inMemory_areReadWrittenAndReadBack() {
    InstanceRef guest =
        program(
            WasiSpec.ISOLATED.withFiles(
                "/src", Map.of("main.rs", utf8("fn main"), "deep/er.txt", utf8("deeper"))));
    assertEquals(".\n..\ndeep\nmain.rs\n", run(guest, "list_files", "."));
    assertEquals("fn main\n", run(guest, "read_file", "main.rs"));
    assertEquals("deeper\n", run(guest, "read_file", "deep/er.txt"));
    run(guest, "write_file", "main.rs");
    assertEquals("Hello, updated world!\n", run(guest, "read_file", "main.rs"));
    run(guest, "create_file", "new.txt");
    assertEquals("Hello, created world!", guest.stdio().file("/src/new.txt", 0).await().toString());
    assertEquals("world!", guest.stdio().file("/src/main.rs", 15).await().toString());
    Failing.with(
        Failure.BAD_REQUEST,
        "the guest has no file `/src/../x`",
        () -> guest.stdio().file("/src/../x", 0).await());
  }

  @Test
  void filesOfTwoInstances_areTheirOwn() {
    WasiSpec wasi = WasiSpec.ISOLATED.withFiles("/", Map.of("a", utf8("1")));
    InstanceRef one = program(wasi);
    InstanceRef two = program(wasi);
    run(one, "write_file", "a");
    assertEquals("1\n", run(two, "read_file", "a"));
  }

  @Test
  void realDirectories_areReadOnly_unlessSaid() throws Exception {
    Path directory = Files.createDirectory(root.resolve("real"));
    Files.writeString(directory.resolve("a.txt"), "real");
    InstanceRef reader = program(WasiSpec.ISOLATED.withDirectory("/r", directory.toString()));
    assertEquals("real\n", run(reader, "read_file", "a.txt"));
    run(reader, "write_file", "a.txt");
    run(reader, "create_file", "b.txt");
    assertEquals("real", Files.readString(directory.resolve("a.txt")));
    assertFalse(Files.exists(directory.resolve("b.txt")));
    InstanceRef writer =
        program(
            WasiSpec.ISOLATED.withPreopen(
                new WasiSpec.Preopen("/r", Optional.of(directory.toString()), Map.of(), false)));
    run(writer, "write_file", "a.txt");
    run(writer, "create_file", "b.txt");
    assertEquals("Hello, updated world!", Files.readString(directory.resolve("a.txt")));
    assertEquals("Hello, created world!", Files.readString(directory.resolve("b.txt")));
  }

  @Test
  void directories_outsideTheRoots_areRefused() throws Exception {
    for (String path : List.of("/etc", root + "/../x", root + "-evil", "relative")) {
      Failing.with(
          Failure.FORBIDDEN,
          "directory `%s` is not below one that `wasi.roots` allows".formatted(path),
          () -> program(WasiSpec.ISOLATED.withDirectory("/d", path)));
    }
    Failing.with(
        Failure.BAD_REQUEST,
        "there is no directory `%s/none` on this node".formatted(root),
        () -> program(WasiSpec.ISOLATED.withDirectory("/d", root + "/none")));
    Path link = Files.createSymbolicLink(root.resolve("etc"), Path.of("/etc"));
    Failing.with(
        Failure.FORBIDDEN, () -> program(WasiSpec.ISOLATED.withDirectory("/d", link.toString())));
  }

  @Test
  void noRoots_noRealDirectories() {
    try (TestNode closed = TestNode.start()) {
      InstanceSpec spec =
          TestNode.inline("wasi_program")
              .withWasi(WasiSpec.ISOLATED.withDirectory("/d", root.toString()));
      Failing.with(Failure.FORBIDDEN, () -> closed.start(spec));
    }
  }

  @Test
  void wasi_asJson_isReadStrictly() {
    String wat = "(module)";
    JsonObject spec =
        new JsonObject().put("module", new JsonObject().put("wat", wat)).put("wasi", true);
    assertTrue(ask("start", spec).containsKey("id"));
    spec.put("wasi", new JsonObject().put("colour", 1));
    assertThrows(Exception.class, () -> ask("start", spec));
  }

  private static JsonObject ask(String action, JsonObject body) {
    var options = new DeliveryOptions().addHeader("action", action);
    return node.vertx()
        .eventBus()
        .<JsonObject>request("wasm.instances", body, options)
        .await()
        .body();
  }
}
