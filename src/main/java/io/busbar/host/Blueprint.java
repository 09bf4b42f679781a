package io.busbar.host;

import io.busbar.engine.Budget;
import io.busbar.engine.Guest;
import io.busbar.model.InstanceSpec;
import io.busbar.model.Limits;
import io.busbar.model.ModuleRef;
import io.busbar.model.WasmException;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.Optional;

/** All that the guest of one instance is made of, when it is started and whenever it is again. */
final class Blueprint {
  private final Vertx vertx;
  private final Context context; // where the output of each guest is published
  private final LiveInstance.Context node;
  private final String key;
  private final InstanceSpec spec;
  private final String label;
  private final Limits limits;
  private final ModuleUses.Used modules;
  private final Seat seat;
  private final Callbacks calls;

  Blueprint(
      Vertx vertx,
      LiveInstance.Context node,
      String key,
      InstanceSpec spec,
      Limits limits,
      ModuleUses.Used modules,
      Seat seat,
      Callbacks calls) {
    this.vertx = vertx;
    this.context = vertx.getOrCreateContext();
    this.node = node;
    this.key = key;
    this.spec = modules.pin(spec);
    this.label = label(spec);
    this.limits = limits;
    this.modules = modules;
    this.seat = seat;
    this.calls = calls;
  }

  /** What frames call the module where it does not name itself. */
  private static String label(InstanceSpec spec) {
    return spec.module() instanceof ModuleRef.Named named ? named.name() : spec.id().orElseThrow();
  }

  /**
   * A guest and the bus's end of its streams.
   *
   * @param budget where what both hold of the heap is reserved
   */
  record Life(Guest guest, Optional<Streams> streams, Budget budget) {
    /** Closes what the guest has open; nothing may run in it any more. */
    void close() {
      streams.ifPresent(Streams::close);
      guest.close();
      budget.close();
    }
  }

  /** A fresh guest whose start section has run; on the lane, as part of this job. */
  Life build(Job<?> job) {
    Budget budget = seat.budget().part();
    try {
      return inTime(build(budget), job);
    } catch (RuntimeException | Error e) {
      budget.close();
      throw e;
    }
  }

  private Life build(Budget budget) {
    Optional<Streams> streams =
        spec.wasi().map(wasi -> new Streams(vertx, context, node, output(), wasi, limits, budget));
    try {
      return new Life(Guest.start(plan(streams, budget), calls), streams, budget);
    } catch (RuntimeException | Error e) {
      streams.ifPresent(Streams::close);
      throw e;
    }
  }

  /** A guest that did not notice that its start was stopped has nobody to wait for it. */
  private static Life inTime(Life life, Job<?> job) {
    WasmException stopped = job.verdict();
    if (stopped != null) {
      life.close();
      throw stopped;
    }
    return life;
  }

  private Guest.Plan plan(Optional<Streams> streams, Budget budget) {
    Guest.Plan plan =
        Guest.Plan.of(modules.module(), label)
            .withImports(spec.imports())
            .withLinks(modules.links())
            .withLimits(limits)
            .withBudget(budget);
    return streams.map(Streams::plan).map(plan::withWasi).orElse(plan);
  }

  private Publisher.Target output() {
    return new Publisher.Target(node.addresses().stdio(id()), user());
  }

  /** Whose instance it is; empty: the operator's. */
  Optional<String> user() {
    return seat.user();
  }

  String id() {
    return spec.id().orElseThrow();
  }

  /** What nodes call it among themselves: its id, or that of one of several copies. */
  String key() {
    return key;
  }

  /** The spec, its names and bytes replaced by the digests they stood for. */
  InstanceSpec spec() {
    return spec;
  }

  Limits limits() {
    return limits;
  }

  ModuleUses.Used modules() {
    return modules;
  }
}
