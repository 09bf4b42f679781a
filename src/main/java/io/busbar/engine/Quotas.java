package io.busbar.engine;

import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasm.types.MemoryLimits;
import com.dylibso.chicory.wasm.types.Table;
import io.busbar.model.Failure;
import io.busbar.model.Limit;
import io.busbar.model.Limits;

/**
 * Makes the memories and tables of one guest, links included, as far as its limits and its budget
 * allow.
 */
final class Quotas {
  private final Limits limits;
  private final Budget budget;
  private int instances;
  private int memories;
  private int tables;

  Quotas(Limits limits, Budget budget) {
    this.limits = limits;
    this.budget = budget;
  }

  /** One more instance; fails with {@code LIMIT}. */
  void instance(CompiledModule module) {
    count("instance", ++instances, Limit.INSTANCES);
    budget.reserve(module.instanceBytes());
  }

  private void count(String what, int number, Limit limit) {
    if (number > limits.get(limit)) {
      throw Failure.LIMIT.because("resource limit exceeded: %s count too high at %d", what, number);
    }
  }

  GuestMemory memory(MemoryLimits asked) {
    count("memory", ++memories, Limit.MEMORIES);
    long pages = limits.get(Limit.MEMORY_BYTES) / Memory.PAGE_SIZE;
    int quota = (int) Math.min(pages, Memory.RUNTIME_MAX_PAGES);
    if (asked.initialPages() > quota) {
      throw Failure.LIMIT.because(
          "memory minimum size of %d pages exceeds memory limits", asked.initialPages());
    }
    int most = Math.min(asked.maximumPages(), quota);
    return new GuestMemory(new MemoryLimits(asked.initialPages(), most, asked.shared()), budget);
  }

  GuestTable table(Table asked, int initialValue) {
    count("table", ++tables, Limit.TABLES);
    long quota = limits.get(Limit.TABLE_ELEMENTS);
    if (asked.limits().min() > quota) {
      throw Failure.LIMIT.because(
          "table minimum size of %d elements exceeds table limits", asked.limits().min());
    }
    return GuestTable.of(asked, initialValue, quota, budget);
  }
}
