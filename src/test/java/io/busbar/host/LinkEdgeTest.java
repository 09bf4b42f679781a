package io.busbar.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.busbar.Failing;
import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.engine.Compiler;
import io.busbar.model.Failure;
import io.busbar.model.InstanceSpec;
import io.busbar.model.LinkSpec;
import io.busbar.model.ModuleRef;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import io.busbar.model.WasmException;
import io.busbar.spec.text.Assembler;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class LinkEdgeTest {
  TestNode node;

  @AfterEach
  void stop() {
    if (node != null) {
      node.close();
    }
  }

  static byte[] utf(String wat) {
    return wat.getBytes(StandardCharsets.UTF_8);
  }

  static LinkSpec link(String wat) {
    return LinkSpec.of(new ModuleRef.Inline(utf(wat)));
  }

  static InstanceSpec spec(String wat) {
    return TestNode.inlineText(wat);
  }

  static byte[] hex(String s) {
    return HexFormat.of().parseHex(s.replaceAll("\\s", ""));
  }

  static byte[] wasm(byte[]... sections) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(hex("0061736d01000000"));
    for (byte[] s : sections) {
      out.writeBytes(s);
    }
    return out.toByteArray();
  }

  static byte[] section(int id, String hex) {
    byte[] b = hex(hex);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(id);
    out.write(b.length);
    out.writeBytes(b);
    return out.toByteArray();
  }

  /** f: try { b.x() ; 1 } catch_all { 2 }; g throws, and is element 0 of b.t. */
  static byte[] reentrant() {
    return wasm(
        section(1, "02 60 00 00 60 00 01 7f"),
        section(2, "02 01 62 01 78 00 00 01 62 01 74 01 70 00 01"),
        section(3, "02 01 00"),
        section(13, "01 00 00"),
        section(7, "01 01 66 00 01"),
        section(9, "01 00 41 00 0b 01 02"),
        section(10, "02 12 00 02 40 1f 40 01 02 00 10 00 0b 41 01 0f 0b 41 02 0b 04 00 08 00 0b"));
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void exception_throughALink_unwindsIt(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String b =
        """
        (module
          (import "env" "after" (func $after))
          (table (export "t") 1 funcref)
          (type $n (func))
          (func (export "x") (call_indirect (type $n) (i32.const 0)) (call $after)))
        """;
    int[] after = {0};
    node.host()
        .function(
            "my.after",
            (c, a) -> {
              after[0]++;
              return List.of();
            });
    InstanceRef guest =
        node.start(
            InstanceSpec.of(new ModuleRef.Inline(reentrant()))
                .withLink("b", link(b))
                .withImport("env", "after", Signature.of(List.of(), List.of()), "my.after"));
    assertEquals(List.of(2), guest.call("f").await());
    assertEquals(List.of(2), guest.call("f").await());
    assertEquals(0, after[0], "code of the link after the call that threw was run");
  }

  static long used() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void exceptions_ofALink_leaveNothingOnItsStack(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String b =
        "(module (tag $e) (func (export \"x\") " + "i64.const 1 ".repeat(1000) + " throw $e))";
    byte[] a =
        wasm(
            section(1, "02 60 00 00 60 01 7f 00"),
            section(2, "01 01 62 01 78 00 00"),
            section(3, "01 01"),
            section(7, "01 01 66 00 01"),
            section(
                10,
                "01 19 00 03 40 02 40 1f 40 01 02 00 10 00 0b 0b 20 00 41 01 6b 22 00 0d 00 0b 0b"));
    InstanceRef guest = node.start(InstanceSpec.of(new ModuleRef.Inline(a)).withLink("b", link(b)));
    guest.call("f", 10).await();
    long before = used();
    guest.call("f", 4000).await(); // 32 MB, if it were kept
    long more = used() - before;
    assertTrue(more < 20_000_000, "the instance holds " + more + " bytes more after its call");
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void funcref_ofALinksGlobal_isTheLinksFunction(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String b =
        "(module (func $b (result i32) (i32.const 22)) (global (export \"r\") funcref (ref.func $b)))";
    String a =
        """
        (module
          (import "b" "r" (global $r funcref))
          (table $t 1 funcref)
          (type $f (func (result i32)))
          (func $mine (result i32) (i32.const 11))
          (func (export "go") (result i32)
            (table.set $t (i32.const 0) (global.get $r))
            (call_indirect $t (type $f) (i32.const 0))))
        """;
    assertEquals(List.of(22), node.start(spec(a).withLink("b", link(b))).call("go").await());
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void funcref_ofALinksGlobal_thatGoesIntoATable_isTheLinks(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String b =
        "(module (func $b (result i32) (i32.const 22)) (global (export \"r\") funcref (ref.func $b)))";
    String a =
        """
        (module
          (type $none (func))
          (type $f (func (result i32)))
          (import "b" "r" (global $r funcref))
          (table $t 1 funcref)
          (elem (table $t) (i32.const 0) funcref (global.get $r))
          (func $mine (result i32) (i32.const 11))
          (func (export "go") (result i32) (call_indirect $t (type $f) (i32.const 0))))
        """;
    byte[] wasm = Assembler.assemble(a.getBytes(StandardCharsets.UTF_8));
    InstanceRef guest =
        node.start(InstanceSpec.of(new ModuleRef.Inline(wasm)).withLink("b", link(b)));
    assertEquals(List.of(22), guest.call("go").await());
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void tags_ofTwoLinks_areTwo(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String b =
        "(module (tag $e (export \"e\") (param i32)) (func (export \"x\") (throw $e (i32.const 5))))";
    String a =
        """
        (module
          (import "b1" "e" (tag $e1 (param i32)))
          (import "b2" "e" (tag $e2 (param i32)))
          (import "b1" "x" (func $x1))
          (import "b2" "x" (func $x2))
          (func (export "one") (result i32)
            (block $caught (result i32)
              (try_table (catch $e1 $caught) (call $x1)) (i32.const 1)))
          (func (export "other") (result i32)
            (block $caught (result i32)
              (try_table (catch $e1 $caught) (call $x2)) (i32.const 1)))
          (func (export "mine") (result i32)
            (block $caught (result i32)
              (try_table (catch $e2 $caught) (throw $e1 (i32.const 6))) (i32.const 1))))
        """;
    byte[] wasm = Assembler.assemble(a.getBytes(StandardCharsets.UTF_8));
    InstanceRef guest =
        node.start(
            InstanceSpec.of(new ModuleRef.Inline(wasm))
                .withLink("b1", link(b))
                .withLink("b2", link(b)));
    assertEquals(List.of(5), guest.call("one").await());
    for (String function : List.of("other", "mine")) {
      assertEquals(
          "uncaught exception",
          Failing.with(Failure.TRAP, () -> guest.call(function).await()).trap());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void passiveSegments_ofModulesThatShareAMemory_stayTheirOwn(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String b =
        """
        (module
          (memory (export "m") 1)
          (data $d "B")
          (func (export "put") (param i32)
            (memory.init $d (local.get 0) (i32.const 0) (i32.const 1)))
          (func (export "drop") (data.drop $d)))
        """;
    String a =
        """
        (module
          (import "b" "m" (memory 1))
          (import "b" "put" (func $put (param i32)))
          (import "b" "drop" (func $drop))
          (export "drop" (func $drop))
          (data $d "A")
          (func $start
            (call $put (i32.const 0))
            (memory.init $d (i32.const 1) (i32.const 0) (i32.const 1))
            (call $put (i32.const 2)))
          (start $start)
          (func (export "both") (result i32 i32)
            (call $put (i32.const 3))
            (memory.init $d (i32.const 4) (i32.const 0) (i32.const 1))
            (i32.load8_u (i32.const 3)) (i32.load8_u (i32.const 4)))
          (func (export "started") (result i32) (i32.load (i32.const 0))))
        """;
    InstanceRef guest = node.start(spec(a).withLink("b", link(b)));
    assertEquals(List.of('B' | 'A' << 8 | 'B' << 16), guest.call("started").await());
    assertEquals(List.of((int) 'B', (int) 'A'), guest.call("both").await());
    guest.call("drop").await();
    Failing.with(Failure.TRAP, () -> guest.call("both").await());
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "AUTO", mode = EnumSource.Mode.EXCLUDE)
  void sameModule_underTwoNames_hasTwoStatesAndTwoNames(Compiler.Mode mode) {
    node = TestNode.start(mode);
    String c =
        "(module (global $n (mut i32) (i32.const 0)) (func (export \"next\") (result i32)"
            + " (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))"
            + " (func (export \"bad\") unreachable))";
    String a =
        """
        (module $main
          (import "c1" "next" (func $one (result i32)))
          (import "c2" "next" (func $two (result i32)))
          (import "c2" "bad" (func $bad))
          (func (export "go") (result i32 i32 i32) (call $one) (call $one) (call $two))
          (func (export "bad") (call $bad)))
        """;
    InstanceRef guest = node.start(spec(a).withLink("c1", link(c)).withLink("c2", link(c)));
    assertEquals(List.of(1, 2, 1), guest.call("go").await());
    WasmException trap = Failing.with(Failure.TRAP, () -> guest.call("bad").await());
    if (mode == Compiler.Mode.INTERPRETED) { // compiled classes are one for both names
      assertEquals(List.of("c2!bad", "main!bad"), trap.frames());
    }
  }

  @Test
  void describe_doesNotSendTheLinksBytes() {
    node = TestNode.start();
    String big = "(module (memory 4) (data (i32.const 0) \"" + "x".repeat(200_000) + "\"))";
    InstanceRef guest = node.start(spec("(module)").withId("a").withLink("b", link(big)));
    int size = guest.describe().await().encode().length();
    assertTrue(size < 10_000, "describe is " + size + " characters");
  }

  @Test
  void aLateFirstStart_mustNotTakeTheModuleFromTheSecond() throws Exception {
    node = TestNode.start(Compiler.Mode.COMPILED);
    for (int round = 0; round < 12; round++) {
      StringBuilder wat = new StringBuilder("(module ");
      for (int i = 0; i < 1500; i++) {
        wat.append(
            "(func (param i32) (result i32) local.get 0 i32.const "
                + i * (round + 2)
                + " i32.add)\n");
      }
      byte[] wasm = Compiler.toBinary(utf(wat.append(")").toString()));
      JsonObject spec =
          new JsonObject().put("id", "x").put("module", new JsonObject().put("bytes", wasm));
      String first = "";
      try {
        node.vertx()
            .eventBus()
            .request(
                "wasm.instances",
                spec,
                new DeliveryOptions().addHeader("action", "start").addHeader("timeout", "5"))
            .await();
      } catch (RuntimeException e) {
        first = e.getMessage();
      }
      InstanceRef x;
      try {
        x = node.start(InstanceSpec.of(new ModuleRef.Inline(wasm)).withId("x"));
      } catch (WasmException e) {
        node.client().instance("x").stop().await();
        continue;
      }
      assertEquals(1, node.client().instances().await().size());
      assertEquals(
          1,
          node.client().modules().await().size(),
          "a live instance's module is gone; round " + round);
      x.stop().await();
    }
  }

  @Test
  void failedLinks_ofAllKinds_leaveNoModule() {
    node = TestNode.start();
    String deep = "(module (func " + "(block ".repeat(200_000) + ")".repeat(200_000) + "))";
    String deepBinary = "(module (func " + "block ".repeat(200_000) + "end ".repeat(200_000) + "))";
    for (String bad : List.of("(", deep, deepBinary, "(module (memory 65537))")) {
      try {
        node.start(
            spec("(module (func (export \"a\")))")
                .withId("a")
                .withLink("good", link("(module (func (export \"g\")))"))
                .withLink("bad", link(bad)));
        node.client().instance("a").stop().await();
      } catch (WasmException e) {
        assertTrue(e.getMessage().length() < 3000, e.getMessage());
      }
      assertEquals(List.of(), node.client().modules().await());
      assertEquals(List.of(), node.client().instances().await());
    }
  }

  @Test
  void aThousandLinks_areRefusedSoon() {
    node = TestNode.start();
    InstanceSpec s = spec("(module)");
    for (int i = 0; i < 1000; i++) {
      s = s.withLink("l" + i, link("(module (func (export \"f" + i + "\")))"));
    }
    InstanceSpec all = s;
    Failing.with(Failure.LIMIT, () -> node.start(all));
    assertEquals(List.of(), node.client().modules().await());
  }

  static final class Fresh {
    static final Pattern P = Pattern.compile("((a|b)*c{2,3}[x-z]+(?<n>q|r(s|t(u|v(w|x)))))*");

    static int touch() {
      return P.matcher("abccx").find() ? 1 : 0;
    }
  }

  @ParameterizedTest
  @EnumSource(value = Compiler.Mode.class, names = "COMPILED")
  void anImportCalledDeep_afterManyCalls_mustNotBreakAClassForGood(Compiler.Mode mode) {
    node = TestNode.start(mode);
    node.host().function("my.f", (c, a) -> List.of((int) a.get(0) == 1 ? Fresh.touch() : 5));
    InstanceRef guest =
        node.start(
            spec("""
        (module
          (import "env" "f" (func $f (param i32) (result i32)))
          (func $at (export "at") (param i32 i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0))
              (then (call $f (local.get 1)))
              (else (i32.add (i32.const 0)
                (call $at (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))))))
        """)
                .withImport(
                    "env",
                    "f",
                    Signature.of(List.of(ValueType.I32), List.of(ValueType.I32)),
                    "my.f"));
    for (int i = 0; i < 300; i++) {
      guest.call("at", 0, 0).await();
    }
    for (int i = 0; i < 1000; i++) {
      guest.call("at", 2000, 0).await();
    }
    int low = 0;
    for (int pass = 0; pass < 3; pass++) {
      low = 0;
      int high = 1 << 18;
      while (high - low > 1) {
        int mid = (low + high) / 2;
        if (ok(guest, mid, 0)) low = mid;
        else high = mid;
      }
    }
    String said = "";
    for (int d = low + 50; d > low - 1500 && d > 0 && !said.contains("ould not init"); d -= 3) {
      try {
        guest.call("at", d, 1).await();
        break;
      } catch (WasmException e) {
        said = e.getMessage();
      }
    }
    assertTrue(guest.call("at", 0, 1).await() != null, "depth " + low);
  }

  static boolean ok(InstanceRef guest, int depth, int arg) {
    try {
      guest.call("at", depth, arg).await();
      return true;
    } catch (WasmException e) {
      return false;
    }
  }
}
