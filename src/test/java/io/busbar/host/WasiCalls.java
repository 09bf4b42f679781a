package io.busbar.host;

import io.busbar.TestNode;
import io.busbar.client.InstanceRef;
import io.busbar.model.WasiSpec;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;

/** A guest whose WASI functions are called one by one; errors are negative numbers. */
final class WasiCalls {
  static final long READ = 1 << 1;
  static final long WRITE = 1 << 6;
  static final int FOLLOW = 1;
  static final int CREATE = 1;
  static final int DIRECTORY = 2;
  static final int EXCLUSIVE = 4;
  static final int TRUNCATE = 8;
  static final int FIRST_PREOPEN = 3;

  private static final int RESULT = 64;
  private static final int PATH = 1024;
  private static final int SECOND_PATH = 8192;
  private static final int DATA = 16_384;

  private final InstanceRef instance;

  WasiCalls(TestNode node, WasiSpec wasi) {
    this(node.start(TestNode.inline("wasi_calls").withWasi(wasi)));
  }

  WasiCalls(InstanceRef instance) {
    this.instance = instance;
  }

  InstanceRef instance() {
    return instance;
  }

  int call(String function, Object... params) {
    return -(Integer) instance.call(function, params).await().get(0);
  }

  void put(int at, Buffer bytes) {
    instance.memory().write(at, bytes).await();
  }

  Buffer get(int at, int length) {
    return instance.memory().read(at, length).await();
  }

  private int path(int at, String path) {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    put(at, Buffer.buffer(bytes));
    return bytes.length;
  }

  /** Opens below the first preopen; the descriptor. */
  int open(String path, int lookup, int how, long rights) {
    return openAt(FIRST_PREOPEN, path, lookup, how, rights);
  }

  int openAt(int directory, String path, int lookup, int how, long rights) {
    int length = path(PATH, path);
    int error = call("path_open", directory, lookup, PATH, length, how, rights, 0L, 0, RESULT);
    return error < 0 ? error : get(RESULT, 4).getIntLE(0);
  }

  /** Calls a function whose first parameters are a directory and a path in it. */
  int onPath(String function, String path) {
    return call(function, FIRST_PREOPEN, PATH, path(PATH, path));
  }

  int stat(String path, int lookup) {
    return call("path_filestat_get", FIRST_PREOPEN, lookup, PATH, path(PATH, path), RESULT);
  }

  int rename(String from, String to) {
    int length = path(PATH, from);
    return call(
        "path_rename",
        FIRST_PREOPEN,
        PATH,
        length,
        FIRST_PREOPEN,
        SECOND_PATH,
        path(SECOND_PATH, to));
  }

  int symlink(String target, String path) {
    int length = path(PATH, target);
    return call("path_symlink", PATH, length, FIRST_PREOPEN, SECOND_PATH, path(SECOND_PATH, path));
  }

  int link(String from, String to) {
    int length = path(PATH, from);
    return call(
        "path_link",
        FIRST_PREOPEN,
        0,
        PATH,
        length,
        FIRST_PREOPEN,
        SECOND_PATH,
        path(SECOND_PATH, to));
  }

  /** The target of a link, or an error number as text. */
  String readLink(String path) {
    int length = path(PATH, path);
    int error = call("path_readlink", FIRST_PREOPEN, PATH, length, DATA, 1000, RESULT);
    return error < 0
        ? String.valueOf(error)
        : get(DATA, get(RESULT, 4).getIntLE(0)).toString(StandardCharsets.UTF_8);
  }

  /** A number written where the last call put its result. */
  int result() {
    return get(RESULT, 4).getIntLE(0);
  }

  long longResult(int offset) {
    return get(RESULT + offset, 8).getLongLE(0);
  }

  /** Reads with one slice of this length; the bytes, or an error number as text. */
  String read(int descriptor, int length) {
    slice(DATA, length);
    int error = call("fd_read", descriptor, 0, 1, RESULT);
    return error < 0 ? String.valueOf(error) : get(DATA, result()).toString(StandardCharsets.UTF_8);
  }

  int write(int descriptor, String text) {
    slice(DATA, path(DATA, text));
    int error = call("fd_write", descriptor, 0, 1, RESULT);
    return error < 0 ? error : result();
  }

  /** Makes the first slice this one. */
  void slice(int address, int length) {
    put(0, Buffer.buffer().appendIntLE(address).appendIntLE(length));
  }

  int seek(int descriptor, long offset, int whence) {
    return call("fd_seek", descriptor, offset, whence, RESULT);
  }

  /** The names in a directory, `.` and `..` among them. */
  String list(int descriptor) {
    call("fd_readdir", descriptor, DATA, 4096, 0L, RESULT);
    Buffer entries = get(DATA, result());
    StringBuilder names = new StringBuilder();
    for (int at = 0; at < entries.length(); ) {
      int length = entries.getIntLE(at + 16);
      names.append(entries.getString(at + 24, at + 24 + length)).append(' ');
      at += 24 + length;
    }
    return names.toString();
  }
}
