package io.busbar;

import io.busbar.engine.CompiledModule;
import io.busbar.engine.Guest;
import io.busbar.engine.HostCall;
import io.busbar.model.ImportSpec;
import io.busbar.model.Limits;
import java.util.List;

/** Starts guests without a node. */
public final class GuestStart {
  private GuestStart() {}

  public static Guest guest(
      CompiledModule module,
      String label,
      List<ImportSpec> imports,
      HostCall calls,
      Limits limits) {
    Guest.Plan plan = Guest.Plan.of(module, label).withImports(imports).withLimits(limits);
    return Guest.start(plan, calls);
  }
}
