package io.busbar.engine.admission;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.util.Optional;

/**
 * Something a module may declare only so much of, whoever starts it; its key is the word in the
 * section {@code modules} of the configuration. A count above its limit is {@code INVALID_MODULE},
 * a size in bytes {@code TOO_LARGE}.
 */
public enum ModuleLimit {
  /** Function types. */
  TYPES("types", 20_000),
  /** Parameters of one function type. */
  PARAMS("params", 200),
  /** Results of one function type. */
  RESULTS("results", 200),
  /** Imports of every kind. */
  IMPORTS("imports", 1_000),
  /** Functions with a body. */
  FUNCTIONS("functions", 60_000),
  /** Tables, imported ones included. */
  TABLES("tables", 10),
  /** Elements all tables start with. */
  TABLE_ELEMENTS("tableElements", 100_000),
  /** Memories, imported ones included. */
  MEMORIES("memories", 10),
  /** Pages of 64 KiB all memories start with. */
  MEMORY_PAGES("memoryPages", 16_384),
  /** Exception tags. */
  TAGS("tags", 1_000),
  /** Globals with an initial value. */
  GLOBALS("globals", 10_000),
  /** Exports of every kind. */
  EXPORTS("exports", 10_000),
  /** Element segments. */
  ELEMENT_SEGMENTS("elementSegments", 10_000),
  /** Elements of all element segments. */
  ELEMENTS("elements", 200_000),
  /** Data segments. */
  DATA_SEGMENTS("dataSegments", 100_000),
  /** Locals of one function, parameters not counted. */
  LOCALS("locals", 5_000),
  /** Locals of all functions. */
  ALL_LOCALS("allLocals", 2_000_000),
  /** Instructions of one function or one constant expression. */
  INSTRUCTIONS("instructions", 300_000),
  /** Blocks inside each other. */
  NESTING("nesting", 8_000),
  /** Operands on the stack at one time. */
  OPERANDS("operands", 2_000),
  /** Targets of one {@code br_table}. */
  BRANCH_TARGETS("branchTargets", 20_000),
  /**
   * Steps it takes to resolve the branches of one function: blocks each target is away, operands
   * under it, operands under each block, and blocks beside each loop.
   */
  BRANCH_STEPS("branchSteps", 20_000_000),
  /** The same of all functions. */
  ALL_BRANCH_STEPS("allBranchSteps", 200_000_000),
  /**
   * Locals times blocks and branches, of all functions: the Java verifier wants to know the type of
   * every local wherever a branch can lead.
   */
  FRAME_SLOTS("frameSlots", 200_000_000),
  /**
   * For each function the types that equal its own, itself included: an indirect call may find it
   * by any of them.
   */
  EQUAL_TYPES("equalTypes", 100_000),
  /** Bytes of one function's body. */
  BODY_BYTES("bodyBytes", 1 << 20, Failure.TOO_LARGE),
  /** Bytes of one name of an import or export. */
  NAME_BYTES("nameBytes", 100_000, Failure.TOO_LARGE);

  private final String key;
  private final long standard;
  private final Failure failure;

  ModuleLimit(String key, long standard) {
    this(key, standard, Failure.INVALID_MODULE);
  }

  ModuleLimit(String key, long standard, Failure failure) {
    this.key = key;
    this.standard = standard;
    this.failure = failure;
  }

  public String key() {
    return key;
  }

  /** What a module may have where the operator says nothing. */
  public long standard() {
    return standard;
  }

  /** A module has {@code value} of it, and may have {@code most}. */
  WasmException exceeded(long value, long most) {
    return failure.because("module limit `%s`: %d, at most %d", key, value, most);
  }

  /** The value itself if it makes sense for a limit; else fails with {@code BAD_REQUEST}. */
  long check(long value) {
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw Failure.BAD_REQUEST.because(
          "modules.%s must be 0 to %d, not %d", key, Integer.MAX_VALUE, value);
    }
    return value;
  }

  public static Optional<ModuleLimit> of(String key) {
    for (ModuleLimit limit : values()) {
      if (limit.key.equals(key)) {
        return Optional.of(limit);
      }
    }
    return Optional.empty();
  }
}
