package io.busbar.engine;

import static io.busbar.model.ValueType.I32;
import static io.busbar.model.ValueType.I64;

import com.dylibso.chicory.runtime.Memory;
import io.busbar.model.ExternType;
import io.busbar.model.Failure;
import io.busbar.model.Signature;
import io.busbar.model.WasmException;
import java.util.List;

/**
 * One exchange of bytes with a function, through the guest's own allocator: alloc, write, call,
 * read, dealloc.
 *
 * <p>Pointers and lengths are unsigned and looked up in the memory as it is by then. What was
 * allocated is freed also where the answer is refused, and once only where the answer is part of
 * the input; but once the guest's code has failed, none of it runs any more: its allocator may be
 * half changed, and a call that was stopped is over.
 */
final class Exchange {
  private static final String ALLOC = "alloc";
  private static final String DEALLOC = "dealloc";
  private static final Signature ALLOCATES = Signature.of(List.of(I32), List.of(I32));
  private static final Signature FREES = Signature.of(List.of(I32, I32), List.of());
  private static final Signature PACKED = Signature.of(List.of(I32, I32), List.of(I64));
  private static final Signature PAIR = Signature.of(List.of(I32, I32), List.of(I32, I32));

  private static final String CONVENTIONS =
      String.format(
          "a guest that takes and gives bytes exports `%s` %s, optionally `%s` %s, and the function"
              + " %s or %s; or it is a WASI command, input on stdin and output on stdout",
          ALLOC, ALLOCATES, DEALLOC, FREES, PACKED, PAIR);

  private final Guest guest;
  private final String function;
  private final boolean frees;
  private final GuestMemory memory;

  /** Bytes somewhere in the memory. */
  private record Block(long pointer, long size) {
    static Block of(Object pointer, Object size) {
      return new Block(
          Integer.toUnsignedLong((Integer) pointer), Integer.toUnsignedLong((Integer) size));
    }

    /** Whether it was cut out of the other block; what is empty may lie at its end. */
    boolean isPartOf(Block other) {
      long end = other.pointer + other.size;
      return pointer >= other.pointer && (pointer < end || pointer == end && size == 0);
    }
  }

  /**
   * An exchange with one of the guest's own functions.
   *
   * @throws WasmException {@code NO_SUCH_EXPORT}, {@code BAD_REQUEST} where the exports do not
   *     follow the convention, {@code NO_SUCH_MEMORY}
   */
  Exchange(Guest guest, Part part, String function) {
    this.guest = guest;
    this.function = function;
    check(function, part.functionType(function).signature(), PACKED, PAIR);
    check(ALLOC, signature(part, ALLOC), ALLOCATES);
    Signature dealloc = signature(part, DEALLOC);
    this.frees = dealloc != null;
    if (frees) {
      check(DEALLOC, dealloc, FREES);
    }
    this.memory = part.memory(null);
  }

  private static Signature signature(Part part, String name) {
    return part.module().export(name) instanceof ExternType.Function type ? type.signature() : null;
  }

  private void check(String name, Signature given, Signature... wanted) {
    if (given == null || !List.of(wanted).contains(given)) {
      throw Failure.BAD_REQUEST.because(
          "cannot invoke `%s`: `%s` is %s; %s",
          function, name, given == null ? "missing" : given, CONVENTIONS);
    }
  }

  /** The bytes the function answers; {@code TOO_LARGE} for more than {@code most}. */
  byte[] run(byte[] input, long most) {
    Block given = allocate(input.length);
    Guest.write(memory, given.pointer, input);
    Block answered = answered(guest.call(function, params(given)));
    try {
      return read(answered, most);
    } finally {
      free(given);
      if (isInMemory(answered) && !answered.isPartOf(given)) {
        free(answered);
      }
    }
  }

  private static List<Object> params(Block block) {
    return List.of((int) block.pointer, (int) block.size);
  }

  /** Address 0 is nobody's block, unless nothing was asked for. */
  private Block allocate(int size) {
    Block block = Block.of(guest.call(ALLOC, List.of(size)).get(0), size);
    if (block.pointer == 0 && size > 0) {
      throw Failure.LIMIT.because(
          "`%s` answered 0: the guest has no room for %d bytes", ALLOC, size);
    }
    checkBounds(ALLOC, block);
    return block;
  }

  private static Block answered(List<Object> results) {
    if (results.size() == 2) {
      return Block.of(results.get(0), results.get(1));
    }
    long packed = (Long) results.get(0);
    return Block.of((int) (packed >>> 32), (int) packed);
  }

  private byte[] read(Block block, long most) {
    checkBounds(function, block);
    if (block.size > most) {
      throw Failure.TOO_LARGE.because(
          "`%s` answered %d bytes; at most %d are taken", function, block.size, most);
    }
    return Guest.read(memory, block.pointer, block.size);
  }

  private void checkBounds(String name, Block block) {
    if (!isInMemory(block)) {
      throw Failure.OUT_OF_BOUNDS.because(
          "out of bounds memory access: `%s` answered pointer %d for %d bytes, the memory has %d",
          name, block.pointer, block.size, memoryBytes());
    }
  }

  private boolean isInMemory(Block block) {
    return block.pointer + block.size <= memoryBytes();
  }

  private long memoryBytes() {
    return (long) memory.pages() * Memory.PAGE_SIZE;
  }

  private void free(Block block) {
    if (frees && block.pointer != 0) {
      guest.call(DEALLOC, params(block));
    }
  }
}
