package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.wasm.types.DataSegment;
import com.dylibso.chicory.wasm.types.ExternalType;
import com.dylibso.chicory.wasm.types.MemorySection;
import java.util.ArrayList;
import java.util.List;

/**
 * The data segments of a part, and the memories it uses. The engine looks for the segments of
 * {@code memory.init} in the memory, which knows those of one part alone; so where parts share
 * memories, each brings its own whenever it begins to run.
 */
final class Segments {
  private final List<GuestMemory> memories = new ArrayList<>();
  private final DataSegment[] segments;

  private Segments(Instance instance) {
    int imported = instance.module().importSection().count(ExternalType.MEMORY);
    int defined = instance.module().memorySection().map(MemorySection::memoryCount).orElse(0);
    for (int i = 0; i < imported + defined; i++) {
      memories.add((GuestMemory) instance.memory(i));
    }
    segments = memories.isEmpty() ? null : memories.get(0).segments();
  }

  /** Of an instance that has just been initialized: its memories know its segments. */
  static Segments of(Instance instance) {
    return new Segments(instance);
  }

  /** The part begins to run; what the memories knew before. */
  DataSegment[][] bring() {
    DataSegment[][] before = new DataSegment[memories.size()][];
    for (int i = 0; i < before.length; i++) {
      before[i] = memories.get(i).segments();
      memories.get(i).use(segments);
    }
    return before;
  }

  /** It has ended, and whoever called it goes on. */
  void putBack(DataSegment[][] before) {
    for (int i = 0; i < before.length; i++) {
      memories.get(i).use(before[i]);
    }
  }
}
