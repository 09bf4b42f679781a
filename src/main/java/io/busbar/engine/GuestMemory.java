package io.busbar.engine;

import static com.dylibso.chicory.runtime.ConstantEvaluators.computeConstantValue;

import com.dylibso.chicory.runtime.ChicoryInterruptedException;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.runtime.WasmRuntimeException;
import com.dylibso.chicory.wasm.types.ActiveDataSegment;
import com.dylibso.chicory.wasm.types.DataSegment;
import com.dylibso.chicory.wasm.types.MemoryLimits;
import com.dylibso.chicory.wasm.types.PassiveDataSegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A linear memory as one flat array, never larger than its quota.
 *
 * <p>Growing beyond the quota, the budget or the heap gives -1, as the specification wants, and the
 * bulk operations look at the interrupt flag first, so a guest made of nothing else can be stopped.
 */
final class GuestMemory implements Memory {
  private static final VarHandle SHORT = view(short[].class);
  private static final VarHandle INT = view(int[].class);
  private static final VarHandle LONG = view(long[].class);
  private static final VarHandle FLOAT = view(float[].class);
  private static final VarHandle DOUBLE = view(double[].class);
  private static final int MOST_BYTES = PAGE_SIZE * RUNTIME_MAX_PAGES;
  private static final int FILL_SEED = 64; // bytes stored one by one
  private static final int FILL_STEP = 16 << 10; // bytes copied at once, that stay in the cache

  private final MemoryLimits limits;
  private final Budget budget; // holds the whole array
  private DataSegment[] segments;
  private byte[] data; // at least `size` long, so that growing page by page copies rarely
  private int size; // in bytes

  /**
   * With its initial pages; fails with {@code LIMIT} where the budget has no room for them, and
   * with OutOfMemoryError where the heap has none.
   */
  GuestMemory(MemoryLimits limits, Budget budget) {
    this.limits = limits;
    this.budget = budget;
    this.size = PAGE_SIZE * limits.initialPages();
    budget.reserve(size);
    budget.pace(size);
    this.data = new byte[size];
  }

  private static VarHandle view(Class<?> array) {
    return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
  }

  /** The index itself if {@code length} bytes from there are inside; else traps. */
  private int check(int index, int length) {
    if (index < 0 || index > size - length) {
      throw outOfBounds();
    }
    return index;
  }

  private static WasmRuntimeException outOfBounds() {
    return new WasmRuntimeException("out of bounds memory access");
  }

  @Override
  public int pages() {
    return size / PAGE_SIZE;
  }

  @Override
  public int grow(int pages) {
    int before = pages();
    if (pages < 0 || pages > maximumPages() - before) {
      return -1;
    }
    Fuel.checkInterrupt();
    return resize((before + pages) * PAGE_SIZE) ? before : -1;
  }

  private boolean resize(int wanted) {
    if (wanted > data.length && !enlarge(roomy(wanted)) && !enlarge(wanted)) {
      return false;
    }
    size = wanted;
    return true;
  }

  /** With room for half as much again, but no more than the memory can ever have. */
  private int roomy(int wanted) {
    long half = data.length + (long) (data.length >> 1);
    int most = Math.min(MOST_BYTES, maximumPages() * PAGE_SIZE);
    return (int) Math.min(most, Math.max(wanted, half));
  }

  /** The old array stays until the new one is filled, so for a while both are reserved. */
  private boolean enlarge(int length) {
    int before = data.length;
    if (!budget.tryReserve(length)) {
      return false;
    }
    try {
      budget.pace(length);
      data = Arrays.copyOf(data, length);
    } catch (OutOfMemoryError e) {
      budget.release(length);
      return false;
    } catch (ChicoryInterruptedException e) {
      budget.release(length);
      throw e;
    }
    budget.release(before);
    return true;
  }

  @Override
  public int initialPages() {
    return limits.initialPages();
  }

  @Override
  public int maximumPages() {
    return Math.min(limits.maximumPages(), RUNTIME_MAX_PAGES);
  }

  @Override
  public boolean shared() {
    return limits.shared();
  }

  /** Atomic operations lock the whole memory: a guest has one thread, so nobody else waits. */
  @Override
  @SuppressWarnings("removal") // the interface's atomics still go through it
  public Object lock(int address) {
    return this;
  }

  @Override
  @SuppressWarnings("removal") // the interface's atomics still go through it
  public int waitOn(int address, int expected, long timeout) {
    checkShared();
    return readInt(address) == expected ? sleep(timeout) : 1;
  }

  @Override
  @SuppressWarnings("removal") // the interface's atomics still go through it
  public int waitOn(int address, long expected, long timeout) {
    checkShared();
    return readLong(address) == expected ? sleep(timeout) : 1;
  }

  private void checkShared() {
    if (!shared()) {
      throw new WasmRuntimeException("atomic wait on non-shared memory");
    }
  }

  /** Nobody can wake a guest's only thread: it waits its time out, or until interrupted. */
  private static int sleep(long nanos) {
    try {
      Thread.sleep(nanos < 0 ? Long.MAX_VALUE : nanos / 1_000_000);
      return 2;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ChicoryInterruptedException("Thread interrupted");
    }
  }

  @Override
  @SuppressWarnings("removal") // the interface's atomics still go through it
  public int notify(int address, int maxThreads) {
    if (address % Integer.BYTES != 0) {
      throw new WasmRuntimeException("unaligned atomic");
    }
    check(address, Integer.BYTES);
    return 0;
  }

  /** The segments that {@code memory.init} takes from: those of the module that runs. */
  DataSegment[] segments() {
    return segments;
  }

  /** From now on code of another module runs, with these segments. */
  void use(DataSegment[] ofModule) {
    segments = ofModule;
  }

  @Override
  public void initialize(Instance instance, DataSegment[] dataSegments) {
    initialize(instance, dataSegments, 0);
  }

  @Override
  public void initialize(Instance instance, DataSegment[] dataSegments, int memoryIndex) {
    segments = dataSegments;
    for (int i = 0; i < segments.length; i++) {
      if (segments[i] instanceof ActiveDataSegment active && active.index() == memoryIndex) {
        int offset = (int) computeConstantValue(instance, active.offsetInstructions())[0];
        write(offset, active.data(), 0, active.data().length);
        drop(i); // as the specification says: memory.init must not find it any more
      }
    }
  }

  @Override
  public void initPassiveSegment(int segmentId, int dest, int offset, int length) {
    Fuel.checkInterrupt();
    write(dest, segments[segmentId].data(), offset, length);
  }

  @Override
  public void drop(int segment) {
    segments[segment] = PassiveDataSegment.EMPTY;
  }

  @Override
  public void write(int addr, byte[] bytes, int offset, int length) {
    if (length < 0 || offset < 0 || offset > bytes.length - length) {
      throw outOfBounds();
    }
    System.arraycopy(bytes, offset, data, check(addr, length), length);
  }

  @Override
  public byte[] readBytes(int addr, int length) {
    if (length < 0) {
      throw outOfBounds();
    }
    return Arrays.copyOfRange(data, check(addr, length), addr + length);
  }

  @Override
  public void fill(byte value, int from, int to) {
    Fuel.checkInterrupt();
    if (from < 0 || to < from || to > size) {
      throw outOfBounds();
    }
    spread(value, from, to - from);
  }

  /** Stores a little and copies that on: a copy is fast whatever the JIT made of the loops. */
  private void spread(byte value, int from, int length) {
    int done = Math.min(length, FILL_SEED);
    Arrays.fill(data, from, from + done, value);
    while (done < length) {
      int more = Math.min(length - done, Math.min(done, FILL_STEP));
      System.arraycopy(data, from, data, from + done, more);
      done += more;
    }
  }

  @Override
  public void copy(int dest, int src, int length) {
    Fuel.checkInterrupt();
    if (length < 0) {
      throw outOfBounds();
    }
    System.arraycopy(data, check(src, length), data, check(dest, length), length);
  }

  /** The array was zero when it was made, and nothing else calls this. */
  @Override
  public void zero() {}

  @Override
  public byte read(int addr) {
    return data[check(addr, Byte.BYTES)];
  }

  @Override
  public void writeByte(int addr, byte value) {
    data[check(addr, Byte.BYTES)] = value;
  }

  @Override
  public short readShort(int addr) {
    return (short) SHORT.get(data, check(addr, Short.BYTES));
  }

  @Override
  public long readU16(int addr) {
    return Short.toUnsignedLong(readShort(addr));
  }

  @Override
  public void writeShort(int addr, short value) {
    SHORT.set(data, check(addr, Short.BYTES), value);
  }

  @Override
  public int readInt(int addr) {
    return (int) INT.get(data, check(addr, Integer.BYTES));
  }

  @Override
  public void writeI32(int addr, int value) {
    INT.set(data, check(addr, Integer.BYTES), value);
  }

  @Override
  public long readLong(int addr) {
    return (long) LONG.get(data, check(addr, Long.BYTES));
  }

  @Override
  public void writeLong(int addr, long value) {
    LONG.set(data, check(addr, Long.BYTES), value);
  }

  @Override
  public float readFloat(int addr) {
    return (float) FLOAT.get(data, check(addr, Float.BYTES));
  }

  @Override
  public long readF32(int addr) {
    return readInt(addr);
  }

  @Override
  public void writeF32(int addr, float value) {
    FLOAT.set(data, check(addr, Float.BYTES), value);
  }

  @Override
  public double readDouble(int addr) {
    return (double) DOUBLE.get(data, check(addr, Double.BYTES));
  }

  @Override
  public long readF64(int addr) {
    return readLong(addr);
  }

  @Override
  public void writeF64(int addr, double value) {
    DOUBLE.set(data, check(addr, Double.BYTES), value);
  }
}
