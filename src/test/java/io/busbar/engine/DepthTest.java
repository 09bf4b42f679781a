package io.busbar.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Config;
import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.ModuleRef;
import io.vertx.core.json.JsonObject;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** How deep a guest may recurse on the standard stack, and how it ends where that is too deep. */
@ParameterizedClass
@ValueSource(strings = {"compiled", "interpreted"})
class DepthTest {
  private static final String EXHAUSTED = "wasm trap: call stack exhausted";

  @Parameter String machine;

  private TestNode node;

  @BeforeEach
  void start() {
    node =
        TestNode.start(
            Config.from(
                new JsonObject()
                    .put("engine", new JsonObject().put("machine", machine))
                    .put("memory", new JsonObject().put("maxBytes", 96 << 20))));
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private long reserved() {
    return node.client().nodes().await().get(0).getJsonObject("memory").getLong("reserved");
  }

  @Test
  void fiveThousandCalls_areNotTooDeep() {
    InstanceRef instance =
        node.startText(
            """
            (module
              (func $sum (export "sum") (param i32) (result i32)
                (if (result i32) (i32.eqz (local.get 0))
                  (then (i32.const 0))
                  (else
                    (i32.add
                      (local.get 0)
                      (call $sum (i32.sub (local.get 0) (i32.const 1))))))))
            """);
    assertEquals(List.of(12_502_500), instance.call("sum", 5_000).await());
  }

  @Test
  void endlessRecursion_isATrap_andTheNextCallIsAnswered() {
    assertTrapsAndGoesOn(
        """
        (module
          (func $f (export "f") (param i64) (result i64)
            (i64.add (i64.const 1) (call $f (local.get 0))))
          (func (export "one") (result i32) (i32.const 1)))
        """);
  }

  /**
   * An interpreted frame holds 80 KB, and the stack has room for thousands. Compiled ones hold what
   * the JIT leaves of 40 KB, on the stack.
   */
  @Test
  void endlessRecursion_withManyLocals_isATrap() {
    InstanceRef instance =
        assertTrapsAndGoesOn(
            """
            (module
              (global $depth (export "depth") (mut i32) (i32.const 0))
              (func $f (export "f") (param i64) (result i64)
                (local %s)
                (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
                (local.set 1 (local.get 0))
                (i64.add (local.get 1) (call $f (local.get 1))))
              (func (export "one") (result i32) (i32.const 1)))
            """
                .formatted("i64 ".repeat(4_999)));
    int depth = (Integer) instance.global("depth").await() / 3;
    assertTrue(depth > 50 && (depth < 1_000 || machine.equals("compiled")), "depth " + depth);
  }

  /** Too large for a method of the JVM, so it is interpreted in compiled modules too. */
  @Test
  void endlessRecursion_ofALargeFunction_isATrap() {
    assertTrapsAndGoesOn(
        """
        (module
          (func $f (export "f") (param i64) (result i64)
            (local %s)
            (drop (call $f (local.get 0)))
            %s
            (local.get 1))
          (func (export "one") (result i32) (i32.const 1)))
        """
            .formatted(
                "i64 ".repeat(4_999),
                "(local.set 1 (i64.add (local.get 1) (i64.const 123456789123)))".repeat(6_000)));
  }

  @Test
  void endlessRecursion_withManyOperands_isATrap() {
    assertTrapsAndGoesOn(
        """
        (module
          (func $f (export "f") (param i64) (result i64)
            %s
            (call $f (local.get 0))
            %s)
          (func (export "one") (result i32) (i32.const 1)))
        """
            .formatted("(local.get 0) ".repeat(1_000), "(i64.add) ".repeat(1_000)));
  }

  /** In bytes: so many blocks are too deep for the tool that reads wasm text. */
  @Test
  void endlessRecursion_insideManyBlocks_isATrap() {
    String blocks = "0240".repeat(1_000);
    String recursion = "00" + blocks + "20001000" + "1a" + "0b".repeat(1_000) + "20000b";
    String code = "02" + size(recursion.length() / 2) + recursion + "04" + "00" + "41010b";
    String module =
        "0061736d01000000" // magic
            + "010a02"
            + "60017e017e"
            + "6000017f"
            + "03030200"
            + "01"
            + "070b02"
            + "016600"
            + "00"
            + "036f6e6500"
            + "01"
            + "0a"
            + size(code.length() / 2)
            + code;
    byte[] binary = HexFormat.of().parseHex(module);
    assertTrapsAndGoesOn(InstanceSpec.of(new ModuleRef.Inline(binary)));
  }

  /** A size of two bytes as LEB128. */
  private static String size(int bytes) {
    return HexFormat.of().toHexDigits((byte) (bytes | 0x80))
        + HexFormat.of().toHexDigits((byte) (bytes >> 7));
  }

  private InstanceRef assertTrapsAndGoesOn(String wat) {
    return assertTrapsAndGoesOn(TestNode.inlineText(wat));
  }

  private InstanceRef assertTrapsAndGoesOn(InstanceSpec spec) {
    InstanceRef instance = node.start(spec);
    long before = reserved();
    for (int i = 0; i < 3; i++) {
      Failing.with(Failure.TRAP, EXHAUSTED, () -> instance.call("f", 1L).await());
      assertEquals(List.of(1), instance.call("one").await());
      assertEquals(before, reserved());
    }
    assertTrue(before > 0);
    return instance;
  }
}
