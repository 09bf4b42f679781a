package io.busbar;

import static io.busbar.model.ValueType.F32;
import static io.busbar.model.ValueType.I32;
import static io.busbar.model.ValueType.I64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.client.ImportFunction;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What callbacks of Wasmex rely on: answered over the bus and in Java, on both machines. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("ways")
class ParityImportsTest {
  private static final Signature SUM3 = Signature.of(List.of(I32, I32, I32), List.of(I32));
  private static final Signature SUMF = Signature.of(List.of(F32, F32), List.of(F32));
  private static final Signature VOID = Signature.of(List.of(), List.of());

  enum Way {
    BUS,
    JAVA
  }

  static Stream<Arguments> ways() {
    return Stream.of(Way.values())
        .flatMap(
            way ->
                Stream.of(Compiler.Mode.COMPILED, Compiler.Mode.INTERPRETED)
                    .map(mode -> Arguments.of(way, mode)));
  }

  @Parameter(0)
  Way way;

  @Parameter(1)
  Compiler.Mode mode;

  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(mode);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private void serve(String address, Signature signature, ImportFunction function) {
    if (way == Way.BUS) {
      node.client().serve(address, signature, function).await();
    } else {
      node.host().asyncFunction(address, function);
    }
  }

  private static Future<List<Object>> answer(Object... values) {
    return Future.succeededFuture(List.of(values));
  }

  private static InstanceSpec spec() {
    return TestNode.inline("import_test")
        .withImport("env", "imported_sum3", SUM3, "sum3")
        .withImport("env", "imported_sumf", SUMF, "sumf")
        .withImport("env", "imported_void", VOID, "void");
  }

  private void serveSum3() {
    serve("sum3", SUM3, (caller, a) -> answer((int) a.get(0) + (int) a.get(1) + (int) a.get(2)));
  }

  @Test
  void callback_readsAndWritesMemory() {
    serve(
        "sum3",
        SUM3,
        (caller, args) ->
            caller
                .memory()
                .read(0, 1)
                .compose(
                    byte0 ->
                        caller
                            .memory()
                            .write(0, Buffer.buffer(new byte[] {23}))
                            .map(List.of((int) byte0.getByte(0)))));
    InstanceRef guest = node.start(spec());
    guest.memory().write(0, Buffer.buffer(new byte[] {42})).await();
    assertEquals(List.of(42), guest.call("using_imported_sum3", 1, 2, 3).await());
    assertEquals(23, guest.memory().read(0, 1).await().getByte(0));
  }

  @Test
  void callbacks_answerWithTheirNumbers() {
    serveSum3();
    serve("sumf", SUMF, (caller, a) -> answer((float) a.get(0) + (float) a.get(1)));
    serve("void", VOID, (caller, a) -> Future.succeededFuture(List.of()));
    InstanceRef guest = node.start(spec());
    assertEquals(List.of(), guest.call("using_imported_void").await());
    assertEquals(List.of(44), guest.call("using_imported_sum3", 23, 19, 2).await());
    assertEquals(List.of(28), guest.call("using_imported_sum3", 100, -77, 5).await());
    assertEquals(4.2, first(guest.call("using_imported_sumf", 2.3, 1.9)), 0.001);
    assertEquals(2.3, first(guest.call("using_imported_sumf", 10.0, -7.7)), 0.001);
  }

  private static double first(Future<List<Object>> results) {
    return ((Number) results.await().get(0)).doubleValue();
  }

  @Test
  void callbackThatFails_failsTheCallWithItsMessageAndNotTheInstance() {
    serve(
        "sum3",
        SUM3,
        (caller, args) -> {
          throw Failure.BAD_REQUEST.because("no luck");
        });
    serve("void", VOID, (caller, a) -> Future.succeededFuture(List.of()));
    InstanceRef guest = node.start(spec());
    Failing.with(
        Failure.HOST_FUNCTION,
        "import `env.imported_sum3` failed: no luck",
        () -> guest.call("using_imported_sum3", 1, 2, 3).await());
    assertEquals(List.of(), guest.call("using_imported_void").await());
  }

  @Test
  void callbackThatAnswersAString_failsTheCallAndNotTheInstance() {
    serve("sum3", SUM3, (caller, args) -> answer("six"));
    serve("void", VOID, (caller, a) -> Future.succeededFuture(List.of()));
    InstanceRef guest = node.start(spec());
    WasmException failed =
        Failing.with(
            Failure.HOST_FUNCTION, () -> guest.call("using_imported_sum3", 1, 2, 3).await());
    assertTrue(failed.getMessage().endsWith("Given `String`."), failed.getMessage());
    assertEquals(List.of(), guest.call("using_imported_void").await());
  }

  @Test
  void callbackThatIsTooSlow_isLeftBehindAndTheNextCallIsFine() {
    Promise<List<Object>> slow = Promise.promise();
    serve("sum3", SUM3, (caller, args) -> slow.future());
    serve("void", VOID, (caller, a) -> Future.succeededFuture(List.of()));
    InstanceRef guest = node.start(spec());
    Failing.with(
        Failure.DEADLINE,
        () ->
            guest.withTimeout(Duration.ofMillis(10)).call("using_imported_sum3", 1, 2, 3).await());
    slow.complete(List.of(6));
    assertEquals(List.of(), guest.call("using_imported_void").await());
  }

  @Test
  void callbackWithManyResults_givesThemInOrder() {
    Signature swap = Signature.of(List.of(I32, I64), List.of(I64, I32));
    serve("swap", swap, (caller, a) -> answer(a.get(1), a.get(0)));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "swap" (func $swap (param i32 i64) (result i64 i32)))
                      (func (export "go") (param i32 i64) (result i64 i32)
                        (call $swap (local.get 0) (local.get 1))))
                    """)
                .withImport("env", "swap", swap, "swap"));
    assertEquals(List.of(2L, 1), guest.call("go", 1, 2).await());
  }

  @Test
  void callback_callsExportsSetsGlobalsAndStartsInstances() {
    Signature add = Signature.of(List.of(I32, I32), List.of(I32));
    serve(
        "back",
        add,
        (caller, args) ->
            caller
                .exists("add")
                .compose(exists -> caller.global("g"))
                .compose(one -> caller.setGlobal("g", 41 + (int) one))
                .compose(set -> caller.start(TestNode.inline("multi")))
                .compose(other -> other.call("fib", 10))
                .compose(fib -> caller.call("add", args)));
    InstanceRef guest =
        node.start(
            TestNode.inlineText(
                    """
                    (module
                      (import "env" "back" (func $back (param i32 i32) (result i32)))
                      (global (export "g") (mut i32) (i32.const 1))
                      (func (export "add") (param i32 i32) (result i32)
                        (i32.add (local.get 0) (local.get 1)))
                      (func (export "call_import") (param i32 i32) (result i32)
                        (call $back (local.get 0) (local.get 1))))
                    """)
                .withImport("env", "back", add, "back"));
    assertEquals(List.of(3), guest.call("call_import", 1, 2).await());
    assertEquals(42, guest.global("g").await());
    assertEquals(2, node.client().instances().await().size());
  }

  @Test
  void link_saysWhatIsMissingBeforeWhatIsWrong() {
    assertLink("unknown import: `env::imported_sum3` has not been defined", "import_test");
    InstanceSpec four =
        TestNode.inline("import_test")
            .withImport(
                "env",
                "imported_sum3",
                Signature.of(List.of(I32, I32, I32, I32), List.of(I32)),
                "sum3");
    assertLink("unknown import: `env::imported_sumf` has not been defined", four);
    InstanceSpec all =
        four.withImport("env", "imported_sumf", SUMF, "f")
            .withImport("env", "imported_void", VOID, "v");
    assertLink("incompatible import type for `env::imported_sum3`", all);
    assertLink(
        "incompatible import type for `env::imported_sum3`",
        TestNode.inline("import_test")
            .withImport("env", "imported_sum3", Signature.of(SUM3.params(), List.of(I64)), "sum3")
            .withImport("env", "imported_sumf", SUMF, "f")
            .withImport("env", "imported_void", VOID, "v"));
    node.start(spec().withImport("env", "nobody_wants_this", VOID, "x"));
  }

  private void assertLink(String text, String guest) {
    assertLink(text, TestNode.inline(guest));
  }

  private void assertLink(String text, InstanceSpec spec) {
    Failing.with(Failure.LINK, text, () -> node.start(spec));
  }
}
