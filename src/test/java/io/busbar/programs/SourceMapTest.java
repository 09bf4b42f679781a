package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import io.busbar.model.Caller;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** source-map: Rust that tells each mapping to one callback of ten parameters. */
final class SourceMapTest {
  private static final NpmPackage NPM = new NpmPackage("source-map", "0.7.4");
  private static final WebJar WEBJAR = new WebJar("source-map", "0.8.0-beta.0");
  private static final String MODULE =
      "be2dc7da3885e55013c8da58d7ba356705d932459db94ada37d5de2fa8733cfe";
  private static final byte[] MAPPINGS = "AAAA;AACA".getBytes(US_ASCII);

  private final List<List<Object>> told = Collections.synchronizedList(new ArrayList<>());

  @EachMachine
  void npmPackage_twoMappings_areTold(Compiler.Mode mode) {
    assertTold(mode, NPM.file("lib/mappings.wasm", MODULE));
  }

  @EachMachine
  void webJar_twoMappings_areTold(Compiler.Mode mode) {
    assertTold(mode, WEBJAR.file("lib/mappings.wasm", MODULE));
  }

  /** Generated line and column, last column; source, original line and column; name. */
  private void assertTold(Compiler.Mode mode, byte[] wasm) {
    try (Node node = Node.start(mode)) {
      Program sourceMap = node.start(wasm, Map.of("env.mapping_callback", this::tell));
      int text = sourceMap.store("allocate_mappings", MAPPINGS);
      int mappings = sourceMap.i32("parse_mappings", text);
      sourceMap.call("by_generated_location", mappings);
      assertEquals(
          List.of(List.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0), List.of(1, 0, 0, 0, 1, 0, 1, 0, 0, 0)),
          told);
      assertEquals(
          "dc71e2ad801435718b3ca0d60582e259f829e570532640b28282788b8a0d2cf2",
          sourceMap.memoryDigest());
    }
  }

  private List<?> tell(Caller caller, List<Object> args) {
    told.add(List.copyOf(args));
    return List.of();
  }
}
