package io.busbar.engine.wasi;

import com.dylibso.chicory.runtime.Instance;
import io.busbar.engine.Headroom;
import io.busbar.model.Signature;
import io.busbar.model.ValueType;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The functions of one version of WASI, by their names. */
final class Table {
  /** What a function does; it answers 0, or the number of what it throws. */
  @FunctionalInterface
  interface Function {
    void run(WasiCall call) throws Errno.Thrown, IOException, InterruptedException;
  }

  private final Map<String, WasiFunction> functions = new HashMap<>();

  Optional<WasiFunction> get(String name) {
    return Optional.ofNullable(functions.get(name));
  }

  /** A function that takes an i32 for each {@code i} and an i64 for each {@code I}. */
  void add(String name, String params, Function function) {
    Function ready = withHeadroom(function);
    Signature signature = Signature.of(types(params), List.of(ValueType.I32));
    functions.put(
        name, new WasiFunction(signature, (caller, args) -> new long[] {run(ready, caller, args)}));
  }

  /** A function without a result. */
  void addEnd(String name, String params, Function function) {
    Function ready = withHeadroom(function);
    functions.put(
        name,
        new WasiFunction(
            Signature.of(types(params), List.of()),
            (caller, args) -> {
              run(ready, caller, args);
              return null;
            }));
  }

  private static Function withHeadroom(Function function) {
    return call -> {
      Headroom.check(Headroom.FUNCTION);
      function.run(call);
    };
  }

  private static List<ValueType> types(String params) {
    List<ValueType> types = new ArrayList<>();
    for (char param : params.toCharArray()) {
      types.add(param == 'i' ? ValueType.I32 : ValueType.I64);
    }
    return types;
  }

  private static int run(Function function, Instance caller, long[] args) {
    WasiCall.checkInterrupt();
    try {
      function.run(new WasiCall(caller, args));
      return 0;
    } catch (Errno.Thrown e) {
      return e.errno.number;
    } catch (ClosedByInterruptException | InterruptedException e) {
      throw WasiCall.interrupted();
    } catch (IOException e) {
      return Errno.of(e).number;
    } catch (InvalidPathException e) {
      return Errno.ILSEQ.number;
    } catch (UnsupportedOperationException | SecurityException e) {
      return Errno.NOTSUP.number;
    }
  }
}
