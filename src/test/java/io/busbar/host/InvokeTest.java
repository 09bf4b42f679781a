package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.Guests;
import io.busbar.TestNode;
import io.busbar.client.ExportsRef;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes, text and JSON in and out: guests of three languages, and guests that lie. */
class InvokeTest {
  private static final int SLICE = 4 << 20;
  private static final String CONVENTIONS =
      "; a guest that takes and gives bytes exports `alloc` (i32) -> (i32), optionally `dealloc`"
          + " (i32, i32) -> (), and the function (i32, i32) -> (i64) or (i32, i32) -> (i32, i32);"
          + " or it is a WASI command, input on stdin and output on stdout";

  private TestNode node;

  /** Once compiled and once interpreted; the parameter is the mode. */
  @Target(ElementType.METHOD)
  @Retention(RetentionPolicy.RUNTIME)
  @ParameterizedTest
  @EnumSource(names = {"COMPILED", "INTERPRETED"})
  private @interface EachMachine {}

  @AfterEach
  void stop() {
    if (node != null) {
      node.close();
    }
  }

  private InstanceRef start(Compiler.Mode mode, String guest) {
    node = TestNode.start(mode);
    return node.start(TestNode.inlineBinary(guest));
  }

  private static Buffer filled(int size) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) 'a');
    return Buffer.buffer(bytes);
  }

  private static void assertAllFreed(ExportsRef guest) {
    assertEquals(List.of(0), guest.call("live").await());
  }

  @Test
  void greet_isWhatItsTextGives() throws Exception {
    byte[] wat = Files.readAllBytes(Path.of("src/test/guests/greet/greet.wat"));
    assertArrayEquals(Compiler.toBinary(wat), Guests.binary("greet"));
  }

  @EachMachine
  void greet_textAndBytes_packedAndAsPair(Compiler.Mode mode) {
    InstanceRef greet = start(mode, "greet");
    assertEquals("Hello, Wörld!", greet.invokeText("greet", "Wörld").await());
    assertEquals("Hello, Wörld!", greet.invokeText("greet_pair", "Wörld").await());
    assertEquals(Buffer.buffer("Hello, !"), greet.invoke("greet", Buffer.buffer()).await());
    byte[] noText = {0, -1, -128};
    byte[] greeting = greet.invoke("greet", Buffer.buffer(noText)).await().getBytes();
    assertArrayEquals(noText, Arrays.copyOfRange(greeting, 7, 10));
    assertAllFreed(greet);
  }

  @EachMachine
  void greet_asMuchAsASliceHolds_notAByteMore(Compiler.Mode mode) {
    InstanceRef greet = start(mode, "greet");
    Buffer most = greet.invoke("greet", filled(SLICE - 8)).await();
    assertEquals(SLICE, most.length());
    assertEquals('!', most.getByte(SLICE - 1));
    Failing.with(
        Failure.TOO_LARGE,
        "`greet` answered 4194312 bytes; at most 4194304 are taken",
        greet.invoke("greet", filled(SLICE))::await);
    assertAllFreed(greet);
    Failing.with(
        Failure.TOO_LARGE,
        "an input of 4194305 bytes; at most 4194304 are taken",
        greet.invoke("greet", filled(SLICE + 1))::await);
  }

  @EachMachine
  void greet_withoutRoom_isALimit(Compiler.Mode mode) {
    node = TestNode.start(mode);
    InstanceRef greet =
        node.start(TestNode.inlineBinary("greet").withLimit(Limit.MEMORY_BYTES, 1 << 20));
    Failing.with(
        Failure.LIMIT,
        "`alloc` answered 0: the guest has no room for 4194304 bytes",
        greet.invoke("greet", filled(SLICE))::await);
    assertEquals("Hello, you!", greet.invokeText("greet", "you").await());
  }

  @EachMachine
  void words_areCountedAsJson(Compiler.Mode mode) {
    InstanceRef words = start(mode, "words");
    assertEquals(
        new JsonObject("{\"words\":3,\"lines\":0,\"bytes\":18}"),
        words.invokeJson("count", new JsonArray().add("to be").add("or not")).await());
    assertEquals(
        "{\"words\":6,\"lines\":2,\"bytes\":20}",
        words.invokeText("count", "to be\nor not\n to be ").await());
    assertAllFreed(words);
  }

  @EachMachine
  void words_answersFromTheInputsOwnBlock_areFreedOnce(Compiler.Mode mode) {
    InstanceRef words = start(mode, "words");
    assertEquals("HELLO, WöRLD", words.invokeText("upper", "hello, wörld").await());
    assertEquals("to be", words.invokeText("trim", " \t to be\n").await());
    assertEquals("", words.invokeText("trim", "").await());
    assertEquals("", words.invokeText("trim", "   ").await());
    InstanceRef patient = words.withTimeout(Duration.ofMinutes(1)); // interpreted it takes a while
    assertEquals(SLICE, patient.invoke("upper", filled(SLICE)).await().length());
    assertAllFreed(words);
  }

  @EachMachine
  void words_anyJson_goesThereAndBack(Compiler.Mode mode) {
    InstanceRef words = start(mode, "words");
    for (Object json :
        Arrays.asList(
            new JsonObject().put("a", new JsonArray().add(1).addNull().add(1L << 60)),
            new JsonArray(),
            "",
            "text",
            7,
            0.25,
            true,
            null)) {
      assertEquals(json, words.invokeJson("trim", json).await());
    }
    String deep = "[".repeat(500) + "]".repeat(500);
    assertEquals(new JsonArray(deep), words.invokeJson("trim", new JsonArray(deep)).await());
    Failing.with(Failure.BAD_REQUEST, () -> words.invokeJson("trim", new Object()).await());
  }

  @EachMachine
  void base64_isWhatJavaMakes(Compiler.Mode mode) {
    InstanceRef base64 = start(mode, "base64");
    Random random = new Random(1);
    for (int size : new int[] {0, 1, 2, 3, 4, 5, 255, 10_000}) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      Buffer encoded = base64.invoke("encode", Buffer.buffer(bytes)).await();
      assertEquals(Base64.getEncoder().encodeToString(bytes), encoded.toString());
      assertArrayEquals(bytes, base64.invoke("decode", encoded).await().getBytes());
    }
    assertEquals(List.of(0), base64.call("blocks").await());
    Failing.with(Failure.TRAP, base64.invoke("decode", Buffer.buffer("####"))::await);
    assertEquals("", base64.invokeText("encode", "").await());
  }

  @EachMachine
  void caller_isInvokedFromItsCallback(Compiler.Mode mode) {
    node = TestNode.start(mode);
    Signature none = Signature.of(List.of(), List.of());
    String guest =
        "(module (import \"env\" \"back\" (func $back))"
            + "(memory (export \"memory\") 1)"
            + "(func (export \"alloc\") (param i32) (result i32) (i32.const 8))"
            + "(func (export \"same\") (param i32 i32) (result i32 i32)"
            + " (local.get 0) (local.get 1))"
            + "(func (export \"run\") (call $back)))";
    StringBuffer said = new StringBuffer();
    node.host()
        .function(
            "here",
            (caller, args) -> {
              said.append(new String(caller.invoke("same", "here".getBytes(), 4)));
              return List.of();
            });
    node.client()
        .serve(
            "there",
            none,
            (caller, args) ->
                caller.invokeText("same", "there").onSuccess(said::append).map(List.of()))
        .await();
    for (String address : List.of("here", "there")) {
      InstanceSpec spec = TestNode.inlineText(guest).withImport("env", "back", none, address);
      node.start(spec).call("run").await();
    }
    assertEquals("herethere", said.toString());
  }

  /** A guest whose alloc and function are these bodies; `freed` counts its deallocs. */
  private static String guest(String alloc, String function) {
    return """
        (module $liar
          (memory (export "memory") 1)
          (global $freed (mut i32) (i32.const 0))
          (data (i32.const 256) "\\ff\\fe{}")
          (func (export "alloc") (param i32) (result i32) %s)
          (func (export "dealloc") (param i32 i32)
            (global.set $freed (i32.add (i32.const 1) (global.get $freed))))
          (func (export "f") (param i32 i32) (result i32 i32) %s)
          (func (export "packed") (param i32 i32) (result i64) (i64.const -1))
          (func (export "freed") (result i32) (global.get $freed)))
        """
        .formatted(alloc, function);
  }

  private InstanceRef startLiar(String alloc, String function) {
    node = TestNode.start();
    return node.startText(guest(alloc, function));
  }

  private static String values(int first, int second) {
    return "(i32.const " + first + ") (i32.const " + second + ")";
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 4294967295",
    "-5, 4294967291",
    "65536, 65536",
    "65532, 65532",
    "-2147483648, 2147483648"
  })
  void alloc_outOfBounds_writesNothing(int pointer, long shown) {
    InstanceRef liar = startLiar("(i32.const " + pointer + ")", "(unreachable)");
    Failing.with(
        Failure.OUT_OF_BOUNDS,
        "out of bounds memory access: `alloc` answered pointer "
            + shown
            + " for 5 bytes, the memory has 65536",
        liar.invokeText("f", "12345")::await);
    assertEquals(List.of(0), liar.call("freed").await());
    assertEquals(Buffer.buffer(new byte[4]), liar.memory().read(65532, 4).await());
  }

  @Test
  void alloc_zero_isNoRoom_unlessNothingIsAskedFor() {
    InstanceRef liar = startLiar("(i32.const 0)", "(i32.const 258) (i32.const 2)");
    Failing.with(
        Failure.LIMIT,
        "`alloc` answered 0: the guest has no room for 1 bytes",
        liar.invokeText("f", "x")::await);
    assertEquals("{}", liar.invokeText("f", "").await());
    assertEquals(List.of(1), liar.call("freed").await(), "the output alone");
  }

  @ParameterizedTest
  @CsvSource({
    "-1, -1, 4294967295, 4294967295",
    "0, -1, 0, 4294967295",
    "-1, 0, 4294967295, 0",
    "-1, 2, 4294967295, 2",
    "1, -1, 1, 4294967295",
    "65536, 1, 65536, 1",
    "65535, 2, 65535, 2",
    "0, 65537, 0, 65537",
    "-2147483648, -2147483648, 2147483648, 2147483648"
  })
  void answer_outOfBounds_isTold(int pointer, int length, long shownPointer, long shownLength) {
    InstanceRef liar = startLiar("(i32.const 8)", values(pointer, length));
    Failing.with(
        Failure.OUT_OF_BOUNDS,
        "out of bounds memory access: `f` answered pointer "
            + shownPointer
            + " for "
            + shownLength
            + " bytes, the memory has 65536",
        liar.invokeText("f", "x")::await);
    assertEquals(List.of(1), liar.call("freed").await(), "the input alone");
  }

  @Test
  void answer_packed_isUnsignedToo() {
    InstanceRef liar = startLiar("(i32.const 8)", values(0, 0));
    Failing.with(
        Failure.OUT_OF_BOUNDS,
        "out of bounds memory access: `packed` answered pointer 4294967295 for 4294967295 bytes,"
            + " the memory has 65536",
        liar.invokeText("packed", "x")::await);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, 0, 1", "65536, 0, 0, 2", "65535, 1, 1, 2", "8, 1, 1, 1", "0, 65536, 65536, 1"})
  void answer_atTheEdges_isTaken(int pointer, int length, int taken, int freed) {
    InstanceRef liar = startLiar("(i32.const 8)", values(pointer, length));
    assertEquals(taken, liar.invoke("f", Buffer.buffer("x")).await().length());
    assertEquals(List.of(freed), liar.call("freed").await());
  }

  @Test
  void answer_overTheSlice_isTooLarge_andFreed() {
    node = TestNode.start(Config.from(new JsonObject("{\"messages\":{\"maxSliceBytes\":1000}}")));
    InstanceRef liar = node.startText(guest("(i32.const 8)", values(256, 1001)));
    Failing.with(
        Failure.TOO_LARGE,
        "`f` answered 1001 bytes; at most 1000 are taken",
        liar.invokeText("f", "x")::await);
    assertEquals(List.of(2), liar.call("freed").await());
    Failing.with(Failure.TOO_LARGE, liar.invokeText("f", "x".repeat(1001))::await);
    assertEquals(List.of(2), liar.call("freed").await());
  }

  @EachMachine
  void trap_inside_leavesTheInputWhereItIs(Compiler.Mode mode) {
    node = TestNode.start(mode);
    InstanceRef liar = node.startText(guest("(i32.const 8)", "(unreachable)"));
    WasmException trap = Failing.with(Failure.TRAP, liar.invokeText("f", "x")::await);
    assertEquals(List.of("liar!f"), trap.frames());
    assertEquals(List.of(0), liar.call("freed").await());
    assertEquals(Buffer.buffer("x"), liar.memory().read(8, 1).await());
    InstanceRef other = node.startText(guest("(unreachable)", values(0, 0)));
    trap = Failing.with(Failure.TRAP, other.invokeText("f", "x")::await);
    assertEquals(List.of("liar!alloc"), trap.frames());
  }

  @EachMachine
  void loopWithoutEnd_endsAtItsDeadline(Compiler.Mode mode) {
    node = TestNode.start(mode);
    InstanceRef liar = node.startText(guest("(i32.const 8)", "(loop $l (br $l)) (unreachable)"));
    WasmException ended =
        Failing.with(
            Failure.DEADLINE,
            () -> liar.withTimeout(Duration.ofMillis(50)).invokeText("f", "x").await());
    assertEquals("interrupted", ended.details().get("ran"));
    assertEquals(List.of(0), liar.call("freed").await());
  }

  @Test
  void answer_thatIsNoText_isABadResult() {
    InstanceRef liar = startLiar("(i32.const 8)", values(256, 2));
    Failing.with(
        Failure.BAD_RESULT,
        "`f` answered 2 bytes that are not valid UTF-8",
        liar.invokeText("f", "x")::await);
    assertEquals(Buffer.buffer(new byte[] {-1, -2}), liar.invoke("f", Buffer.buffer("x")).await());
    Failing.with(Failure.BAD_RESULT, liar.invokeJson("f", 1)::await);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{\"a\":1}}", "nul", "1 2", "\u0000", "'a'", "NaN"})
  void answer_thatIsNoJson_isABadResult(String text) {
    InstanceRef liar = startLiar("(i32.const 40000)", values(0, text.length()));
    liar.memory().write(0, Buffer.buffer(text)).await();
    WasmException bad = Failing.with(Failure.BAD_RESULT, liar.invokeJson("f", "x")::await);
    String start = "`f` answered " + text.length() + " characters that are not JSON: ";
    assertTrue(bad.getMessage().startsWith(start), bad::getMessage);
    ReplyException raw =
        Assertions.assertThrows(
            ReplyException.class, () -> ask(liar.id(), "{\"function\":\"f\",\"json\":\"x\"}"));
    assertEquals(Failure.BAD_RESULT.code(), raw.failureCode());
    assertEquals(bad.getMessage(), raw.getMessage());
  }

  private JsonObject ask(String id, String body) {
    DeliveryOptions options = new DeliveryOptions().addHeader("action", "invoke");
    return node.vertx()
        .eventBus()
        .<JsonObject>request("wasm.instance." + id, new JsonObject(body), options)
        .await()
        .body();
  }

  @Test
  void answer_nestedWithoutEnd_isABadResult() {
    InstanceRef liar = startLiar("(i32.const 40000)", values(0, 40_000));
    String deep = "[".repeat(20_000) + "]".repeat(20_000);
    liar.memory().write(0, Buffer.buffer(deep)).await();
    Failing.with(Failure.BAD_RESULT, liar.invokeJson("f", "x")::await);
    assertEquals(deep, liar.invokeText("f", "x").await());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "none   | `none` is () -> ()",
        "call   | `call` is (i32, i32) -> (i32)",
        "mixed  | `mixed` is (i32, i64) -> (i64)",
        "floats | `floats` is (i32, i32) -> (f64)",
        "three  | `three` is (i32, i32) -> (i32, i32, i32)",
        "alloc  | `alloc` is (i32) -> (i32)",
      })
  void otherSignatures_areToldBeforeAnythingRuns(String function, String why) {
    node = TestNode.start();
    InstanceRef guest =
        node.startText(
            """
            (module (memory (export "memory") 1)
              (func (export "alloc") (param i32) (result i32) unreachable)
              (func (export "none"))
              (func (export "call") (param i32 i32) (result i32) unreachable)
              (func (export "mixed") (param i32 i64) (result i64) unreachable)
              (func (export "floats") (param i32 i32) (result f64) unreachable)
              (func (export "three") (param i32 i32) (result i32 i32 i32) unreachable))
            """);
    Failing.with(
        Failure.BAD_REQUEST,
        "cannot invoke `" + function + "`: " + why + CONVENTIONS,
        guest.invokeText(function, "x")::await);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "(func (export \"x\")) | `alloc` is missing",
        "(global (export \"alloc\") i32 (i32.const 1)) | `alloc` is missing",
        "(func (export \"alloc\") (param i64) (result i64) unreachable) | `alloc` is (i64) -> (i64)",
        "(func (export \"alloc\") (param i32) (result i32) unreachable)"
            + "(func (export \"dealloc\") (param i32)) | `dealloc` is (i32) -> ()",
      })
  void otherAllocators_areToldBeforeAnythingRuns(String exports, String why) {
    node = TestNode.start();
    InstanceRef guest =
        node.startText(
            "(module (memory (export \"memory\") 1)"
                + " (func (export \"f\") (param i32 i32) (result i64) unreachable)"
                + exports
                + ")");
    Failing.with(
        Failure.BAD_REQUEST,
        "cannot invoke `f`: " + why + CONVENTIONS,
        guest.invokeText("f", "x")::await);
    Failing.with(
        Failure.NO_SUCH_EXPORT,
        "exported function `g` not found",
        guest.invokeText("g", "x")::await);
  }

  @Test
  void noMemory_isToldBeforeAnythingRuns() {
    node = TestNode.start();
    InstanceRef guest =
        node.startText(
            "(module (func (export \"alloc\") (param i32) (result i32) unreachable)"
                + " (func (export \"f\") (param i32 i32) (result i64) unreachable))");
    Failing.with(
        Failure.NO_SUCH_MEMORY,
        "The WebAssembly module has no exported memory.",
        guest.invokeText("f", "x")::await);
  }

  @Test
  void memoryThatGrowsInside_isReadAsItIsThen() {
    InstanceRef liar =
        startLiar("(i32.const 8)", "(drop (memory.grow (i32.const 1))) " + values(131_068, 4));
    assertEquals(4, liar.invoke("f", Buffer.buffer("x")).await().length());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"function\":\"f\"} | one of `input`, `text` and `json` must be given",
        "{\"function\":\"f\",\"input\":null} | one of `input`, `text` and `json` must be given",
        "{\"function\":\"f\",\"text\":\"\",\"json\":null}"
            + " | one of `input`, `text` and `json` must be given",
        "{\"text\":\"\"} | `function` is missing",
        "{\"function\":7,\"text\":\"\"} | `function` must be a string. Given `7`.",
        "{\"function\":\"f\",\"text\":7} | `text` must be a string. Given `7`.",
        "{\"function\":\"f\",\"input\":\"?\"} | `input` must be base64. Given `?`.",
      })
  void badBodies_areRefused(String body, String why) {
    InstanceRef liar = startLiar("(i32.const 8)", values(0, 0));
    ReplyException failed =
        Assertions.assertThrows(ReplyException.class, () -> ask(liar.id(), body));
    assertEquals(why, failed.getMessage());
    assertEquals(Failure.BAD_REQUEST.code(), failed.failureCode());
  }
}
