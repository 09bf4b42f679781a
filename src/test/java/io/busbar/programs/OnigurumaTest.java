package io.busbar.programs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.busbar.engine.Compiler;
import io.busbar.model.Caller;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** vscode-oniguruma: regular expressions; emscripten registers its constants by callbacks. */
final class OnigurumaTest {
  private static final NpmPackage PACKAGE = new NpmPackage("vscode-oniguruma", "2.0.1");
  private static final byte[] PATTERN = "(\\d+)-(\\w+)".getBytes(US_ASCII);
  private static final byte[] TEXT = "abc 42-xyz!".getBytes(US_ASCII);

  private final Map<String, Integer> constants = new ConcurrentHashMap<>();

  @EachMachine
  void pattern_withTwoGroups_isFound(Compiler.Mode mode) {
    byte[] wasm =
        PACKAGE.file(
            "release/onig.wasm",
            "76ebc1f0d87b2e7449a45ff3cd1a1546a9f05f54bdac44ee03e8a2b8348897be");
    try (Node node = Node.start(mode)) {
      Program onig =
          node.start(wasm, Map.of("env._embind_register_constant", this::registerConstant));
      onig.call("__wasm_call_ctors");
      int match = find(onig, scanner(onig));
      // which pattern, how many captures, and where each begins and ends
      assertEquals(
          List.of(0, 3, 4, 10, 4, 6, 7, 10), integers(onig.read(match, 8 * Integer.BYTES)));
      assertEquals(
          "a6ecf9ca25dc44ba24396cf6afe428a65a3b2accf392558bc478780765aaf725", onig.memoryDigest());
    }
  }

  private int scanner(Program onig) {
    int pattern = onig.store("omalloc", PATTERN);
    int patterns = onig.i32("omalloc", Integer.BYTES);
    int lengths = onig.i32("omalloc", Integer.BYTES);
    onig.write(patterns, bytes(pattern));
    onig.write(lengths, bytes(PATTERN.length));
    return onig.i32(
        "createOnigScanner",
        patterns,
        lengths,
        1,
        constants.get("ONIG_OPTION_CAPTURE_GROUP"),
        constants.get("ONIG_SYNTAX_DEFAULT"));
  }

  private static int find(Program onig, int scanner) {
    int text = onig.store("omalloc", TEXT);
    return onig.i32("findNextOnigScannerMatch", scanner, 1, text, TEXT.length, 0, 0);
  }

  private List<?> registerConstant(Caller caller, List<Object> args) {
    int name = (Integer) args.get(0);
    constants.put(cString(caller, name), ((Double) args.get(2)).intValue());
    return List.of();
  }

  private static String cString(Caller caller, int address) {
    StringBuilder text = new StringBuilder();
    for (int at = address; caller.read(at, 1)[0] != 0; at++) {
      text.append((char) caller.read(at, 1)[0]);
    }
    return text.toString();
  }

  private static byte[] bytes(int value) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  private static List<Integer> integers(byte[] bytes) {
    int[] values = new int[bytes.length / Integer.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(values);
    return Arrays.stream(values).boxed().toList();
  }
}
