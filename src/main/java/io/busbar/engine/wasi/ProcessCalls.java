package io.busbar.engine.wasi;

import io.busbar.model.Failure;
import io.busbar.model.WasiSpec;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a guest is told about itself, the time and chance, and how it ends. */
final class ProcessCalls {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int RANDOM_CHUNK = 16 << 10;
  private static final int SIGNALS = 31;

  private final List<byte[]> args = new ArrayList<>();
  private final List<byte[]> env = new ArrayList<>();
  private final Clock clock;

  private ProcessCalls(WasiSpec spec, Clock clock) {
    this.clock = clock;
    spec.args().forEach(arg -> args.add(text(arg)));
    for (Map.Entry<String, String> entry : spec.env().entrySet()) {
      env.add(text(entry.getKey() + "=" + entry.getValue()));
    }
  }

  private static byte[] text(String text) {
    return (text + "\0").getBytes(StandardCharsets.UTF_8);
  }

  static void into(Table table, WasiSpec spec, Clock clock) {
    ProcessCalls calls = new ProcessCalls(spec, clock);
    table.add("args_get", "ii", call -> put(call, calls.args));
    table.add("args_sizes_get", "ii", call -> putSizes(call, calls.args));
    table.add("environ_get", "ii", call -> put(call, calls.env));
    table.add("environ_sizes_get", "ii", call -> putSizes(call, calls.env));
    table.add("clock_res_get", "ii", calls::resolution);
    table.add("clock_time_get", "iIi", calls::time);
    table.add("random_get", "ii", ProcessCalls::random);
    table.add("sched_yield", "", call -> Thread.yield());
    table.add("proc_raise", "i", ProcessCalls::raise);
    table.addEnd("proc_exit", "i", ProcessCalls::exit);
    table.add("sock_accept", "iii", ProcessCalls::refuse);
    table.add("sock_recv", "iiiiii", ProcessCalls::refuse);
    table.add("sock_send", "iiiii", ProcessCalls::refuse);
    table.add("sock_shutdown", "ii", ProcessCalls::refuse);
  }

  /** An array of addresses, and what they point to. */
  private static void put(WasiCall call, List<byte[]> texts) {
    int pointer = call.i32(0);
    int at = call.i32(1);
    for (byte[] text : texts) {
      call.putInt(pointer, at);
      call.put(at, text, 0, text.length);
      pointer += Integer.BYTES;
      at += text.length;
    }
  }

  private static void putSizes(WasiCall call, List<byte[]> texts) {
    call.putInt(call.i32(0), texts.size());
    call.putInt(call.i32(1), texts.stream().mapToInt(text -> text.length).sum());
  }

  private void resolution(WasiCall call) throws Errno.Thrown {
    clock.now(call.i32(0));
    call.putLong(call.i32(1), Clock.RESOLUTION);
  }

  private void time(WasiCall call) throws Errno.Thrown {
    call.putLong(call.i32(2), clock.now(call.i32(0)));
  }

  private static void random(WasiCall call) {
    int at = call.i32(0);
    int length = call.i32(1);
    call.check(at, length);
    byte[] chunk = new byte[Math.min(length, RANDOM_CHUNK)];
    for (int done = 0; done < length; done += chunk.length) {
      WasiCall.checkInterrupt();
      RANDOM.nextBytes(chunk);
      call.put(at + done, chunk, 0, Math.min(chunk.length, length - done));
    }
  }

  private static void raise(WasiCall call) throws Errno.Thrown {
    throw (call.i32(0) > SIGNALS ? Errno.INVAL : Errno.NOSYS).thrown();
  }

  private static void refuse(WasiCall call) throws Errno.Thrown {
    throw Errno.NOSYS.thrown();
  }

  private static void exit(WasiCall call) {
    int code = call.i32(0);
    throw Failure.EXIT.because("the guest exited with %d", code).with("exit", code);
  }
}
