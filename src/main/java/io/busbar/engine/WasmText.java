package io.busbar.engine;

import com.dylibso.chicory.runtime.ImportValues;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wabt.Wat2WasmModule;
import com.dylibso.chicory.wasi.WasiExitException;
import com.dylibso.chicory.wasi.WasiOptions;
import com.dylibso.chicory.wasi.WasiPreview1;
import com.dylibso.chicory.wasm.WasmModule;
import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import io.busbar.model.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** WebAssembly's text format to its binary one, by wabt's {@code wat2wasm}, itself a module. */
final class WasmText {
  private static final String FILE = "text";
  private static final int MOST_SAID = 2000;
  private static final long LEAST_HEAP = 1 << 20;
  private static final long HEAP_PER_BYTE = 100;
  static final List<String> FEATURES =
      List.of(
          "--enable-annotations",
          "--enable-tail-call",
          "--enable-multi-memory",
          "--enable-extended-const",
          "--enable-threads",
          "--enable-exceptions");

  private WasmText() {}

  /** Parsed once, when the first text comes. */
  private static final class Tool {
    static final WasmModule MODULE = Wat2WasmModule.load();
  }

  /** Whether these bytes are meant as text: they are UTF-8 and do not start like a binary. */
  static boolean isText(byte[] bytes) {
    if (bytes.length == 0 || bytes[0] == 0) {
      return false;
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** How much memory it takes to make a binary of it, estimated: the tool keeps a tree of it. */
  static long heap(byte[] text) {
    return LEAST_HEAP + HEAP_PER_BYTE * text.length;
  }

  /**
   * The binary; fails with {@code INVALID_MODULE}, with line and column, where it does not parse.
   */
  static byte[] toBinary(byte[] text) {
    return toBinary(text, FEATURES);
  }

  /** The same with these options of the tool instead of the usual features. */
  static byte[] toBinary(byte[] text, List<String> options) {
    ByteArrayOutputStream binary = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    Configuration files =
        Configuration.unix().toBuilder().setAttributeViews("unix").setWorkingDirectory("/").build();
    try (FileSystem memory = Jimfs.newFileSystem(files)) {
      Path root = memory.getPath("/");
      Files.write(root.resolve(FILE), text);
      run(
          WasiOptions.builder()
              .withArguments(arguments(options))
              .withDirectory("/", root)
              .withStdout(binary, false)
              .withStderr(errors, false)
              .build());
    } catch (WasiExitException e) {
      throw Failure.INVALID_MODULE.because("Error while parsing bytes: %s", place(errors));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      throw Traps.parsing(e);
    }
    return binary.toByteArray();
  }

  private static List<String> arguments(List<String> options) {
    List<String> arguments = new java.util.ArrayList<>(List.of("wat2wasm", "--debug-names"));
    arguments.addAll(options);
    arguments.addAll(List.of("--output=-", FILE));
    return arguments;
  }

  private static void run(WasiOptions options) {
    try (WasiPreview1 wasi = WasiPreview1.builder().withOptions(options).build()) {
      Instance.builder(Tool.MODULE)
          .withMachineFactory(Wat2WasmModule::create)
          .withMemoryFactory(limits -> new GuestMemory(limits, Budget.unbounded()))
          .withImportValues(ImportValues.builder().addFunction(wasi.toHostFunctions()).build())
          .build(); // runs _start
    }
  }

  /** {@code text:3:7: error: …} as {@code 3:7: …}, with the source line the tool points at. */
  private static String place(ByteArrayOutputStream errors) {
    String said = errors.toString(StandardCharsets.UTF_8).strip();
    String placed = said.replace(FILE + ":", "").replace(": error:", ":");
    return placed.length() <= MOST_SAID ? placed : placed.substring(0, MOST_SAID) + "…";
  }
}
