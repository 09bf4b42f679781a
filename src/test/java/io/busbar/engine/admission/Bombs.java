package io.busbar.engine.admission;

import static io.busbar.engine.admission.WasmWriter.empty;
import static io.busbar.engine.admission.WasmWriter.module;

import io.busbar.model.Failure;
import java.util.function.Supplier;

/**
 * Modules of a few bytes, or a few million, that would take the engine's parser, validator or
 * compiler minutes or gigabytes.
 */
public enum Bombs {
  PARAMS_OF_2G(
      Failure.INVALID_MODULE,
      "module limit `params`: 2147483647, at most 200",
      () -> module().section(1, empty().bytes(1, 0x60).u(0x7FFFFFFF))),
  PARAMS_OF_100M(
      Failure.INVALID_MODULE,
      "module limit `params`: 100000000, at most 200",
      () -> module().section(1, empty().bytes(1, 0x60).u(100_000_000))),
  SUPERTYPES(
      Failure.INVALID_MODULE,
      "Error while parsing bytes: GC is not supported: `sub` at offset 11",
      () -> module().section(1, empty().bytes(1, 0x50).u(500_000_000))),
  RECURSIVE_TYPES(
      Failure.INVALID_MODULE,
      "Error while parsing bytes: GC is not supported: `rec` at offset 11",
      () -> module().section(1, empty().bytes(1, 0x4E).u(500_000_000))),
  ELEMENTS_OF_500M(
      Failure.INVALID_MODULE,
      "module limit `elements`: 500000000, at most 200000",
      () ->
          oneFunction()
              .section(4, 1, 0x70, 0, 1)
              .section(9, empty().bytes(1, 0, 0x41, 0, 0x0B).u(500_000_000))
              .code(empty().u(0), empty().bytes(0x0B))),
  DATA_OF_2G(
      Failure.INVALID_MODULE,
      "Error while parsing bytes: a data segment of 2147483632 bytes where 0 are left at offset 25",
      () ->
          module()
              .section(5, 1, 0, 1)
              .section(11, empty().bytes(1, 0, 0x41, 0, 0x0B).u(0x7FFFFFF0))),
  GROUPS_OF_LOCALS(
      Failure.INVALID_MODULE,
      "module limit `locals`: 50000, at most 5000",
      () ->
          exported()
              .code(
                  empty().u(20_000).times(20_000, empty().u(50_000).bytes(0x7E)),
                  empty().bytes(0x0B))),
  LOCALS_OF_A_RECURSION(
      Failure.INVALID_MODULE,
      "module limit `locals`: 50000, at most 5000",
      () -> exported().code(empty().u(1).u(50_000).bytes(0x7E), empty().bytes(0x10, 0, 0x0B))),
  BRANCH_TABLE_100K(
      Failure.INVALID_MODULE,
      "module limit `branchTargets`: 100000, at most 20000",
      () -> branchTable(2_000, 100_000)),
  BRANCH_TABLE_500K(
      Failure.TOO_LARGE,
      "module limit `bodyBytes`: 1560011, at most 1048576",
      () -> branchTable(20_000, 500_000)),
  NESTED_10K(
      Failure.INVALID_MODULE, "module limit `nesting`: 8001, at most 8000", () -> nested(10_000)),
  NESTED_100K(
      Failure.INVALID_MODULE, "module limit `nesting`: 8001, at most 8000", () -> nested(100_000)),
  NESTED_1M(
      Failure.TOO_LARGE,
      "module limit `bodyBytes`: 3000002, at most 1048576",
      () -> nested(1_000_000)),
  FUNCTIONS_100K(
      Failure.INVALID_MODULE,
      "module limit `functions`: 100000, at most 60000",
      () -> functions(100_000)),
  FUNCTIONS_1M(
      Failure.INVALID_MODULE,
      "module limit `functions`: 1000000, at most 60000",
      () -> functions(1_000_000)),
  TABLES(
      Failure.INVALID_MODULE,
      "module limit `tableElements`: 10000000, at most 100000",
      () -> module().section(4, empty().u(10).times(10, empty().bytes(0x70, 0).u(10_000_000)))),
  MEMORY_OF_2G(
      Failure.INVALID_MODULE,
      "module limit `memoryPages`: 32767, at most 16384",
      () -> module().section(5, empty().bytes(1, 0).u(32_767))),
  MEMORY_OF_4G(
      Failure.INVALID_MODULE,
      "module limit `memoryPages`: 65536, at most 16384",
      () -> module().section(5, empty().bytes(1, 0).u(65_536))),
  NOPS_1M(
      Failure.INVALID_MODULE,
      "module limit `instructions`: 300001, at most 300000",
      () -> exported().code(empty().u(0), empty().times(1_000_000, 0x01).bytes(0x0B))),
  NOPS_7M(
      Failure.TOO_LARGE,
      "module limit `bodyBytes`: 7000002, at most 1048576",
      () -> exported().code(empty().u(0), empty().times(7_000_000, 0x01).bytes(0x0B))),
  CONSTANTS_1M(
      Failure.TOO_LARGE,
      "module limit `bodyBytes`: 3000002, at most 1048576",
      () -> exported().code(empty().u(0), empty().times(1_000_000, 0x41, 1, 0x1A).bytes(0x0B))),
  TYPES_100K(
      Failure.INVALID_MODULE,
      "module limit `types`: 100000, at most 20000",
      () -> module().section(1, distinctTypes(100_000))),
  EXPORTS_100K(
      Failure.INVALID_MODULE,
      "module limit `exports`: 100000, at most 10000",
      () ->
          oneFunction()
              .section(7, named(100_000, "", empty().bytes(0, 0)))
              .code(empty().u(0), empty().bytes(0x0B))),
  IMPORTS_100K(
      Failure.INVALID_MODULE,
      "module limit `imports`: 100000, at most 1000",
      () ->
          module().section(1, 1, 0x60, 0, 0).section(2, named(100_000, "e", empty().bytes(0, 0)))),
  LOCALS_AND_BRANCHES(
      Failure.INVALID_MODULE,
      "module limit `frameSlots`: 200244000, at most 200000000",
      () -> framed(3_000, 1_000)),
  LOCALS_IN_ALL(
      Failure.INVALID_MODULE,
      "module limit `allLocals`: 2005000, at most 2000000",
      () -> many(3_000, empty().u(1).u(5_000).bytes(0x7E).bytes(0x0B))),
  SECTION_OF_4G(
      Failure.INVALID_MODULE,
      "Error while parsing bytes: section 3 of 4294967295 bytes where 0 are left at offset 14",
      () -> module().bytes(3, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F)),
  CUSTOM_SECTION_OF_2G(
      Failure.INVALID_MODULE,
      "Error while parsing bytes: section 0 of 2147483647 bytes where 1 are left at offset 14",
      () -> module().bytes(0, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0)),
  FUNCTIONS_OF_4G(
      Failure.INVALID_MODULE,
      "module limit `functions`: 4294967295, at most 60000",
      () -> module().section(3, empty().u(0xFFFFFFFFL))),
  BODIES_OF_4G(
      Failure.INVALID_MODULE,
      "Error while parsing bytes: 4294967295 function bodies where 0 bytes are left at offset 20",
      () -> oneFunction().section(10, empty().u(0xFFFFFFFFL))),
  GLOBALS_OF_4G(
      Failure.INVALID_MODULE,
      "module limit `globals`: 4294967295, at most 10000",
      () -> module().section(6, empty().u(0xFFFFFFFFL))),
  EQUAL_TYPES(
      Failure.INVALID_MODULE,
      "module limit `equalTypes`: 101000, at most 100000",
      () ->
          module()
              .section(1, empty().u(1_000).times(1_000, 0x60, 0, 0))
              .section(3, empty().u(2_000).times(2_000, 0))
              .section(10, empty().u(2_000).times(2_000, 2, 0, 0x0B))),
  OPERANDS_200K(
      Failure.INVALID_MODULE,
      "module limit `operands`: 2001, at most 2000",
      () ->
          exported()
              .code(
                  empty().u(0), empty().times(200_000, 0x41, 0).times(200_000, 0x1A).bytes(0x0B))),
  LOOPS_SIDE_BY_SIDE(
      Failure.INVALID_MODULE,
      "module limit `branchSteps`: 20005975, at most 20000000",
      () -> exported().code(empty().u(0), empty().times(90_000, 0x03, 0x40, 0x0B).bytes(0x0B))),
  BLOCKS_OVER_OPERANDS(
      Failure.INVALID_MODULE,
      "module limit `branchSteps`: 20002000, at most 20000000",
      () -> nestedOver(2_000)),
  FAR_BRANCHES(
      Failure.INVALID_MODULE,
      "module limit `branchSteps`: 20001857, at most 20000000",
      () ->
          exported()
              .code(
                  empty().u(0),
                  empty()
                      .times(7_000, 0x02, 0x40)
                      .times(10_000, empty().bytes(0x41, 0, 0x0D).u(7_000))
                      .times(7_001, 0x0B)));

  /** What the module fails with, and what it says. */
  public final Failure failure;

  public final String text;
  private final Supplier<WasmWriter> module;

  Bombs(Failure failure, String text, Supplier<WasmWriter> module) {
    this.failure = failure;
    this.text = text;
    this.module = module;
  }

  public byte[] bytes() {
    return module.get().toBytes();
  }

  /** A type and a function of it, whose body is still to come. */
  static WasmWriter oneFunction() {
    return module().section(1, 1, 0x60, 0, 0).section(3, 1, 0);
  }

  /** The same, exported as {@code run}. */
  static WasmWriter exported() {
    return oneFunction().section(7, empty().u(1).name("run").bytes(0, 0));
  }

  /** A table of branches to as far out as there are blocks. */
  private static WasmWriter branchTable(int depth, int targets) {
    WasmWriter far = empty().u(depth - 1);
    return exported()
        .code(
            empty().u(0),
            empty()
                .times(depth, 0x02, 0x40)
                .bytes(0x41, 0, 0x0E)
                .u(targets)
                .times(targets + 1, far)
                .times(depth + 1, 0x0B));
  }

  static WasmWriter nested(int depth) {
    return exported().code(empty().u(0), empty().times(depth, 0x02, 0x40).times(depth + 1, 0x0B));
  }

  private static WasmWriter nestedOver(int operands) {
    return exported()
        .code(
            empty().u(0),
            empty()
                .times(operands, 0x41, 0)
                .times(7_990, 0x02, 0x40)
                .times(7_990, 0x0B)
                .times(4_000, 0x02, 0x40)
                .times(4_000, 0x0B)
                .times(operands, 0x1A)
                .bytes(0x0B));
  }

  /** Empty functions. */
  public static WasmWriter functions(int count) {
    return many(count, empty().bytes(0, 0x0B));
  }

  /** Functions that all have this body. */
  static WasmWriter many(int count, WasmWriter body) {
    byte[] bytes = body.toBytes();
    return module()
        .section(1, 1, 0x60, 0, 0)
        .section(3, empty().u(count).times(count, 0))
        .section(10, empty().u(count).times(count, empty().u(bytes.length).bytes(body)));
  }

  private static WasmWriter framed(int count, int locals) {
    return many(
        count,
        empty()
            .u(1)
            .u(locals)
            .bytes(0x7E)
            .times(300, 0x02, 0x40, 0x41, 0, 0x0D, 0, 0x0B)
            .bytes(0x0B));
  }

  private static WasmWriter distinctTypes(int count) {
    WasmWriter types = empty().u(count);
    for (int i = 0; i < count; i++) {
      types.bytes(0x60, 20);
      for (int bit = 0; bit < 20; bit++) {
        types.bytes(0x7F - (i >> bit & 1));
      }
      types.bytes(0);
    }
    return types;
  }

  private static WasmWriter named(int count, String module, WasmWriter kind) {
    WasmWriter all = empty().u(count);
    for (int i = 0; i < count; i++) {
      if (!module.isEmpty()) {
        all.name(module);
      }
      all.name("n" + i).bytes(kind);
    }
    return all;
  }

  /** A valid module with names of its functions in falling order, as many as asked for. */
  public static byte[] fallingNames(int count) {
    WasmWriter names = empty().u(count);
    for (int i = count; i > 0; i--) {
      names.u(i - 1).name("a");
    }
    byte[] map = names.toBytes();
    return exported()
        .code(empty().u(0), empty().bytes(0x0B))
        .section(0, empty().name("name").bytes(1).u(map.length).bytes(names))
        .toBytes();
  }
}
