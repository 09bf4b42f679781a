package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Reading, writing and seeking. Bytes go through one buffer of ours, so nothing is allocated by a
 * length that the guest names.
 */
final class TransferCalls {
  static final int CHUNK = 64 << 10;
  private static final long OWN_POSITION = -1;

  private final Descriptors open;
  private final Abi abi;
  private final byte[] chunk;

  private TransferCalls(Descriptors open, Abi abi, byte[] chunk) {
    this.open = open;
    this.abi = abi;
    this.chunk = chunk;
  }

  static byte[] chunk() {
    return new byte[CHUNK];
  }

  static void into(Table table, Descriptors open, Abi abi, byte[] chunk) {
    TransferCalls calls = new TransferCalls(open, abi, chunk);
    table.add("fd_read", "iiii", calls::read);
    table.add("fd_pread", "iiiIi", calls::readAt);
    table.add("fd_write", "iiii", calls::write);
    table.add("fd_pwrite", "iiiIi", calls::writeAt);
    table.add("fd_seek", "iIii", calls::seek);
    table.add("fd_tell", "ii", calls::tell);
  }

  private void read(WasiCall call) throws Errno.Thrown, IOException, InterruptedException {
    Descriptor from = open.get(call.i32(0));
    if (from instanceof Descriptor.In in) {
      call.putInt(call.i32(3), readStream(call, in.stream()));
    } else {
      readFile(call, file(call), OWN_POSITION, 3);
    }
  }

  /** A regular file: what is said of the others depends on what they are. */
  private OpenFile file(WasiCall call) throws Errno.Thrown {
    return open.file(call.i32(0), Errno.BADF);
  }

  /** Waits for the first bytes only: a read gives what is there. */
  private int readStream(WasiCall call, Input from) throws Errno.Thrown, InterruptedException {
    int read = 0;
    for (int i = 0; i < call.slices(1); i++) {
      int at = call.sliceAddress(1, i);
      int left = call.sliceLength(1, i);
      while (left > 0 && (read == 0 || from.available() > 0)) {
        int got = from.read(chunk, Math.min(left, CHUNK));
        if (got == 0) {
          return read;
        }
        call.put(at, chunk, 0, got);
        at += got;
        left -= got;
        read += got;
      }
    }
    return read;
  }

  private static long position(WasiCall call) throws Errno.Thrown {
    if (call.i64(3) < 0) {
      throw Errno.INVAL.thrown();
    }
    return call.i64(3);
  }

  private void readAt(WasiCall call) throws Errno.Thrown, IOException {
    readFile(call, open.file(call.i32(0), Errno.SPIPE), position(call), 4);
  }

  private void readFile(WasiCall call, OpenFile file, long position, int result)
      throws Errno.Thrown, IOException {
    int read = 0;
    boolean more = true;
    for (int i = 0; more && i < call.slices(1); i++) {
      int length = call.sliceLength(1, i);
      long from = position < 0 ? position : position + read;
      int got = fill(call, call.sliceAddress(1, i), length, file, from);
      read += got;
      more = got == length;
    }
    call.putInt(call.i32(result), read);
  }

  private int fill(WasiCall call, int address, int length, OpenFile file, long position)
      throws Errno.Thrown, IOException {
    int done = 0;
    while (done < length) {
      WasiCall.checkInterrupt();
      ByteBuffer to = ByteBuffer.wrap(chunk, 0, Math.min(CHUNK, length - done));
      int got = file.read(to, position < 0 ? position : position + done);
      if (got <= 0) {
        break;
      }
      call.put(address + done, chunk, 0, got);
      done += got;
    }
    return done;
  }

  private void write(WasiCall call) throws Errno.Thrown, IOException {
    Descriptor to = open.get(call.i32(0));
    if (to instanceof Descriptor.Out out) {
      writeAll(call, 3, (bytes, done) -> out.stream().write(bytes.array(), bytes.remaining()));
    } else {
      OpenFile file = file(call);
      writeAll(call, 3, (bytes, done) -> writeFully(file, bytes, OWN_POSITION));
    }
  }

  private void writeAt(WasiCall call) throws Errno.Thrown, IOException {
    OpenFile file = open.file(call.i32(0), Errno.SPIPE);
    long position = position(call);
    writeAll(call, 4, (bytes, done) -> writeFully(file, bytes, position + done));
  }

  /** Where written bytes go, so many after others of the same call. */
  @FunctionalInterface
  private interface Sink {
    void write(ByteBuffer bytes, long done) throws Errno.Thrown, IOException;
  }

  private static void writeFully(OpenFile file, ByteBuffer bytes, long position)
      throws Errno.Thrown, IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      int written = file.write(bytes, at);
      at = position < 0 ? position : at + written;
    }
  }

  private void writeAll(WasiCall call, int result, Sink sink) throws Errno.Thrown, IOException {
    int written = 0;
    for (int i = 0; i < call.slices(1); i++) {
      int from = call.sliceAddress(1, i);
      int length = call.sliceLength(1, i);
      for (int done = 0; done < length; done += CHUNK) {
        WasiCall.checkInterrupt();
        byte[] bytes = call.read(from + done, Math.min(CHUNK, length - done));
        sink.write(ByteBuffer.wrap(bytes), written);
        written += bytes.length;
      }
    }
    call.putInt(call.i32(result), written);
  }

  private void seek(WasiCall call) throws Errno.Thrown, IOException {
    FileChannel channel = open.file(call.i32(0), Errno.SPIPE).channel();
    long from =
        switch (abi.whence(call.i32(2))) {
          case START -> 0;
          case HERE -> channel.position();
          case END -> channel.size();
        };
    long to = from + call.i64(1);
    if (to < 0) {
      throw Errno.INVAL.thrown();
    }
    channel.position(to);
    call.putLong(call.i32(3), to);
  }

  private void tell(WasiCall call) throws Errno.Thrown, IOException {
    FileChannel channel = open.file(call.i32(0), Errno.SPIPE).channel();
    call.putLong(call.i32(1), channel.position());
  }
}
