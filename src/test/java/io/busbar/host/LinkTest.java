package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limit;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Modules that import from modules, on both machines. */
@ParameterizedClass
@EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
class LinkTest {
  private static final String UTILS =
      """
      (module $utils
        (func (export "sum") (param i32 i32) (result i32)
          (i32.add (local.get 0) (local.get 1))))
      """;
  private static final String CALCULATOR =
      """
      (module $calculator
        (import "utils" "sum" (func $sum (param i32 i32) (result i32)))
        (func (export "sum_range") (param i32 i32) (result i32) (local $s i32)
          (loop
            (local.set $s (call $sum (local.get $s) (local.get 0)))
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (br_if 0 (i32.le_s (local.get 0) (local.get 1))))
          (local.get $s)))
      """;
  private static final String MAIN =
      """
      (module $main
        (import "calculator" "sum_range" (func $range (param i32 i32) (result i32)))
        (func (export "calc_seq") (param i32 i32) (result i32)
          (call $range (local.get 0) (local.get 1))))
      """;
  private static final Signature SUM =
      Signature.of(List.of(ValueType.I32, ValueType.I32), List.of(ValueType.I32));

  @Parameter Compiler.Mode mode;

  private TestNode node;

  @BeforeEach
  void start() {
    node = TestNode.start(mode);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private static LinkSpec link(String wat) {
    return LinkSpec.of(new ModuleRef.Inline(wat.getBytes(StandardCharsets.UTF_8)));
  }

  private static InstanceSpec spec(String wat) {
    return TestNode.inlineText(wat);
  }

  @Test
  void link_givesItsFunctions() {
    InstanceRef guest = node.start(spec(CALCULATOR).withLink("utils", link(UTILS)));
    assertEquals(List.of(15), guest.call("sum_range", 1, 5).await());
  }

  @Test
  void link_mayHaveLinks_andBePutBefore() {
    node.client().put(UTILS.getBytes(StandardCharsets.UTF_8), "utils:1").await();
    LinkSpec calculator =
        link(CALCULATOR).withLink("utils", LinkSpec.of(ModuleRef.parse("utils:1")));
    InstanceRef guest = node.start(spec(MAIN).withLink("calculator", calculator));
    assertEquals(List.of(15), guest.call("calc_seq", 1, 5).await());
    Failing.with(Failure.CONFLICT, () -> node.client().remove("utils:1").await());
    guest.stop().await();
    node.client().remove("utils:1").await();
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void link_mayCallImportsOfTheSpec() {
    node.host()
        .function("my.sum", (caller, args) -> List.of((int) args.get(0) + (int) args.get(1)));
    String utils =
        """
        (module
          (import "env" "imported_sum" (func $s (param i32 i32) (result i32)))
          (func (export "sum") (param i32 i32) (result i32)
            (call $s (local.get 0) (local.get 1))))
        """;
    InstanceRef guest =
        node.start(
            spec(CALCULATOR)
                .withLink("utils", link(utils))
                .withImport("env", "imported_sum", SUM, "my.sum"));
    assertEquals(List.of(15), guest.call("sum_range", 1, 5).await());
  }

  @Test
  void link_givesMemoriesGlobalsAndTables_sharedByName() {
    String shared =
        """
        (module
          (memory (export "m") 1 3)
          (global (export "g") (mut i32) (i32.const 5))
          (table (export "t") 2 funcref)
          (elem (i32.const 0) $seven)
          (func $seven (result i32) (i32.const 7))
          (func (export "load") (result i32) (i32.load (i32.const 0)))
          (func (export "get") (result i32) (global.get 0)))
        """;
    String user =
        """
        (module
          (import "shared" "m" (memory 1 3))
          (import "shared" "g" (global $g (mut i32)))
          (import "shared" "t" (table 2 funcref))
          (import "shared" "load" (func $load (result i32)))
          (import "shared" "get" (func $get (result i32)))
          (import "other" "load" (func $other (result i32)))
          (type $f (func (result i32)))
          (export "mine" (memory 0))
          (func (export "all") (result i32 i32 i32 i32)
            (i32.store (i32.const 0) (i32.const 42))
            (global.set $g (i32.const 9))
            (call $load) (call $get) (call $other)
            (call_indirect (type $f) (i32.const 0))))
        """;
    String other =
        """
        (module
          (import "shared" "m" (memory 1))
          (func (export "load") (result i32) (i32.load (i32.const 0))))
        """;
    InstanceRef guest =
        node.start(
            spec(user)
                .withLink("shared", link(shared))
                .withLink("other", link(other).withLink("shared", link(shared))));
    assertEquals(List.of(42, 9, 42, 7), guest.call("all").await());
    assertEquals(1, guest.memory().grow(1).await());
    assertEquals(2, guest.memory("mine").pages().await());
  }

  @Test
  void callback_fromALink_seesTheLinksMemory() {
    node.host().function("my.peek", (caller, args) -> List.of((int) caller.read(0, 1)[0]));
    String inner =
        """
        (module
          (import "env" "peek" (func $peek (result i32)))
          (memory (export "inner") 1)
          (data (i32.const 0) "\\11")
          (func (export "peek") (result i32) (call $peek)))
        """;
    String outer =
        """
        (module
          (import "env" "peek" (func $mine (result i32)))
          (import "inner" "peek" (func $theirs (result i32)))
          (memory (export "outer") 1)
          (data (i32.const 0) "\\22")
          (func (export "both") (result i32 i32) (call $mine) (call $theirs)))
        """;
    Signature peek = Signature.of(List.of(), List.of(ValueType.I32));
    InstanceRef guest =
        node.start(
            spec(outer).withLink("inner", link(inner)).withImport("env", "peek", peek, "my.peek"));
    assertEquals(List.of(0x22, 0x11), guest.call("both").await());
  }

  @Test
  void trap_inALink_namesTheFramesOfBoth() {
    String bad = "(module $bad (func $inner unreachable) (func (export \"f\") (call $inner)))";
    String main =
        """
        (module $main
          (import "bad" "f" (func $f))
          (func (export "go") (call $f))
          (func (export "fine") (result i32) (i32.const 1)))
        """;
    InstanceRef guest = node.start(spec(main).withLink("bad", link(bad)));
    WasmException trap = Failing.with(Failure.TRAP, () -> guest.call("go").await());
    assertEquals(List.of("bad!inner", "bad!f", "main!go"), trap.frames());
    assertEquals(List.of(1), guest.call("fine").await());
  }

  @Test
  void deadline_stopsALinkToo() {
    String endless = "(module (func (export \"f\") (loop (br_if 0 (i32.const 1)))))";
    String main = "(module (import \"e\" \"f\" (func $f)) (func (export \"go\") (call $f)))";
    InstanceRef guest = node.start(spec(main).withLink("e", link(endless)));
    Failing.with(
        Failure.DEADLINE, () -> guest.withTimeout(Duration.ofMillis(100)).call("go").await());
  }

  private void assertLinkFails(String text, InstanceSpec spec) {
    Failing.with(Failure.LINK, text, () -> node.start(spec));
    assertEquals(List.of(), node.client().instances().await());
    assertEquals(List.of(), node.client().modules().await());
  }

  @Test
  void link_whoseImportsAreMissing_isSaidSo() {
    assertLinkFails(
        "Could not instantiate linked module: unknown import: `utils::sum` has not been defined",
        spec(MAIN).withLink("calculator", link(CALCULATOR)));
    assertLinkFails(
        "unknown import: `calculator::sum_range` has not been defined",
        spec(MAIN).withLink("calculator", link(UTILS)));
  }

  @Test
  void link_ofAnotherType_isSaidSo_afterWhatIsMissing() {
    String wrong = "(module (func (export \"sum\") (param i32) (result i32) (local.get 0)))";
    assertLinkFails(
        "incompatible import type for `utils::sum`",
        spec(CALCULATOR).withLink("utils", link(wrong)));
    for (String bad :
        List.of(
            "(memory (export \"m\") 1)",
            "(memory (export \"m\") 2 9)",
            "(global (export \"m\") i32 (i32.const 1))")) {
      assertLinkFails(
          "incompatible import type for `x::m`",
          spec("(module (import \"x\" \"m\" (memory 2 8)))")
              .withLink("x", link("(module " + bad + ")")));
    }
    assertLinkFails(
        "incompatible import type for `x::g`",
        spec("(module (import \"x\" \"g\" (global (mut i32))))")
            .withLink("x", link("(module (global (export \"g\") i32 (i32.const 1)))")));
    assertLinkFails(
        "incompatible import type for `x::t`",
        spec("(module (import \"x\" \"t\" (table 3 funcref)))")
            .withLink("x", link("(module (table (export \"t\") 2 funcref))")));
  }

  @Test
  void importAndLink_ofTheSameName_areAConflict() {
    assertLinkFails(
        "import of `utils::sum` defined twice",
        spec(CALCULATOR)
            .withLink("utils", link(UTILS))
            .withImport("utils", "sum", SUM, "anywhere"));
  }

  @Test
  void links_thatAreMissingInvalidOrInARing_areRefused() {
    Failing.with(
        Failure.NO_SUCH_MODULE,
        "module `nothing` not found",
        () ->
            node.start(
                spec(CALCULATOR).withLink("utils", LinkSpec.of(ModuleRef.parse("nothing")))));
    Failing.with(
        Failure.INVALID_MODULE, () -> node.start(spec(CALCULATOR).withLink("utils", link("("))));
    LinkSpec ring =
        link(CALCULATOR).withLink("utils", link(UTILS).withLink("calculator", link(CALCULATOR)));
    assertLinkFails(
        "Could not instantiate linked module: `calculator` links to itself:"
            + " calculator → utils → calculator",
        spec(MAIN).withLink("calculator", ring));
    assertLinkFails(
        "Could not instantiate linked module: `utils` names two modules",
        spec(MAIN)
            .withLink("utils", link("(module)"))
            .withLink("calculator", link(CALCULATOR).withLink("utils", link(UTILS))));
  }

  @Test
  void linkWhoseStartTraps_leavesNothing() {
    assertLinkFails(
        "Could not instantiate linked module: wasm trap: wasm `unreachable` instruction executed",
        spec("(module)").withLink("x", link("(module (func $s unreachable) (start $s))")));
  }

  @Test
  void links_countAsInstances() {
    WasmException refused =
        Failing.with(
            Failure.LIMIT,
            () ->
                node.start(
                    spec(CALCULATOR).withLink("utils", link(UTILS)).withLimit(Limit.INSTANCES, 1)));
    assertTrue(
        refused.getMessage().contains("resource limit exceeded: instance count too high at 2"),
        refused.getMessage());
  }
}
